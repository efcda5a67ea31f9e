"""Asks connected providers whether they answer: for whoever wants to know now, and for pages that are read often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import DuckError, TimedOut
from rubber_duck.llm.breaker import State
from rubber_duck.llm.connections import Connection
from rubber_duck.llm.ways import Ways

PROBE_TIMEOUT_S: Final = 10.0
KEPT_S: Final = 30.0
"""For so long a health page is told the same: providers count requests."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connected provider stands: its breaker, what it said last, and, if it was asked, whether it answered."""

    connection: Connection
    breaker: State
    error: str = ""
    is_well: bool | None = None
    answered_ms: int = 0


class Probes:
    """Probes of the providers that are connected. A probe asks for the list of models, which costs nothing."""

    def __init__(self, ways: Ways, clock: Callable[[], float]) -> None:
        """`clock` gives seconds from any point."""
        self._ways = ways
        self._clock = clock
        self._asking = asyncio.Lock()
        self._kept: tuple[float, list[Standing]] | None = None

    async def standing(self, *, probe: bool, timeout_s: float = PROBE_TIMEOUT_S) -> list[Standing]:
        """How each provider stands; with `probe` the enabled ones are asked, at the same time."""
        found = self._ways.connections().providers
        asked = (self._stand(each, timeout_s if probe else 0.0) for each in found.values())
        return list(await asyncio.gather(*asked))

    async def lately(self, timeout_s: float) -> list[Standing]:
        """How the enabled providers stand: asked now, or within the last KEPT_S seconds."""
        async with self._asking:
            names = {each.name for each in self._ways.connections().providers.values() if each.is_enabled}
            if self._kept is None or self._clock() > self._kept[0] + KEPT_S or names != _names(self._kept[1]):
                found = await self.standing(probe=True, timeout_s=timeout_s)
                self._kept = (self._clock(), [each for each in found if each.connection.is_enabled])
            return self._kept[1]

    async def models(self, name: str, timeout_s: float = PROBE_TIMEOUT_S) -> tuple[str, ...]:
        """The models that a connected provider says it has."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ways.to(self._ways.connections().named(name)).provider.models()
        except TimeoutError as error:
            raise TimedOut(f"no answer came within {timeout_s:g} s") from error

    async def _stand(self, connection: Connection, timeout_s: float) -> Standing:
        held = self._ways.held(connection.name)
        state, error = (held.provider.state, held.provider.last_error) if held else (State.CLOSED, "")
        if not timeout_s or not connection.is_enabled:
            return Standing(connection, state, error)
        started = self._clock()
        try:
            await self.models(connection.name, timeout_s)
        except DuckError as failed:
            return Standing(connection, state, failed.message, is_well=False)
        return Standing(connection, state, error, is_well=True, answered_ms=round((self._clock() - started) * 1000))


def _names(found: list[Standing]) -> set[str]:
    return {each.connection.name for each in found}
