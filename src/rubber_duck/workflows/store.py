"""The tables of runs, of processes that work, and of schedules; the only SQL of this slice.

Whose a run is stands in every query of a person: another actor's run is not found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.scope import Scope
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
    Index(None, "actor_id", "created_at"),
)

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

_WAITING: Final = ("ENQUEUED", "DELAYED")
_OPEN: Final = (*_WAITING, "PENDING")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is kept by us. `stopped` is why it was stopped: `cancelled`, `paused`, or empty."""

    id: str
    actor_id: str
    project_id: UUID | None
    workflow: str
    version: int
    queue: str
    created_at: datetime
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """Which runs are meant: of these ids, one workflow, one queue, some of DBOS's statuses; what is empty is any."""

    only: Collection[str] | None = None
    workflow: str = ""
    queue: str = ""
    statuses: Collection[str] = ()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Executor:
    """A process that works. `beats` grows while it lives; `place` is where it does, empty where that is not known."""

    id: str
    version: str
    beats: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class Theirs:
    """DBOS's tables of runs and of what they came to."""

    status: Table
    output: Table

    @classmethod
    def of(cls, status: Table, output: Table, schema: str | None) -> Theirs:
        """The tables in the schema where they really lie; what DBOS declares names a placeholder."""
        place = MetaData(schema=schema)
        return cls(
            *(Table(each.name, place, *(_copied(column) for column in each.columns)) for each in (status, output))
        )


def add_run(connection: Connection, row: RunRow) -> bool:
    """Keep a new run; False when one of its id is kept already."""
    values = {
        "id": row.id,
        "actor_id": row.actor_id,
        "project_id": row.project_id,
        "workflow": row.workflow,
        "version": row.version,
        "queue": row.queue,
        "parent": row.parent,
        "stopped": "",
        "done": 0,
        "total": 0,
        "note": "",
        "created_at": row.created_at,
    }
    known = select(runs.c.id).where(runs.c.id == row.id).exists()
    given = select(*(literal(value, runs.c[name].type) for name, value in values.items())).where(~known)
    added = insert(runs).from_select(list(values), given).returning(runs.c.id)
    return connection.execute(added).first() is not None


def watch(connection: Connection, run_id: str, *, failures_only: bool) -> None:
    """Remember that somebody is to be told when the run has ended."""
    connection.execute(insert(watches).values(run_id=run_id, failures_only=failures_only, is_told=False, times=0))


def watch_again(connection: Connection, run_id: str) -> None:
    """A run that ended goes on: if somebody was told of its end, they are told of the next one too."""
    connection.execute(update(watches).where(watches.c.run_id == run_id).values(is_told=False))


def set_progress(connection: Connection, run_id: str, done: int, total: int, note: str) -> None:
    """Keep how far a run is."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(done=done, total=total, note=note))


def set_stopped(connection: Connection, run_id: str, why: str) -> None:
    """Keep why a run was stopped; empty: it goes on."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(stopped=why))


def runs_of(
    connection: Connection,
    scope: Scope,
    theirs: Theirs,
    *,
    which: Which,
) -> Sequence[Row[Any]]:  # Any: the columns of both tables
    """The scope's runs with DBOS's status and output of each, newest first; of one project if the scope names one."""
    status, output = theirs.status, theirs.output
    joined = runs.join(status, status.c.workflow_uuid == runs.c.id)
    joined = joined.outerjoin(output, output.c.workflow_uuid == runs.c.id)
    statement = _visible(select(runs, *shown(status, output)).select_from(joined), scope)
    if which.only is not None:
        statement = statement.where(runs.c.id.in_(which.only))
    if which.workflow:
        statement = statement.where(runs.c.workflow == which.workflow)
    if which.queue:
        statement = statement.where(runs.c.queue == which.queue)
    if which.statuses:
        statement = statement.where(status.c.status.in_(which.statuses))
    return connection.execute(statement.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(which.limit)).all()


