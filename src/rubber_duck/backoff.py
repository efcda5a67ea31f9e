"""How long to wait before the next try: exponential, capped, with full jitter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays of `random() · min(cap_s, first_s · factor^n)` seconds ("full jitter", AWS Architecture Blog 2015)."""

    first_s: float = 0.1
    factor: float = 2.0
    cap_s: float = 30.0

    def delay_s(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before try number `attempt` (0 is the first retry); `random` gives a float in [0, 1)."""
        try:
            ceiling = min(self.cap_s, self.first_s * self.factor**attempt)
        except OverflowError:
            ceiling = self.cap_s
        return ceiling * random()

    def delays_s(self, random: Callable[[], float]) -> Iterator[float]:
        """The endless sequence of delays."""
        attempt = 0
        while True:
            yield self.delay_s(attempt, random)
            attempt += 1
