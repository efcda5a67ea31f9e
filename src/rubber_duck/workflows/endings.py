"""Tells that runs have ended, once their rows say so: whoever hears of it finds the answer there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, normalize
from rubber_duck.storage.database import Database
from rubber_duck.workflows.moves import Move
from rubber_duck.workflows.states import ENDED
from rubber_duck.workflows.status import status_of
from rubber_duck.workflows.store import runs
from rubber_duck.workflows.store.runs import Which
from rubber_duck.workflows.store.tables import Theirs

_LOOK_S: Final = 0.05
_LOOKS: Final = 100
"""So often it is looked; a run that has not ended then was put back, and whoever goes on with it tells its end."""


class Endings:
    """The runs that this process has no more to do with, and whose ends are to be told."""

    def __init__(
        self,
        database: Database,
        theirs: Theirs,
        told: Callable[[Move], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._theirs = theirs
        self._told = told
        self._sleep = sleep
        self._left: dict[str, int] = {}
        self._always: set[str] = set()
        self._some = asyncio.Event()

    def expect(self, run_ids: Iterable[str], *, stopped: bool = False) -> None:
        """That these may have ended, or will in moments. `stopped`: nobody who stopped them has told it."""
        for run_id in run_ids:
            self._left[run_id] = _LOOKS
            self._some.set()
            if stopped:
                self._always.add(run_id)

    async def keep(self) -> None:
        """Look and tell, until cancelled."""
        while True:
            await self._some.wait()
            await self.look()
            await self._sleep(_LOOK_S)

    async def look(self) -> None:
        """Tell what has ended by now."""
        try:
            await self._look()
        except DuckError as error:
            telemetry.emit("workflow.chore_failed", error=error.message)

    async def _look(self) -> None:
        if not self._left:
            return
        which = Which(list(self._left), limit=len(self._left))
        look = partial(runs.runs_of, scope=None, theirs=self._theirs, which=which)
        rows = await self._database.run(look, write=False)
        for row in rows:
            found = status_of(row)
            if found.state in ENDED:
                is_told_already = found.state == "cancelled" and row.stopped and row.id not in self._always
                if is_told_already or await self._is_told(row):
                    self._forget(row.id)
        for run_id in tuple(self._left):
            self._left[run_id] -= 1
            if not self._left[run_id]:
                self._forget(run_id)
        if not self._left:
            self._some.clear()

    async def _is_told(self, row: Any) -> bool:  # Any: as in _ended
        """Tell it; what could not be told is told at the next look."""
        try:
            await self._told(_ended(row))
        except Exception as error:  # noqa: BLE001  # the border: what one listener fails with ends no work
            telemetry.emit("workflow.chore_failed", error=normalize(error).message)
            return False
        return True

    def _forget(self, run_id: str) -> None:
        del self._left[run_id]
        self._always.discard(run_id)


def _ended(row: Any) -> Move:  # Any: a row of `store.runs_of`
    found = status_of(row)
    whose = (found.id, found.workflow, row.actor_id, row.project_id)
    return Move(*whose, found.state, done=found.done, total=found.total, error=found.error)
