"""The runs that this process works on: one that was stopped, or taken over by another process, ends within moments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from rubber_duck import telemetry
from rubber_duck.errors import DuckError
from rubber_duck.storage.database import Database
from rubber_duck.workflows.store import holding
from rubber_duck.workflows.store.executors import Executor
from rubber_duck.workflows.store.tables import Theirs

T = TypeVar("T")

_LOOK_S: Final = 0.25
_AWAY_S: Final = 2.0
_END_S: Final = 10.0
"""So long a step that was interrupted may take to clear up when this process ends."""


@dataclass(slots=True)
class _Hold:
    run: str
    owner: str
    is_told: bool = False


class Holdings:
    """What one process works on.

    DBOS looks after a step that runs, and there only for a cancel: a run that waits for a signal, a moment or another
    run would keep its place until what it waits for comes, however long ago it was stopped, or went on elsewhere.
    """

    def __init__(
        self,
        database: Database,
        theirs: Theirs,
        executor: Executor,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._theirs = theirs
        self._executor = executor
        self._sleep = sleep
        self._held: dict[asyncio.Task[Any], _Hold] = {}  # Any: what runs come to
        self._some = asyncio.Event()
        self._is_over = False

    async def held(self, run_id: str, owner: str, work: Coroutine[Any, Any, T]) -> T:
        """What `work` comes to, as long as the run is this `owner`'s: DBOS has another for each time it is begun.

        Raises CancelledError when it is so no longer; then nothing that comes after is kept.
        """
        if self._is_over:
            work.close()
            raise asyncio.CancelledError
        task = asyncio.create_task(work, name=f"run {run_id}")
        self._held[task] = _Hold(run_id, owner)
        self._some.set()
        try:
            return await task
        finally:
            del self._held[task]

    async def keep(self) -> None:
        """Look after what is held, until cancelled."""
        while True:
            await self._some.wait()
            await self._sleep(_LOOK_S)
            try:
                await self._look()
            except DuckError as error:
                telemetry.emit("workflow.database_away", executor=self._executor.id, error=error.message)
                await self._sleep(_AWAY_S)

    async def let_go(self) -> None:
        """Interrupt all that is held, and take nothing more: this process works no longer."""
        self._is_over = True
        for task in tuple(self._held):
            task.cancel()
        if self._held:
            await asyncio.wait(tuple(self._held), timeout=_END_S)

    async def _look(self) -> None:
        looked = dict(self._held)  # before it is asked: what begins meanwhile is not among the answers
        if not looked:
            self._some.clear()
            return
        ids = [hold.run for hold in looked.values()]
        owners = await self._database.run(partial(holding.owners, status=self._theirs.status, ids=ids), write=False)
        for task, hold in looked.items():
            if owners.get(hold.run) != hold.owner and not hold.is_told:
                hold.is_told = True
                task.cancel()
