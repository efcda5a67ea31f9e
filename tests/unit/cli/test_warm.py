"""What many commands share is opened anew when it can answer no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.pieces import Result
from rubber_duck.cli.warm import Ask, Piece, Warm


class Opening(Warm):
    """Counts how often it was opened; the numbers in `dead` are over."""

    def __init__(self) -> None:
        super().__init__(Invocation(), asyncio.get_running_loop(), lambda _: None)
        self.opened = 0
        self.dead: set[int] = set()

    async def _opened(self) -> Ask:
        self.opened += 1
        number = self.opened
        self._is_over = lambda: number in self.dead

        async def ask(name: str, request: dict[str, Any]) -> AsyncGenerator[Piece, None]:  # Any: JSON
            yield Result({"opened": number})

        return ask


async def test_what_is_over_is_opened_again_and_nothing_else() -> None:
    warm = Opening()

    async def answers() -> list[Piece]:
        return [piece async for piece in warm.run("engines", {})]

    assert [await answers() for _ in range(2)] == [[Result({"opened": 1})]] * 2
    warm.dead.add(1)
    assert [await answers() for _ in range(2)] == [[Result({"opened": 2})]] * 2
    await warm.close()
    assert await answers() == [Result({"opened": 3})]
