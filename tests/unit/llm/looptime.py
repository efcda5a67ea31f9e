"""The clock of the running event loop, put forward by tests: a minute passes at once, and none by itself matters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class LoopTime:
    """How much the loop's clock is ahead of the machine's."""

    ahead_s: float = 0.0

    def pass_by(self, seconds: float) -> None:
        """That so much time passes now; timers that are due then ring in the loop's next turn."""
        self.ahead_s += seconds


@contextmanager
def loop_time() -> Iterator[LoopTime]:
    """A hand on the clock of the running loop until the block ends."""
    loop, passed = asyncio.get_running_loop(), LoopTime()
    of_machine = loop.time
    loop.time = lambda: of_machine() + passed.ahead_s  # type: ignore[method-assign]  # it is a hand on the clock
    try:
        yield passed
    finally:
        loop.time = of_machine  # type: ignore[method-assign]  # as above
