"""Fill in the middle: what stands before and after the cursor, and the definitions of the names there."""

from __future__ import annotations

from typing import ClassVar

from rubber_duck.context.snippet import Snippet
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.strategy import Strategy, strategies
from rubber_duck.context.surroundings import surroundings
from rubber_duck.errors import InvalidInput


@strategies.add
class FillInTheMiddle(Strategy):
    """Tell the text around a place, and the definitions of what is named near it."""

    name: ClassVar[str] = "fim"

    def suits(self, ask: Ask, sources: Sources) -> float:
        """Best for a place without a question."""
        if not sources.lines(ask.path) or not ask.line:
            return 0.0
        return 0.3 if ask.query else 0.8

    async def gather(self, ask: Ask, sources: Sources) -> list[Snippet]:
        """The surroundings of the place; raises InvalidInput without one."""
        if not ask.line:
            raise InvalidInput("the strategy 'fim' is for a place in a file: say FILE:LINE")
        return surroundings(ask, sources)
