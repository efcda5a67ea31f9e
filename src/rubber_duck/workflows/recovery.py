"""Signs of life, and the reaper: what a dead process was working on is put back, and a process taken for dead stops."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from rubber_duck import fault, telemetry
from rubber_duck.errors import DuckError, StruckOff
from rubber_duck.settings.tree import WorkflowSettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.workflows.library import Library
from rubber_duck.workflows.store import executors, holding, stopping
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.store.holding import Held
from rubber_duck.workflows.whereabouts import is_gone

_IDLE_S: Final = 5.0
"""A run that was taken begins well within this; so long it may seem that nobody works on it."""


class Recovery:
    """Beats for this process and watches the others.

    Nobody's clock is compared with another's: a process counts its beats, and is dead when that number has stood
    still for `dead_after_s` by the watcher's own clock, or at once when it lived on this machine and is gone. `clock`
    gives seconds from any point, `now` the moment.
    """

    def __init__(
        self,
        database: Database,
        library: Library,
        settings: WorkflowSettings,
        executor: Executor,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._library = library
        self._settings = settings
        self._executor = executor
        self._clock = clock
        self._now = now
        self.orphaned: Callable[[Sequence[str]], None] = _ignore
        self._seen: dict[str, tuple[int, float]] = {}
        self._idle: dict[str, float] = {}
        self._strays: dict[str, float] = {}
        self._looked = -math.inf
        self._excused: set[str] = set()

    async def register(self) -> None:
        """Say that this process begins to work; before it takes anything."""
        await self._database.run(partial(executors.add_executor, executor=self._executor, now=self._now()))

    async def keep_beating(self) -> None:
        """Beat until cancelled; raises StruckOff when others took this process for dead meanwhile.

        It waits for nothing that the reaper waits for, such as rows that a frozen process holds.
        """
        await self._again_and_again(self._beat)

    async def keep_reaping(self) -> None:
        """Reap until cancelled."""
        await self._again_and_again(self.reap)

    async def _again_and_again(self, work: Callable[[], Awaitable[object]]) -> None:
        """Also when the database is away, or refuses once: whoever is silent for long is fenced."""
        while True:
            try:
                await work()
            except StruckOff:
                raise
            except DuckError as error:
                telemetry.emit("workflow.database_away", executor=self._executor.id, error=error.message)
            await asyncio.sleep(self._settings.heartbeat_s)

    async def _beat(self) -> None:
        if not await self._database.run(partial(executors.beat, executor_id=self._executor.id), urgent=True):
            telemetry.emit("workflow.fenced", executor=self._executor.id)
            raise StruckOff("this process was silent for so long that others took its work over; it begins anew")

    async def reap(self) -> int:
        """Strike off processes that are silent, and put back what nobody living works on; how many runs."""
        await self._strike_off()
        status = self._library.tables.status
        lost = await self._database.run(partial(executors.holders_lost, status=status), write=False)
        recovered = await self._put_back_abandoned()
        if lost:
            fault.point("workflow.before_recovery")
            recovered += await self._put_back(Held(lost))
        if self._clock() - self._looked >= self._settings.dead_after_s:
            await self._look_at_all_that_waits()
            self._looked = self._clock()
        await self._stop_orphans()
        if recovered:
            telemetry.emit("workflow.recovered", runs=recovered, executors=len(lost))
        return recovered

    def excuse(self, run_id: str) -> None:
        """Say that this process will not go on with a run for a reason that lies outside of it: the database."""
        self._excused.add(run_id)

    async def leave(self) -> None:
        """Say that this process ends, and put what it leaves behind back: that it was begun here does not count."""
        await self._database.run(self._left)

    def _left(self, connection: Connection) -> None:
        mine = Held([self._executor.id])
        holding.put_back(connection, self._library.tables, mine, self._now_ms(), is_in_vain=False)
        executors.remove_executor(connection, self._executor.id)

    async def _strike_off(self) -> None:
        clock = self._clock()
        for executor in await self._database.run(executors.living, write=False):
            if executor.id == self._executor.id:
                continue
            beats, _ = self._seen.get(executor.id, (-1, clock))
            if executor.beats != beats:
                self._seen[executor.id] = (executor.beats, clock)
            if is_gone(executor.place) or clock - self._seen[executor.id][1] >= self._settings.dead_after_s:
                if await self._database.run(partial(executors.strike_off, executor=executor)):
                    telemetry.emit("workflow.process_lost", executor=executor.id)
                self._seen.pop(executor.id, None)

    async def _put_back_abandoned(self) -> int:
        """Put back what this process took and does not work on: the database failed it at a checkpoint."""
        status = self._library.tables.status
        held = await self._database.run(
            partial(executors.held_by, status=status, executor_id=self._executor.id), write=False
        )
        clock, idle = self._clock(), set(held) - self._library.active()
        self._excused &= set(held)
        excused = idle & self._excused
        self._idle = {run: self._idle.get(run, clock) for run in idle - excused}
        late = [run for run, since in self._idle.items() if clock - since >= _IDLE_S]
        back = await self._put_back(Held([self._executor.id], excused), is_in_vain=False) if excused else 0
        self._excused -= excused
        return back + (await self._put_back(Held([self._executor.id], late)) if late else 0)

    async def _put_back(self, held: Held, *, is_in_vain: bool = True) -> int:
        back = partial(holding.put_back, theirs=self._library.tables, held=held, now_ms=self._now_ms())
        return await self._database.run(partial(back, is_in_vain=is_in_vain))

    async def _stop_orphans(self) -> None:
        """Stop what runs started that took too long, or were cancelled at the moment in which they started it."""
        theirs = self._library.tables
        while orphans := await self._database.run(partial(stopping.orphans, theirs=theirs), write=False):
            stop = partial(stopping.stop_each, theirs=theirs, ids=orphans, why=stopping.CANCELLED)
            await self._database.run(partial(stop, now_ms=self._now_ms()))
            self.orphaned(orphans)
            telemetry.emit("workflow.orphans_stopped", runs=len(orphans))

    def _now_ms(self) -> int:
        return round(self._now().timestamp() * 1000)

    async def _look_at_all_that_waits(self) -> None:
        """Seldom, since it may be very many; and what is not there is not written."""
        status = self._library.tables.status
        if await self._database.run(partial(executors.is_pickled, status=status), write=False):
            await self._database.run(partial(executors.refuse_pickled, status=status))
        await self._adopt()

    async def _adopt(self) -> None:
        """Carry out, as they are here, runs that did nothing yet and for whose edition there has long been nobody."""
        theirs = self._library.tables
        if old := await self._database.run(partial(holding.without_edition, status=theirs.status), write=False):
            await self._database.run(partial(holding.name_editions, status=theirs.status, ids=old))
        living = await self._database.run(executors.living, write=False)
        known = self._executor.editions.union(*(each.editions for each in living))
        strays = await self._database.run(partial(holding.strays, theirs=theirs, editions=known), write=False)
        clock = self._clock()
        self._strays = {run: self._strays.get(run, clock) for run in strays}
        late = [run for run, since in self._strays.items() if clock - since >= self._settings.dead_after_s]
        for name, version in map(_parts, sorted(self._executor.editions)):
            if ids := [run for run in late if strays[run] == name]:
                await self._database.run(
                    partial(holding.adopt, status=theirs.status, ids=ids, name=name, version=version)
                )
                telemetry.emit("workflow.adopted", workflow=name, version=version, runs=len(ids))


def _ignore(_: Sequence[str]) -> None:
    """Nobody hears of it."""


def _parts(edition: str) -> tuple[str, int]:
    name, _, version = edition.rpartition("@")
    return name, int(version)
