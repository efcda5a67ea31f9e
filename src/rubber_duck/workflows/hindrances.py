"""Why a run that could begin does not: no process works, or none that does has its workflow, or that version of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from rubber_duck.storage.database import Database
from rubber_duck.workflows.status import RunStatus
from rubber_duck.workflows.store import executors, holding
from rubber_duck.workflows.store.tables import Theirs
from rubber_duck.workflows.whereabouts import is_gone


async def with_hindrances(database: Database, theirs: Theirs, found: Sequence[RunStatus]) -> list[RunStatus]:
    """The same runs; those that wait say what keeps them from beginning, if it is more than that others are first."""
    waiting = [each.id for each in found if each.state == "waiting"]
    if not waiting:
        return list(found)
    living = await database.run(executors.living, write=False)
    editions = [each.editions for each in living if not is_gone(each.place)]
    begun = await database.run(partial(holding.begun_among, theirs=theirs, ids=waiting), write=False)
    return [
        replace(each, waits=hindrance(each, editions, has_begun=each.id in begun)) if each.id in waiting else each
        for each in found
    ]


def hindrance(run: RunStatus, living: Collection[Collection[str]], *, has_begun: bool) -> str:
    """What keeps a run that waits from beginning, and what to do; "" for nothing that has to be done.

    `living` are the editions that each process which works has.
    """
    if not living:
        return "no process works through the queues: `duck work` does, and so does `duck serve`"
    editions = {edition for each in living for edition in each}
    if holding.edition(run.workflow, run.version) in editions:
        return ""
    if has_begun:
        return (
            f"it has done steps of version {run.version} of {run.workflow!r}, which no process that works has: let "
            f"`duck work` of the release that had it end it, or cancel it and start it anew"
        )
    if any(edition.rpartition("@")[0] == run.workflow for edition in editions):
        return ""  # one of another version goes on with it in a moment
    return (
        f"no process that works has the workflow {run.workflow!r}: install the package that brings it where "
        f"`duck work` or `duck serve` runs"
    )
