"""Which of the sign-ins that failed are written into the audit: enough to see who is guessed at, and never a flood."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

_WINDOW: Final = timedelta(minutes=10)
_HOUR: Final = timedelta(hours=1)
PER_HOUR: Final = 120
_MOST_KEYS: Final = 10_000


class Refusals:
    """Counts what failed on this node. `clock` gives aware moments.

    Of each name and network the first of ten minutes is written, and then the tenth, the hundredth and so on; of all
    together at most `PER_HOUR` an hour, and how many were left out is said with the next.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], tuple[int, datetime]] = OrderedDict()
        self._written = 0
        self._left_out = 0
        self._hour = clock()

    def count(self, name: str, network: str) -> tuple[int, int] | None:
        """How often it failed, and how many entries were left out before, if this one is to be written."""
        now, key = self._clock(), (name, network)
        times, since = self._counts.pop(key, (0, now))
        if now - since > _WINDOW:
            times, since = 0, now
        times += 1
        self._counts[key] = (times, since)
        if len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
        if str(times).strip("0") != "1":
            return None
        if now - self._hour > _HOUR:
            self._hour, self._written = now, 0
        if self._written >= PER_HOUR:
            self._left_out += 1
            return None
        self._written += 1
        left_out, self._left_out = self._left_out, 0
        return times, left_out
