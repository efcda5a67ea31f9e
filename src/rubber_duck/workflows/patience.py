"""Waiting for a database that is away: a restart of it, or a full disk, fails no run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rubber_duck.backoff import Backoff
from rubber_duck.errors import StorageUnavailable

T = TypeVar("T")

AWAY_S: Final = 900.0
"""So long the database may be away until a run fails of it."""

_BACKOFF: Final = Backoff(first_s=0.5, cap_s=5.0)


async def patiently(
    work: Callable[[], Awaitable[T]],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> T:
    """What `work` comes to, asked again while the database is away; what is asked more than once must bear it.

    Raises StorageUnavailable after `AWAY_S` seconds of `clock`.
    """
    began = clock()
    for delay_s in _BACKOFF.delays_s(chance):
        try:
            return await work()
        except StorageUnavailable:
            if clock() - began > AWAY_S:
                raise
        await sleep(0.1 + delay_s)
    raise AssertionError("delays are endless")
