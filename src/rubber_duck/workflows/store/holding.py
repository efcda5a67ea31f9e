"""Which process works on which run, and which may: by DBOS's rows.

DBOS's word for what a process is able to carry out is the application version, one for all. Ours is the edition of a
workflow, `name@version`, which stands there for each run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Boolean, ColumnElement, Connection, Table, Text, case, cast, func, literal_column, select, update

from rubber_duck.errors import StruckOff
from rubber_duck.workflows.store.tables import OPEN, WAITING, Theirs, runs


def owners(connection: Connection, status: Table, ids: Collection[str]) -> dict[str, str | None]:
    """Who owns each of these runs: a text that is new whenever one is begun; None while it is not worked on."""
    held = status.c
    rows = connection.execute(select(held.workflow_uuid, held.owner_xid).where(held.workflow_uuid.in_(ids)))
    return {row[0]: row[1] for row in rows}


def require_owner(connection: Connection, status: Table, run_id: str, owner: str) -> None:
    """StruckOff unless the run is worked on by this `owner`, and stays so until the transaction ends.

    Whoever was frozen and taken for dead must not write for a run that went on elsewhere, failed or was stopped.
    """
    held = status.c
    statement = select(held.status, held.owner_xid).where(held.workflow_uuid == run_id)
    row = connection.execute(statement.with_for_update(key_share=True)).one_or_none()
    if row is None or row.status != "PENDING" or row.owner_xid != owner:
        raise StruckOff(f"the run {run_id!r} goes on elsewhere, or has ended: nothing more is written for it here")


@dataclass(frozen=True, slots=True)
class Held:
    """What these processes hold; with `only`, these runs of it."""

    executor_ids: Collection[str]
    only: Collection[str] | None = None


def put_back(connection: Connection, theirs: Theirs, held: Held, now_ms: int, *, is_in_vain: bool = True) -> int:
    """Put runs back into their queues, with their keys and deadlines; how many.

    A run that kept a step since it was last put back counts as never begun: it gets on. Otherwise it was begun
    `is_in_vain`, unless that was for a reason that lies outside of it, such as an orderly end of the process.
    """
    status, steps = theirs.status.c, theirs.steps.c
    chosen = (status.status == "PENDING") & status.executor_id.in_(held.executor_ids)
    if held.only is not None:
        chosen &= status.workflow_uuid.in_(held.only)
    kept = select(func.count()).where(steps.workflow_uuid == status.workflow_uuid).scalar_subquery()
    known = select(func.coalesce(runs.c.kept_steps, 0)).where(runs.c.id == status.workflow_uuid).scalar_subquery()
    begun = func.coalesce(status.recovery_attempts, 0)
    in_vain = begun if is_in_vain else case((begun > 0, begun - 1), else_=0)
    back = {
        "status": "ENQUEUED",
        "owner_xid": None,
        "started_at_epoch_ms": None,
        "updated_at": now_ms,
        "recovery_attempts": case((kept != func.coalesce(known, 0), 0), else_=in_vain),
    }
    statement = update(theirs.status).where(chosen).values(back).returning(status.workflow_uuid)
    ids = list(connection.execute(statement).scalars())
    if ids:
        mark = select(func.count()).where(steps.workflow_uuid == runs.c.id).scalar_subquery()
        connection.execute(update(runs).where(runs.c.id.in_(ids)).values(kept_steps=mark))
    return len(ids)


_IN_QUEUE: Final = literal_column("status = 'ENQUEUED'", Boolean)
"""In the words of DBOS's partial index, which SQLite uses for no parameter."""


def is_waiting(connection: Connection, status: Table, queue: str) -> bool:
    """Whether a run waits in that queue now, for whichever process."""
    held = status.c
    statement = select(held.workflow_uuid).where(held.queue_name == queue, _IN_QUEUE).limit(1)
    return connection.execute(statement).first() is not None


def edition(name: str, version: int) -> str:
    """What a process must have to carry out a run of the workflow `name` that was queued for its `version`."""
    return f"{name}@{version}"


def among(status: Table, editions: Collection[str], suspect: int, *, of_suspects: bool) -> ColumnElement[str | None]:
    """A run's edition where it is one of these, and otherwise NULL, which equals nothing.

    Only of runs that were begun in vain `suspect` times, or less often.

    DBOS is given it for its version: it takes runs whose version equals this, and leaves them what they have.
    """
    own: ColumnElement[str] = status.c.application_version
    begun = func.coalesce(status.c.recovery_attempts, 0)
    return case((own.in_(sorted(editions)) & (begun >= suspect if of_suspects else begun < suspect), own))


def without_edition(connection: Connection, status: Table) -> list[str]:
    """Open runs that a release without editions queued or worked on."""
    held = status.c
    unnamed = held.status.in_(OPEN) & (held.application_version.is_(None) | ~held.application_version.contains("@"))
    statement = select(runs.c.id).join(status, held.workflow_uuid == runs.c.id)
    return list(connection.execute(statement.where(unnamed)).scalars())


def name_editions(connection: Connection, status: Table, ids: Collection[str]) -> None:
    """Give these runs the editions of their rows."""
    own = runs.c.workflow.concat("@").concat(cast(runs.c.version, Text))
    mine = select(own).where(runs.c.id == status.c.workflow_uuid).scalar_subquery()
    connection.execute(update(status).where(status.c.workflow_uuid.in_(ids)).values(application_version=mine))


def strays(connection: Connection, theirs: Theirs, editions: Collection[str]) -> dict[str, str]:
    """Runs that wait for another edition than these, and have done nothing yet: their workflows, by id."""
    held, done = theirs.status.c, theirs.steps.c
    has_begun = select(done.workflow_uuid).where(done.workflow_uuid == held.workflow_uuid).exists()
    statement = select(runs.c.id, runs.c.workflow).join(theirs.status, held.workflow_uuid == runs.c.id)
    statement = statement.where(held.status.in_(WAITING), held.application_version.not_in(sorted(editions)), ~has_begun)
    return {row[0]: row[1] for row in connection.execute(statement)}


def begun_among(connection: Connection, theirs: Theirs, ids: Collection[str]) -> set[str]:
    """Those of these runs that have done something."""
    done = theirs.steps.c.workflow_uuid
    return set(connection.execute(select(done).distinct().where(done.in_(ids))).scalars())


def adopt(connection: Connection, status: Table, ids: Collection[str], name: str, version: int) -> int:
    """Let these runs of the workflow `name`, which wait, be carried out as its `version`; how many."""
    waits = status.c.workflow_uuid.in_(ids) & status.c.status.in_(WAITING)
    adopted = connection.execute(update(status).where(waits).values(application_version=edition(name, version)))
    connection.execute(update(runs).where(runs.c.id.in_(ids)).values(version=version))
    return adopted.rowcount
