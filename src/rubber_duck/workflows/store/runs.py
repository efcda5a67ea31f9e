"""Runs, as people see them. Whose a run is stands in every query of a person: another actor's run is not found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    FromClause,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from rubber_duck.scope import Scope
from rubber_duck.workflows.store.tables import (
    PAUSED,
    STOPPED,
    WAITING,
    Theirs,
    runs,
    watches,
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is kept by us. Of those in one queue that wait or work, no two have the same `key`."""

    id: str
    actor_id: str
    project_id: UUID | None
    workflow: str
    version: int
    queue: str
    created_at: datetime
    parent: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """Which runs are meant: of these ids, one workflow, one queue, some of DBOS's statuses; what is empty is any.

    `paused` says whether those that were stopped are to be paused ones; None: that is all the same. `behind` is the
    id of a run: only those that stand behind it.
    """

    only: Collection[str] | None = None
    workflow: str = ""
    queue: str = ""
    statuses: Collection[str] = ()
    paused: bool | None = None
    behind: str = ""
    limit: int = 50


def _adding() -> Insert:
    """What adds a run unless there is one of its id; built once, since that takes longer than carrying it out."""
    given = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in runs.columns}
    known = select(runs.c.id).where(runs.c.id == given["id"]).exists()
    return insert(runs).from_select(list(given), select(*given.values()).where(~known))


_ADD: Final = _adding().returning(runs.c.id)


def add_run(connection: Connection, row: RunRow) -> bool:
    """Keep a new run; False when one of its id is kept already."""
    new = {
        "new_id": row.id,
        "new_actor_id": row.actor_id,
        "new_project_id": row.project_id,
        "new_workflow": row.workflow,
        "new_version": row.version,
        "new_queue": row.queue,
        "new_parent": row.parent,
        "new_stopped": "",
        "new_done": 0,
        "new_total": 0,
        "new_note": "",
        "new_created_at": row.created_at,
        "new_key": row.key,
        "new_kept_steps": None,
    }
    return connection.execute(_ADD, new).first() is not None


def watch(connection: Connection, run_id: str, *, failures_only: bool) -> None:
    """Remember that somebody is to be told when the run has ended."""
    connection.execute(insert(watches).values(run_id=run_id, failures_only=failures_only, is_told=False, times=0))


def child_id(connection: Connection, parent: str, number: int) -> str:
    """The id of the run that `parent` starts as its so-many-th; another one for each time that it does so anew."""
    names = chain((f"{parent}.{number}",), (f"{parent}.{number}-{again}" for again in count(2)))
    return next(name for name in names if _is_free_for(connection, name, parent))


def _is_free_for(connection: Connection, name: str, parent: str) -> bool:
    """Whether nobody has that id, or one that the parent began before; not one that it left to itself."""
    held = connection.execute(select(runs.c.parent).where(runs.c.id == name)).one_or_none()
    return held is None or held.parent == parent


def set_progress(connection: Connection, run_id: str, done: int, total: int, note: str) -> None:
    """Keep how far a run is."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(done=done, total=total, note=note))


def touch(connection: Connection, run_id: str) -> None:
    """Write what stands there already."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(note=runs.c.note))


def runs_of(
    connection: Connection,
    scope: Scope | None,
    theirs: Theirs,
    *,
    which: Which,
) -> Sequence[Row[Any]]:  # Any: the columns of both tables
    """The scope's runs with DBOS's status and output of each, newest first; of one project if the scope names one.

    Without a scope everybody's: for what tells each of their own.
    """
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
    if which.paused is not None:
        is_paused = runs.c.stopped == PAUSED
        statement = statement.where((status.c.status != STOPPED) | (is_paused if which.paused else ~is_paused))
    if which.behind:
        last = runs.alias()
        at = _visible(select(last.c.created_at).where(last.c.id == which.behind), scope, last).scalar_subquery()
        statement = statement.where((runs.c.created_at < at) | ((runs.c.created_at == at) & (runs.c.id < which.behind)))
    return connection.execute(statement.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(which.limit)).all()


def ids_like(connection: Connection, scope: Scope, text: str) -> list[str]:
    """A few ids of the scope's runs that are `text`, begin or end with it; the very one first."""
    is_it = runs.c.id == text
    like = is_it | runs.c.id.startswith(text, autoescape=True) | runs.c.id.endswith(text, autoescape=True)
    statement = _visible(select(runs.c.id).where(like), scope).order_by(is_it.desc(), runs.c.id).limit(3)
    return list(connection.execute(statement).scalars())


def counts(connection: Connection, scope: Scope | None, status: Table) -> Sequence[Row[Any]]:  # Any: as above
    """Queue, status, whether paused, how many, and since when (milliseconds since 1970) the oldest waits.

    Over the scope's runs; without one over everybody's, for operators.
    """
    is_paused = ((status.c.status == STOPPED) & (runs.c.stopped == PAUSED)).label("is_paused")
    statement = select(runs.c.queue, status.c.status, is_paused, func.count(), func.min(status.c.created_at))
    joined = _visible(statement.join(status, status.c.workflow_uuid == runs.c.id), scope)
    return connection.execute(joined.group_by(runs.c.queue, status.c.status, is_paused)).all()


def finished_since(connection: Connection, scope: Scope | None, status: Table, since_ms: int) -> Mapping[str, int]:
    """Runs that ended well since a moment, by queue; without a scope everybody's."""
    statement = select(runs.c.queue, func.count()).join(status, status.c.workflow_uuid == runs.c.id)
    statement = statement.where(status.c.status == "SUCCESS", status.c.completed_at >= since_ms)
    rows = connection.execute(_visible(statement, scope).group_by(runs.c.queue))
    return {row[0]: row[1] for row in rows}


def waiting(connection: Connection, status: Table, queue: str, most: int) -> int:
    """How many runs wait in a queue, of whomever; no more than `most` are counted."""
    waits = (status.c.queue_name == queue) & status.c.status.in_(WAITING)
    seen = select(status.c.workflow_uuid).where(waits).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(seen)).scalar_one())


def _visible(
    statement: Select[Any], scope: Scope | None, of: FromClause = runs
) -> Select[Any]:  # Any: rows of any shape
    if scope is None:
        return statement
    statement = statement.where(of.c.actor_id == scope.actor.id)
    return statement if scope.project is None else statement.where(of.c.project_id == scope.project)


def shown(status: Table, output: Table) -> list[Any]:  # Any: columns
    """What of DBOS's columns is read of a run."""
    held = status.c
    attempts = func.coalesce(held.recovery_attempts, 0).label("attempts")
    times = [held.started_at_epoch_ms, held.completed_at, held.updated_at]
    return [held.status, output.c.error, output.c.output, attempts, *times]