def ids_like(connection: Connection, scope: Scope, text: str) -> list[str]:
    """A few ids of the scope's runs that are `text`, begin or end with it; the very one first."""
    is_it = runs.c.id == text
    like = is_it | runs.c.id.startswith(text, autoescape=True) | runs.c.id.endswith(text, autoescape=True)
    statement = _visible(select(runs.c.id).where(like), scope).order_by(is_it.desc(), runs.c.id).limit(3)
    return list(connection.execute(statement).scalars())


def counts(connection: Connection, scope: Scope | None, status: Table) -> Sequence[Row[Any]]:  # Any: as above
    """Queue, status, how many, and since when (milliseconds since 1970) the oldest of them, over the scope's runs.

    Without a scope over everybody's, for operators.
    """
    statement = select(runs.c.queue, status.c.status, func.count(), func.min(status.c.created_at))
    joined = _visible(statement.join(status, status.c.workflow_uuid == runs.c.id), scope)
    return connection.execute(joined.group_by(runs.c.queue, status.c.status)).all()


def finished_since(connection: Connection, scope: Scope | None, status: Table, since_ms: int) -> Mapping[str, int]:
    """Runs that ended well since a moment, by queue; without a scope everybody's."""
    statement = select(runs.c.queue, func.count()).join(status, status.c.workflow_uuid == runs.c.id)
    statement = statement.where(status.c.status == "SUCCESS", status.c.completed_at >= since_ms)
    rows = connection.execute(_visible(statement, scope).group_by(runs.c.queue))
    return {row[0]: row[1] for row in rows}


def waiting(connection: Connection, status: Table, queue: str, most: int) -> int:
    """How many runs wait in a queue, of whomever; no more than `most` are counted."""
    waits = (status.c.queue_name == queue) & status.c.status.in_(_WAITING)
    seen = select(status.c.workflow_uuid).where(waits).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(seen)).scalar_one())


def next_turn(connection: Connection, status: Table, queue: str, tenant: str, first: int, most: int) -> int:
    """The tenant's next turn among the runs of a queue whose priority for DBOS is from `first` to `first + most`.

    Turns are those of fair queuing (Goyal, Vin and Cheng, 1996, with all runs of one size): a run comes after the
    tenant's last one, but not before the one that is next anyway; when nothing waits, not before the last of all.
    """
    held = status.c
    waits = (held.status == "ENQUEUED") & held.status.in_(("ENQUEUED", "PENDING"))  # as DBOS's index of them says it
    ours = (held.queue_name == queue) & waits & held.priority.between(first, first + most)
    waiting_first = select(func.min(held.priority) - first).where(ours).scalar_subquery()
    turn = _taken_turn(connection, f"{queue} {first}", tenant, waiting_first)
    if turn <= most:
        return turn
    # After so many, turns begin anew once nothing waits; until then those who come are last.
    if connection.execute(select(waiting_first)).scalar() is None:
        connection.execute(delete(turns).where(turns.c.queue == f"{queue} {first}"))
    return most


def _taken_turn(connection: Connection, lane: str, tenant: str, waiting_first: Any) -> int:  # Any: a subquery
    others = turns.alias()
    last_of_all = select(func.max(others.c.turn)).where(others.c.queue == lane).scalar_subquery()
    now = func.coalesce(waiting_first, last_of_all, 0)
    mine = (turns.c.queue == lane) & (turns.c.tenant == tenant)
    after = case((turns.c.turn < now, now), else_=turns.c.turn + 1)
    taken = update(turns).where(mine).values(turn=after).returning(turns.c.turn)
    turn = connection.execute(taken).scalar()
    if turn is None:
        new = select(literal(lane, Text), literal(tenant, Text), now)
        try:
            with connection.begin_nested():
                connection.execute(insert(turns).from_select(["queue", "tenant", "turn"], new))
        except IntegrityError:  # another process was faster
            return int(connection.execute(taken).scalar_one())
        turn = connection.execute(select(turns.c.turn).where(mine)).scalar_one()
    return int(turn)


