"""Time and chance, as the parts of llm are handed them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

_NOW: Final = partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`seconds` from any point, `random` in [0, 1), `sleep` for seconds, `now` as an aware moment."""

    seconds: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = _NOW
