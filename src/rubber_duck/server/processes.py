"""One server in several processes on one port: this one does not listen, starts the others and keeps them running."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import random as random_number
from typing import Final

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.cluster.cluster import LOCAL
from rubber_duck.errors import DuckError, InvalidSettings, Unavailable
from rubber_duck.server.port import bound
from rubber_duck.server.running import STOP_S, Place
from rubber_duck.settings import Settings
from rubber_duck.storage.location import Location
from rubber_duck.workspace.programs import companion

READY: Final = "ready"
"""The line by which a process says that it serves, after whatever else it has to say."""

_PATIENCE_S: Final = STOP_S + 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: within which a process begins to serve, and for which it lasts if it is steady; delays before others."""

    start_s: float = 120.0
    steady_s: float = 60.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=0.2, cap_s=10.0))


def check_shared(settings: Settings) -> None:
    """Raises InvalidSettings unless the database and the cluster can be shared by several processes."""
    needed = []
    if Location.parse(settings.database.url).path is not None:
        needed.append("database.url = 'postgresql://…'")
    if settings.cluster.url == LOCAL:
        needed.append("cluster.url = 'redis://…'")
    if needed:
        raise InvalidSettings(
            f"several processes share what they know in PostgreSQL and Redis: set {' and '.join(needed)}"
        )


class Processes:
    """`count` processes of one server, each started by the command for its number. The first's words go to `tell`."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        count: int,
        tell: Callable[[str], None],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._command = command
        self._count = count
        self._tell = tell
        self._patience = patience or Patience()

    async def keep(self, place: Place) -> None:
        """Keep them running until SIGINT or SIGTERM, and end them within five seconds.

        Raises Unavailable for a port that is taken, or when one of them does not begin.
        """
        bound(place.host, place.port, shared=False).close()  # so that somebody else's port is not shared by mistake
        with bound(place.host, place.port, shared=True), _told_to_end() as ended:
            try:
                await self._keep_all(ended)
            except ExceptionGroup as group:
                known = [each for each in group.exceptions if isinstance(each, DuckError)]
                if len(known) < len(group.exceptions):
                    raise
                raise known[0] from None

    async def _keep_all(self, ended: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._keep_one(number), name=f"process {number}")
                for number in range(1, self._count + 1)
            ]
            await ended.wait()
            for task in tasks:
                task.cancel()

    async def _keep_one(self, number: int) -> None:
        attempt, has_served = 0, False
        while True:
            began = asyncio.get_running_loop().time()
            async with companion(self._command(number), patience_s=_PATIENCE_S) as process:
                is_ready = await self._begun(process.line, tell=number == 1 and not has_served)
                if not is_ready and not has_served:
                    raise Unavailable("a process of the server did not begin to serve; what it said stands above")
                has_served = has_served or is_ready
                status = await process.wait() if is_ready else None  # one that hangs is ended, and another begins
            lasted_s = asyncio.get_running_loop().time() - began
            attempt = 0 if lasted_s > self._patience.steady_s else attempt + 1
            telemetry.emit("server.process_ended", process=process.pid, status=status, lasted_s=round(lasted_s, 1))
            await asyncio.sleep(self._patience.backoff.delay_s(attempt, random_number))

    async def _begun(self, line: Callable[[], Awaitable[str | None]], *, tell: bool) -> bool:
        """Whether it says that it serves."""
        try:
            async with asyncio.timeout(self._patience.start_s):
                while (said := await line()) is not None:
                    if said == READY:
                        return True
                    if tell:
                        self._tell(said)
        except TimeoutError:
            return False
        return False


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """Set when this process is asked to end."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        yield ended
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