def refuse_pickled(connection: Connection, status: Table) -> int:
    """End every open run that somebody else planted as a pickle; how many there were."""
    planted = (status.c.serialization == "py_pickle") & status.c.status.in_(_OPEN)
    return connection.execute(update(status).where(planted).values(status="CANCELLED")).rowcount


def add_executor(connection: Connection, executor: Executor, now: datetime) -> None:
    """Say that a process begins to work."""
    connection.execute(
        insert(executors).values(
            id=executor.id, version=executor.version, beats=executor.beats, started_at=now, place=executor.place
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
    return [Executor(*row) for row in rows]


def strike_off(connection: Connection, executor: Executor) -> bool:
    """Fence a process that has not beaten since `executor` was read; False when it has, or is gone."""
    still = (executors.c.id == executor.id) & (executors.c.beats == executor.beats)
    return connection.execute(delete(executors).where(still)).rowcount == 1


def remove_executor(connection: Connection, executor_id: str) -> None:
    """Say that a process works no more."""
    connection.execute(delete(executors).where(executors.c.id == executor_id))


def holders_lost(connection: Connection, status: Table, version: str) -> list[str]:
    """Processes that hold runs of a version and are not among the living."""
    held = status.c
    statement = select(held.executor_id).distinct().where(held.status == "PENDING", held.application_version == version)
    lost = held.executor_id.is_not(None) & held.executor_id.not_in(select(executors.c.id))
    return list(connection.execute(statement.where(lost)).scalars())


def held_by(connection: Connection, status: Table, executor_id: str) -> list[str]:
    """The runs that a process took and that have not ended."""
    mine = (status.c.status == "PENDING") & (status.c.executor_id == executor_id)
    return list(connection.execute(select(status.c.workflow_uuid).where(mine)).scalars())


def put_schedule(connection: Connection, name: str, cron: str, next_at: datetime) -> None:
    """Keep when a schedule fires next; one that is there with the same cron is left as it is."""
    held = connection.execute(select(schedules.c.cron).where(schedules.c.name == name)).scalar()
    if held is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(schedules).values(name=name, cron=cron, next_at=next_at))
        except IntegrityError:
            return  # another process was faster, with the same settings
    elif held != cron:
        connection.execute(update(schedules).where(schedules.c.name == name).values(cron=cron, next_at=next_at))


def take_due(connection: Connection, name: str, now: datetime, next_at: datetime) -> bool:
    """Move a schedule that is due to `next_at`; True for the one process that did."""
    due = (schedules.c.name == name) & (schedules.c.next_at <= now)
    return connection.execute(update(schedules).where(due).values(next_at=next_at)).rowcount == 1


def step_result(connection: Connection, key: str) -> object | None:
    """What a step of that content returned before, inside a list; None when that is not known."""
    found: object | None = connection.execute(select(step_results.c.result).where(step_results.c.key == key)).scalar()
    return found


def keep_step_result(connection: Connection, key: str, result: list[object], now: datetime) -> None:
    """Keep what a step of that content returned."""
    if step_result(connection, key) is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(step_results).values(key=key, result=result, created_at=now))
        except IntegrityError:
            return  # somebody else kept the same


def _visible(statement: Select[Any], scope: Scope | None) -> Select[Any]:  # Any: rows of any shape
    if scope is None:
        return statement
    statement = statement.where(runs.c.actor_id == scope.actor.id)
    return statement if scope.project is None else statement.where(runs.c.project_id == scope.project)


def shown(status: Table, output: Table) -> list[Any]:  # Any: columns
    """What of DBOS's columns is read of a run."""
    held = status.c
    attempts = func.coalesce(held.recovery_attempts, 0).label("attempts")
    times = [held.started_at_epoch_ms, held.completed_at, held.updated_at]
    return [held.status, output.c.error, output.c.output, attempts, *times]


def _copied(column: Column[Any]) -> Column[Any]:  # Any: of any type
    return Column(column.name, column.type, primary_key=column.primary_key)
