"""Stops runs and lets them go on, each with all that it started: our rows and DBOS's in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, delete, select, update
from sqlalchemy.exc import IntegrityError

from rubber_duck.errors import Conflict
from rubber_duck.workflows.codec import JsonSerializer
from rubber_duck.workflows.status import START
from rubber_duck.workflows.store.signals import forget_waits
from rubber_duck.workflows.store.tables import DEAD, FAILED, OPEN, PAUSED, STOPPED, Theirs, runs, watches

CANCELLED: Final = "cancelled"
"""Why a run was stopped that is not to go on."""


@dataclass(frozen=True, slots=True)
class GoingOn:
    """A run that is to go on: from where it was, or again from the step `first`, whose number counts from 1."""

    run: str
    first: int | None = None


def family(connection: Connection, theirs: Theirs, run_id: str) -> Sequence[Row[Any]]:  # Any: columns of two tables
    """The run and all that it started, and these again: id, status at DBOS, why stopped, edition."""
    started = select(runs.c.id).where(runs.c.id == run_id).cte("started", recursive=True)
    older = started.alias()
    started = started.union_all(select(runs.c.id).where(runs.c.parent == older.c.id))
    held = theirs.status.c
    statement = select(runs.c.id, held.status, runs.c.stopped, held.application_version.label("edition"))
    joined = statement.join(started, started.c.id == runs.c.id).join(theirs.status, held.workflow_uuid == runs.c.id)
    return connection.execute(joined.order_by(runs.c.id)).all()


def stop(connection: Connection, theirs: Theirs, run_id: str, why: str, now_ms: int) -> list[str]:
    """Stop a run and what it started, as far as that has not ended; a cancel stops what is paused for good. Their ids.

    They leave their queues, and their keys are free.
    """
    ids = [
        row.id
        for row in family(connection, theirs, run_id)
        if row.status in OPEN or (why == CANCELLED and row.status == STOPPED and row.stopped == PAUSED)
    ]
    stop_each(connection, theirs, ids, why, now_ms)
    return ids


def orphans(connection: Connection, theirs: Theirs) -> list[str]:
    """What runs started that were cancelled, took too long, failed or were given up, and has not ended itself."""
    child, parent, started_by = theirs.status.c, theirs.status.alias(), runs.alias()
    statement = select(runs.c.id).join(theirs.status, child.workflow_uuid == runs.c.id)
    statement = statement.join(parent, parent.c.workflow_uuid == runs.c.parent)
    statement = statement.join(started_by, started_by.c.id == runs.c.parent)
    is_over = parent.c.status.in_((FAILED, DEAD)) | ((parent.c.status == STOPPED) & (started_by.c.stopped != PAUSED))
    started = runs.c.parent.is_not(None)  # said for the planner: there is an index, and very many may be open
    return list(connection.execute(statement.where(started, child.status.in_(OPEN), is_over)).scalars())


def stop_each(connection: Connection, theirs: Theirs, ids: Collection[str], why: str, now_ms: int) -> None:
    """Stop these runs, as far as they have not ended."""
    held = theirs.status.c
    over = {"owner_xid": None, "queue_name": None, "deduplication_id": None, "started_at_epoch_ms": None}
    chosen = held.workflow_uuid.in_(ids) & held.status.in_((*OPEN, STOPPED))
    stopped = {**over, "status": STOPPED, "updated_at": now_ms, "completed_at": now_ms}
    connection.execute(update(theirs.status).where(chosen).values(stopped))
    connection.execute(update(runs).where(runs.c.id.in_(ids)).values(stopped=why))


def going_on(family: Sequence[Row[Any]]) -> list[str]:  # Any: rows of `family`
    """Which of a family go on when its first is let go on: with a paused one what is paused, otherwise all stopped."""
    first = family[0]
    if first.status == STOPPED and first.stopped == PAUSED:
        return [row.id for row in family if row.status == STOPPED and row.stopped == PAUSED]
    return [row.id for row in family if row.status in (STOPPED, DEAD)]


def go_on(connection: Connection, theirs: Theirs, going: Sequence[GoingOn], now_ms: int) -> list[str]:
    """Let these runs, which have stopped, failed or died, go on, as often as the first time; ids of what has moved.

    Each takes its key again, or Conflict; one that may not begin yet is delayed again. Who was told of the end of one
    is told of the next. One that another of them will start anew does not go on.
    """
    left = set[str]()
    for each in going:
        if each.first is not None and each.run not in left:
            left.update(_forget(connection, theirs, each.run, each.first))
    stop_each(connection, theirs, left, CANCELLED, now_ms)
    ids = [each.run for each in going if each.run not in left]
    held, own = theirs.status.c, select(runs).where(runs.c.id == theirs.status.c.workflow_uuid)
    again = {
        "status": case((held.delay_until_epoch_ms > now_ms, "DELAYED"), else_="ENQUEUED"),
        "queue_name": _of(own, "queue"),
        "deduplication_id": _of(own, "key"),
        "recovery_attempts": 0,
        "workflow_deadline_epoch_ms": None,
        "owner_xid": None,
        "started_at_epoch_ms": None,
        "completed_at": None,
        "updated_at": now_ms,
    }
    chosen = held.workflow_uuid.in_(ids) & held.status.in_((STOPPED, DEAD, FAILED))
    try:
        connection.execute(update(theirs.status).where(chosen).values(again))
    except IntegrityError as error:
        raise Conflict("a run with this key waits or works already") from error
    connection.execute(update(runs).where(runs.c.id.in_(ids)).values(stopped=""))
    connection.execute(update(watches).where(watches.c.run_id.in_(ids)).values(is_told=False))
    return [*ids, *sorted(left)]


def _of(own: Select[Any], column: str) -> Any:  # Any: of the column's type
    return own.with_only_columns(runs.c[column]).scalar_subquery()


def _forget(connection: Connection, theirs: Theirs, run_id: str, first: int) -> list[str]:
    """What a run did from a step on, and what it came to. A signal that it has not heard yet stays.

    The ids of the runs that it started there, and of what these did, which are its own no more: what it starts when it
    does that step again is asked anew, and may be asked something else.
    """
    for table, column in ((theirs.steps, "function_id"), (theirs.signals, "consumed_by_function_id")):
        of_run = table.c["workflow_uuid" if table is theirs.steps else "destination_uuid"] == run_id
        connection.execute(delete(table).where(of_run, table.c[column] >= first))
    connection.execute(delete(theirs.output).where(theirs.output.c.workflow_uuid == run_id))
    forget_waits(connection, run_id, first)
    children = set(connection.execute(select(runs.c.id).where(runs.c.parent == run_id)).scalars())
    disowned = sorted(children - _started(connection, theirs, run_id))
    left = [row.id for child in disowned for row in family(connection, theirs, child)]
    connection.execute(update(runs).where(runs.c.id.in_(disowned)).values(parent=None))
    return left


def _started(connection: Connection, theirs: Theirs, run_id: str) -> set[str]:
    """The runs of which a step tells that it started them."""
    steps = theirs.steps.c
    told = select(steps.output).where(steps.workflow_uuid == run_id, steps.function_name.startswith(START))
    found = connection.execute(told.where(steps.output.is_not(None))).scalars()
    return {each for each in map(JsonSerializer().deserialize, found) if isinstance(each, str)}
