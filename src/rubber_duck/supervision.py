"""The crash boundary: runs background parts, reports a crash, and starts the part again after a growing delay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import random as random_number

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


class Supervisor:
    """Owns the tasks of background parts until `close`.

    A part that raises is started again after `backoff`'s delay; after `crashes_allowed` crashes in a row it is
    abandoned, which `health` shows. A part that stayed up for `steady_s` seconds has its count forgiven. A part
    that returns is finished.
    """

    def __init__(
        self,
        *,
        backoff: Backoff | None = None,
        crashes_allowed: int = 10,
        steady_s: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_number,
    ) -> None:
        self._backoff = backoff or Backoff()
        self._crashes_allowed = crashes_allowed
        self._steady_s = steady_s
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
        self._tasks.clear()

    async def _keep_running(self, name: str, work: Work) -> None:
        loop = asyncio.get_running_loop()
        crashes = 0
        while True:
            started = loop.time()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # the boundary: everything that crashes ends here
                crashes = 1 if loop.time() - started >= self._steady_s else crashes + 1
                message = normalize(error).message
                if crashes > self._crashes_allowed:
                    self._health[name] = PartHealth(running=False, crashes=crashes, error=message)
                    telemetry.emit("part.abandoned", part=name, error=message, crashes=crashes)
                    return
                delay_s = self._backoff.delay_s(crashes - 1, self._random)
                self._health[name] = PartHealth(running=False, crashes=crashes, error=message)
                telemetry.emit("part.crashed", part=name, error=message, crashes=crashes, delay_s=delay_s)
                await self._sleep(delay_s)
                self._health[name] = PartHealth(running=True, crashes=crashes, error=message)
            else:
                self._health[name] = PartHealth(running=False, crashes=crashes, error=None)
                return
