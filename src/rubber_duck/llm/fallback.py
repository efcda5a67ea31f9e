"""Asks the next model of a chain when one does not begin to answer; never after the first piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, LimitExceeded, NotConfigured, NotOffered, TimedOut, Unavailable
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Embeddings, Piece, Question
from rubber_duck.llm.provider import Provider
from rubber_duck.llm.wrapper import Wrapper, asked

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for a place at the provider, and gives it back after the block."""


@dataclass(frozen=True, slots=True)
class Link:
    """One model of a chain: the connected provider's name, the model's, the way to it, and whose turn it is there."""

    provider: str
    model: str
    way: Provider
    turn: Turn = nullcontext

    @property
    def label(self) -> str:
        """As people write it."""
        return f"{self.provider}/{self.model}"


OnChoice = Callable[[Link], None]


class Fallback(Wrapper):
    """A chain of models as one provider; the `model` it is asked for does not count, the chain does.

    `on_choice` is told of each link before it is asked, so the last it was told of is the one that answers.
    """

    def __init__(self, links: Sequence[Link], on_choice: OnChoice) -> None:
        if not links:
            raise NotConfigured("no model is connected for this; `duck llm connect` and `duck llm use` do that")
        self._links = links
        self._on_choice = on_choice

    async def answer(self, model: str, question: Question, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The answer of the first link that begins one; none is asked after the deadline. Raises what the last said."""
        for link, following in zip(self._links, (*self._links[1:], None), strict=True):
            has_begun = False
            self._on_choice(link)
            try:
                async with link.turn(), aclosing(asked(link.way, link.model, question, errand)) as pieces:
                    async for piece in pieces:
                        has_begun = True
                        yield piece
            except DuckError as error:
                if has_begun or following is None or not _passes_on(error):
                    raise
                await errand.again(error)
                _tell(link, following, error)
            else:
                return

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """The vectors of the first link alone: those of another model could not be compared with them."""
        link = self._links[0]
        self._on_choice(link)
        async with link.turn():
            return await link.way.embed(link.model, texts, errand)


def _passes_on(error: DuckError) -> bool:
    """Whether another model may do better: not when the question itself is wrong."""
    return isinstance(error, (Unavailable, LimitExceeded, TimedOut, NotOffered))


def _tell(link: Link, following: Link, error: DuckError) -> None:
    telemetry.emit("llm.fell_back", model=link.label, to=following.label, error=error.message)
