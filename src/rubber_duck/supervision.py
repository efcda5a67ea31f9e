"""The crash boundary: runs background parts, reports a crash and starts the part again; closes parts in order."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import random as random_number
from types import TracebackType

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.errors import Conflict, normalize

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PartHealth:
    """How one background part does: whether it runs, how often it crashed, and what it said last."""

    running: bool
    crashes: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Restarts:
    """When a part that crashed is started again: after `backoff`'s delay, `in_a_row` times.

    A run of at least `steady_s` seconds before a crash forgives all crashes before it.
    """

    backoff: Backoff = field(default_factory=Backoff)
    in_a_row: int = 10
    steady_s: float = 60.0


class Supervisor:
    """Owns the tasks of background parts until `close`.

    A part that raises is started again as `restarts` say, then abandoned, which `health` shows. A part that returns
    is finished. `clock` gives seconds from any point, `random` floats in [0, 1).
    """

    def __init__(
        self,
        restarts: Restarts | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_number,
    ) -> None:
        self._restarts = restarts or Restarts()
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._health: dict[str, PartHealth] = {}

    def start(self, name: str, work: Work) -> None:
        """Run `work` in the background; Conflict if a part of that name runs already."""
        held = self._tasks.get(name)
        if held is not None and not held.done():
            raise Conflict(f"a background part called {name!r} runs already")
        self._health[name] = PartHealth(running=True, crashes=0, error=None)
        self._tasks[name] = asyncio.create_task(self._keep_running(name, work), name=name)

    def health(self) -> dict[str, PartHealth]:
        """The state of each part ever started here, by name."""
        return dict(self._health)

    async def close(self) -> None:
        """Cancel every part and wait until it has ended."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for name in self._tasks:
            self._health[name] = replace(self._health[name], running=False)
        self._tasks.clear()

    async def _keep_running(self, name: str, work: Work) -> None:
        crashes = 0
        while True:
            started = self._clock()
            crash = await _crash_of(work)
            if crash is None:
                self._health[name] = PartHealth(running=False, crashes=crashes, error=None)
                return
            error, where = normalize(crash).message, "".join(traceback.format_exception(crash))
            crashes = 1 if self._clock() - started >= self._restarts.steady_s else crashes + 1
            self._health[name] = PartHealth(running=False, crashes=crashes, error=error)
            if _is_cancelled():
                return  # it failed at being closed, and is not to come back
            if crashes > self._restarts.in_a_row:
                telemetry.emit("part.abandoned", part=name, error=error, traceback=where, crashes=crashes)
                return
            delay_s = self._restarts.backoff.delay_s(crashes - 1, self._random)
            telemetry.emit("part.crashed", part=name, error=error, traceback=where, crashes=crashes, delay_s=delay_s)
            await self._sleep(delay_s)
            self._health[name] = PartHealth(running=True, crashes=crashes, error=error)


async def _crash_of(work: Work) -> BaseException | None:
    """What `work` crashed with; None when it returned."""
    try:
        await work()
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        return error  # something it waited for was cancelled, not the part
    except Exception as error:  # noqa: BLE001  # the boundary: everything that crashes ends here
        return error
    return None


def _is_cancelled() -> bool:
    """Whether somebody asked this very task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Closing(AbstractAsyncContextManager[object]):
    """A part whose failure to close is told, and raised only if nothing else went wrong before it."""

    def __init__(self, part: str, context: AbstractAsyncContextManager[object]) -> None:
        self._part = part
        self._context = context

    async def __aenter__(self) -> object:
        return await self._context.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            return await self._context.__aexit__(kind, error, trace)
        except Exception as failed:  # noqa: BLE001  # the border, as in _open_parts
            if failed is error:
                return False
            known = normalize(failed)
            telemetry.emit("app.close_failed", part=self._part, error=known.message)
            if error is None:
                raise known  # noqa: B904  # normalize set the cause
            return False


@asynccontextmanager
async def closed_by(close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Nothing but the promise to call `close` at the end."""
    try:
        yield
    finally:
        await close()
