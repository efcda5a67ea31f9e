"""The table of the ways that members chose, and which runs ended of which nobody was told; the only SQL of notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, Row, Table, Text, delete, insert, select, update

from rubber_duck.notices.notice import By, Kind, Way
from rubber_duck.storage.columns import Json
from rubber_duck.storage.metadata import metadata
from rubber_duck.workflows.store.runs import shown
from rubber_duck.workflows.store.tables import Theirs, runs, watches

_ENDED: Final = ("SUCCESS", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

ways: Final = Table(
    "notice_ways",
    metadata,
    Column("member", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("kinds", Json, nullable=False),
    PrimaryKeyConstraint("member", "by"),
)


def ways_of(connection: Connection, member: str) -> list[Way]:
    """The ways of a member, by name."""
    chosen = select(ways.c.by, ways.c.to, ways.c.kinds).where(ways.c.member == member).order_by(ways.c.by)
    return [Way(By(row.by), row.to, frozenset(map(Kind, row.kinds))) for row in connection.execute(chosen)]


def put_way(connection: Connection, member: str, way: Way) -> None:
    """Keep a way in place of the one of its kind."""
    drop_way(connection, member, way.by)
    kinds = sorted(kind.value for kind in way.kinds)
    connection.execute(insert(ways).values(member=member, by=way.by.value, to=way.to, kinds=kinds))


def drop_way(connection: Connection, member: str, by: By) -> bool:
    """Forget a way; whether there was one."""
    mine = (ways.c.member == member) & (ways.c.by == by.value)
    return connection.execute(delete(ways).where(mine)).rowcount == 1


def ended_untold(connection: Connection, theirs: Theirs, limit: int) -> Sequence[Row[Any]]:  # Any: as `runs_of`
    """Runs that ended, by themselves or by their time-out, and of which nobody was told yet."""
    status, output = theirs.status, theirs.output
    joined = watches.join(runs, runs.c.id == watches.c.run_id).join(status, status.c.workflow_uuid == runs.c.id)
    joined = joined.outerjoin(output, output.c.workflow_uuid == runs.c.id)
    timed_out = (status.c.status == "CANCELLED") & (runs.c.stopped == "")
    ended = status.c.status.in_(_ENDED) | timed_out
    statement = select(runs, watches.c.failures_only, watches.c.times, *shown(status, output)).select_from(joined)
    statement = statement.where(watches.c.is_told.is_(False), ended).order_by(runs.c.created_at)
    return connection.execute(statement.limit(limit)).all()


def settle(connection: Connection, run_id: str) -> bool:
    """Take it upon oneself to tell of a run; False when somebody else has."""
    mine = (watches.c.run_id == run_id) & watches.c.is_told.is_(False)
    return connection.execute(update(watches).where(mine).values(is_told=True, times=watches.c.times + 1)).rowcount == 1
