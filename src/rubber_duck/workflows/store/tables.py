"""The tables of runs, of processes that work, and of schedules; and those of DBOS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from rubber_duck.storage.columns import Json, Key, Timestamp
from rubber_duck.storage.metadata import metadata

runs: Final = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("actor_id", Text, nullable=False),
    Column("project_id", Key),
    Column("workflow", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("queue", Text, nullable=False),
    Column("parent", Text),
    Column("stopped", Text, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("key", Text),
    Column("kept_steps", Integer),
    Index(None, "actor_id", "created_at"),
    Index(None, "parent"),
)
"""`key` is what DBOS forgets when a run is stopped; `kept_steps` counts those there were when it was last put back."""

executors: Final = Table(
    "run_executors",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("place", Text),
)

schedules: Final = Table(
    "run_schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("next_at", Timestamp, nullable=False),
)

step_results: Final = Table(
    "run_step_results",
    metadata,
    Column("key", Text, primary_key=True),
    Column("result", Json, nullable=False),
    Column("created_at", Timestamp, nullable=False),
)

effects: Final = Table(
    "run_effects",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("result", Json),
    Column("created_at", Timestamp, nullable=False),
)

turns: Final = Table(
    "run_turns",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("turn", BigInteger, nullable=False),
)

watches: Final = Table(
    "run_watches",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("failures_only", Boolean, nullable=False),
    Column("is_told", Boolean, nullable=False),
    Column("times", Integer, nullable=False),
    Index(None, "is_told"),
)
"""Runs whose actor is to be told when they have ended, and how many times they were: a run may be tried again."""

PAUSED: Final = "paused"
"""Why a run was stopped that is to go on."""

STOPPED: Final = "CANCELLED"
FAILED: Final = "ERROR"
DEAD: Final = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
WAITING: Final = ("ENQUEUED", "DELAYED")
OPEN: Final = (*WAITING, "PENDING")


@dataclass(frozen=True, slots=True)
class Theirs:
    """DBOS's tables of runs, of what they were asked, of what they came to, of their steps, and of signals to them."""

    status: Table
    input: Table
    output: Table
    steps: Table
    signals: Table

    @classmethod
    def of(cls, tables: Sequence[Table], schema: str | None) -> Theirs:
        """The tables in the schema where they really lie; what DBOS declares names a placeholder."""
        place = MetaData(schema=schema)
        return cls(*(Table(each.name, place, *(_copied(column) for column in each.columns)) for each in tables))


def _copied(column: Column[Any]) -> Column[Any]:  # Any: of any type
    return Column(column.name, column.type, primary_key=column.primary_key)
