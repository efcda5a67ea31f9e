"""Why a run does not get on: no process works, none that does has its workflow, or it waits for a person's signal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from rubber_duck.storage.database import Database
from rubber_duck.workflows.status import RunStatus
from rubber_duck.workflows.store import executors, holding, signals
from rubber_duck.workflows.store.tables import Theirs
from rubber_duck.workflows.whereabouts import is_gone

_LEFT: Final = "the process that worked on it has ended, and no other works: `duck work` goes on with it"


async def with_hindrances(database: Database, theirs: Theirs, found: Sequence[RunStatus]) -> list[RunStatus]:
    """The same runs; those that will not go on by themselves say what keeps them from it, and what to do.

    Others being first is no hindrance, nor that its process has ended while others live, which take it over.
    """
    found = await _with_signals(database, theirs, found)
    waiting = [each.id for each in found if each.state == "waiting"]
    working = [each.id for each in found if each.state == "working"]
    if not waiting and not working:
        return found
    living = [each for each in await database.run(executors.living, write=False) if not is_gone(each.place)]
    said: dict[str, str] = {}
    if waiting:
        editions = [each.editions for each in living]
        begun = await database.run(partial(holding.begun_among, theirs=theirs, ids=waiting), write=False)
        said = {
            each.id: hindrance(each, editions, has_begun=each.id in begun) for each in found if each.id in set(waiting)
        }
    if working and not living:
        said |= dict.fromkeys(working, _LEFT)
    return [replace(each, waits=said[each.id]) if each.id in said else each for each in found]


async def _with_signals(database: Database, theirs: Theirs, found: Sequence[RunStatus]) -> list[RunStatus]:
    working = [each.id for each in found if each.state == "working"]
    if not working:
        return list(found)
    asked = await database.run(partial(signals.waited_for, theirs=theirs, run_ids=working), write=False)
    return [replace(each, waits=_asked(each.id, asked[each.id])) if each.id in asked else each for each in found]


def _asked(run_id: str, signal: str) -> str:
    return f"it waits for {signal!r}: `duck workflow signal {run_id} {signal} VALUE`; VALUE is JSON, such as true"


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
