"""What is deleted of runs that ended long ago."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Select, delete, func, select

from rubber_duck.workflows.store.tables import OPEN, PAUSED, STOPPED, Theirs, effects, runs, step_results, watches

_MOST: Final = 200


def clear_runs(connection: Connection, theirs: Theirs, moment: datetime) -> int:
    """Delete a few runs that ended before that moment, with all that belongs to them, here and at DBOS; how many.

    They are locked while they are looked at, so one that is let go on just then is either left or not found by that.
    What has a foreign key to DBOS's row, such as signals, goes with it.
    """
    ids = list(connection.execute(_ended(theirs, moment)).scalars())
    ours = ((runs, runs.c.id), (effects, effects.c.run_id), (watches, watches.c.run_id))
    of_dbos = ((each, each.c.workflow_uuid) for each in (theirs.input, theirs.output, theirs.steps, theirs.status))
    for table, column in (*ours, *of_dbos):
        connection.execute(delete(table).where(column.in_(ids)))
    return len(ids)


def known(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """Which of these runs are still kept."""
    found = set[str]()
    ids = list(run_ids)
    for first in range(0, len(ids), _MOST):
        some = runs.c.id.in_(ids[first : first + _MOST])
        found.update(connection.execute(select(runs.c.id).where(some)).scalars())
    return found


def clear_step_results(connection: Connection, moment: datetime) -> None:
    """Delete the results of steps that were kept, by what they read, before that moment."""
    connection.execute(delete(step_results).where(step_results.c.created_at < moment))


def _ended(theirs: Theirs, moment: datetime) -> Select[tuple[str]]:
    """Runs that ended before the moment; not those of a parent that is there still, nor those that are paused."""
    status, parent = theirs.status, theirs.status.alias()
    held, moment_ms = status.c, round(moment.timestamp() * 1000)
    has_parent = select(parent.c.workflow_uuid).where(parent.c.workflow_uuid == runs.c.parent).exists()
    is_paused = (held.status == STOPPED) & (func.coalesce(runs.c.stopped, "") == PAUSED)
    statement = select(held.workflow_uuid).select_from(status.outerjoin(runs, runs.c.id == held.workflow_uuid))
    statement = statement.where(held.status.not_in(OPEN), held.updated_at < moment_ms, ~has_parent, ~is_paused)
    return statement.limit(_MOST).with_for_update(of=status, skip_locked=True)
