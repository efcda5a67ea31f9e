"""How much more than it can take a call is charged with, where a provider counts more tokens than there can be."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rubber_duck.llm.prices import EXACT, NOTHING

_FIRST_S: Final = 3.0
"""So long the calls of a model wait for its first, which shows how its provider counts."""

_AGAIN: Final = Decimal("1.5")


@dataclass(frozen=True, slots=True)
class Extra:
    """What a call took beyond the most that it could."""

    usd: Decimal = NOTHING
    tokens: int = 0


class Stretch:
    """What each model's provider was seen to count beyond what there can be; mostly nothing.

    A provider that counts more once may do so again: half as much again as the worst that was seen is kept in mind.
    """

    def __init__(self) -> None:
        self._known: dict[str, Extra] = {}
        self._first: dict[str, asyncio.Event] = {}

    async def of(self, model: str) -> Extra:
        """What to add for a call of `model`. Whoever asks first is let through, and tells by `learn`; others wait."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_S):
                while model not in self._known:
                    first = self._first.get(model)
                    if first is None:
                        self._first[model] = asyncio.Event()
                        return Extra()
                    await first.wait()
        return self._known.get(model, Extra())

    def learn(self, model: str, seen: Extra | None) -> None:
        """What a call took beyond its most, less than nothing as a rule; None: it showed nothing."""
        if seen is not None:
            known = self._known.get(model, Extra())
            usd = EXACT.multiply(max(NOTHING, seen.usd), _AGAIN)
            tokens = max(0, seen.tokens) * 3 // 2
            self._known[model] = Extra(max(known.usd, usd), max(known.tokens, tokens))
        first = self._first.pop(model, None)
        if first is not None:
            first.set()
