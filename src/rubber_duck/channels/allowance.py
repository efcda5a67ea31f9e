"""A token bucket in memory for one socket or one topic: no other process is asked for each message."""

from __future__ import annotations

from collections.abc import Callable

from rubber_duck.cluster.cluster import Limit


class Bucket:
    """Takes a token for each message. `clock` gives seconds from any point."""

    __slots__ = ("_clock", "_limit", "_since", "_tokens")

    def __init__(self, limit: Limit, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._tokens = limit.burst
        self._since = clock()

    def take(self) -> float:
        """0.0 when a token was there, else the seconds until one is."""
        now = self._clock()
        self._tokens = min(self._limit.burst, self._tokens + (now - self._since) * self._limit.rate)
        self._since = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._limit.rate
        self._tokens -= 1.0
        return 0.0
