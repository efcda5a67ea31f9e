"""Deletes what ended long ago: runs with their steps and answers, and results of steps that nobody will ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, normalize
from rubber_duck.storage.database import Database
from rubber_duck.workflows.library import Library
from rubber_duck.workflows.store import clearing
from rubber_duck.workflows.workflow import workflows

_FIRST_S: Final = 60.0
_EVERY_S: Final = 3600.0


class Clearing:
    """Sweeps now and then. Several processes may at once: what one deletes is not there for the others."""

    def __init__(
        self,
        database: Database,
        library: Library,
        keep_days: float,
        *,
        now: Callable[[], datetime],
        hands: object = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._library = library
        self._keep_days = keep_days
        self._now = now
        self._hands = hands
        self._sleep = sleep

    async def keep(self) -> None:
        """Sweep every hour until cancelled, for the first time after a minute; with 0 days nothing is ever deleted."""
        if not self._keep_days:
            return
        await self._sleep(_FIRST_S)
        while True:
            try:
                await self.sweep()
            except DuckError as error:
                telemetry.emit("workflow.chore_failed", error=error.message)
            await self._sleep(_EVERY_S)

    async def sweep(self) -> int:
        """Delete what ended more than `keep_days` ago, and what such runs left on this machine; how many runs."""
        moment, swept = self._now() - timedelta(days=self._keep_days), 0
        some = partial(clearing.clear_runs, theirs=self._library.tables, moment=moment)
        while count := await self._database.run(some):
            swept += count
        await self._database.run(partial(clearing.clear_step_results, moment=moment))
        if swept:
            telemetry.emit("workflow.cleared", runs=swept)
        for workflow in workflows.discover().values():
            try:
                await workflow.clear(self._hands, self._known, moment)
            except Exception as error:  # noqa: BLE001  # the border: one workflow's files are not in the way of others
                telemetry.emit("workflow.chore_failed", error=normalize(error).message)
        return swept

    async def _known(self, run_ids: Collection[str]) -> Collection[str]:
        return await self._database.run(partial(clearing.known, run_ids=run_ids), write=False)
