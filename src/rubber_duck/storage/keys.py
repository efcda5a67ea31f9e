"""Keys of rows: UUID version 7, made by us so that both databases have the same ones."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

_RANDOM_BITS: Final = 74
_STEP_BITS: Final = 32


class KeyMaker:
    """Makes UUIDs of version 7 (RFC 9562, section 5.7, monotonic random: section 6.2, method 2).

    Each key is greater than the one before it, also when the clock stands still or steps back. Safe for threads.
    `now_ms` gives milliseconds since 1970, `random_bits` as many random bits as it is asked for.
    """

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._lock = threading.Lock()
        self._last_ms = -1
        self._tail = 0

    def __call__(self) -> UUID:
        """The next key."""
        with self._lock:
            now_ms = self._now_ms()
            if now_ms > self._last_ms:
                self._begin(now_ms)
            else:
                self._tail += 1 + self._random_bits(_STEP_BITS)
                if self._tail >> _RANDOM_BITS:
                    self._begin(self._last_ms + 1)
            return _assemble(self._last_ms, self._tail)

    def _begin(self, moment_ms: int) -> None:
        self._last_ms = moment_ms
        # The highest bit stays free, so that counting up within the millisecond does not overflow at once.
        self._tail = self._random_bits(_RANDOM_BITS - 1)


def _assemble(moment_ms: int, tail: int) -> UUID:
    """48 bits of time, the version, the first 12 bits of the tail, the variant, the other 62 bits."""
    return UUID(int=(moment_ms << 80) | (7 << 76) | (tail >> 62 << 64) | (2 << 62) | (tail & ((1 << 62) - 1)))


_maker: Final = KeyMaker()


def new_key() -> UUID:
    """A new key, greater than every key this process made before."""
    return _maker()
