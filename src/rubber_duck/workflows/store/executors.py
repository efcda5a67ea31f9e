"""Processes that work, what they hold, and rows that are refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from rubber_duck.workflows.store.tables import (
    OPEN,
    executors,
)


@dataclass(frozen=True, slots=True)
class Executor:
    """A process that works. `beats` grows while it lives; `place` is where it does, empty where that is not known.

    `editions` are those of the workflows that it has, such as `report@2`: it takes runs of these.
    """

    id: str
    editions: frozenset[str]
    beats: int
    place: str = ""


def is_pickled(connection: Connection, status: Table) -> bool:
    """Whether there is an open run that somebody else planted as a pickle."""
    return connection.execute(select(status.c.workflow_uuid).where(_planted(status)).limit(1)).first() is not None


def refuse_pickled(connection: Connection, status: Table) -> int:
    """End every open run that somebody else planted as a pickle; how many there were."""
    return connection.execute(update(status).where(_planted(status)).values(status="CANCELLED")).rowcount


def _planted(status: Table) -> ColumnElement[bool]:
    return (status.c.serialization == "py_pickle") & status.c.status.in_(OPEN)


def add_executor(connection: Connection, executor: Executor, now: datetime) -> None:
    """Say that a process begins to work."""
    has = " ".join(sorted(executor.editions))
    connection.execute(
        insert(executors).values(
            id=executor.id, version=has, beats=executor.beats, started_at=now, place=executor.place
        )
    )


def beat(connection: Connection, executor_id: str) -> bool:
    """Say that it lives; False when another process has struck it off meanwhile."""
    done = connection.execute(
        update(executors).where(executors.c.id == executor_id).values(beats=executors.c.beats + 1)
    )
    return done.rowcount == 1


def living(connection: Connection) -> list[Executor]:
    """Every process that was not struck off."""
    held = executors.c
    rows = connection.execute(select(held.id, held.version, held.beats, func.coalesce(held.place, "")))
    return [Executor(row[0], frozenset(row[1].split()), row[2], row[3]) for row in rows]


def strike_off(connection: Connection, executor: Executor) -> bool:
    """Fence a process that has not beaten since `executor` was read; False when it has, or is gone."""
    still = (executors.c.id == executor.id) & (executors.c.beats == executor.beats)
    return connection.execute(delete(executors).where(still)).rowcount == 1


def remove_executor(connection: Connection, executor_id: str) -> None:
    """Say that a process works no more."""
    connection.execute(delete(executors).where(executors.c.id == executor_id))


def holders_lost(connection: Connection, status: Table) -> list[str]:
    """Processes that hold runs and are not among the living."""
    held = status.c
    statement = select(held.executor_id).distinct().where(held.status == "PENDING")
    lost = held.executor_id.is_not(None) & held.executor_id.not_in(select(executors.c.id))
    return list(connection.execute(statement.where(lost)).scalars())


def held_by(connection: Connection, status: Table, executor_id: str) -> list[str]:
    """The runs that a process took and that have not ended."""
    mine = (status.c.status == "PENDING") & (status.c.executor_id == executor_id)
    return list(connection.execute(select(status.c.workflow_uuid).where(mine)).scalars())
