"""What a strategy is: one way of gathering what a model is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from rubber_duck.context.snippet import Snippet
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.registry import Registry


class Strategy(ABC):
    """Gathers snippets for one kind of ask. The docstring's first sentence is its help."""

    name: ClassVar[str]

    @abstractmethod
    def suits(self, ask: Ask, sources: Sources) -> float:
        """How well it suits the ask, 0 (not at all) to 1; the one that suits best is taken."""

    @abstractmethod
    async def gather(self, ask: Ask, sources: Sources) -> list[Snippet]:
        """What may help, in any order; what is told of it, the budget decides."""


strategies: Final = Registry[Strategy](
    "strategy", package="rubber_duck.context.strategies", group="rubber_duck.strategies"
)
"""Every strategy. Add one with `@strategies.add`."""
