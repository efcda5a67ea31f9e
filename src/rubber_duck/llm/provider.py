"""What a provider of models is: streams answers, fills gaps, and turns texts into vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import ClassVar, Final

from rubber_duck.llm.messages import Embeddings, Gap, Piece, Prompt
from rubber_duck.registry import Registry


class Provider(ABC):
    """A way to models. Wrappers (retries, limits, fallbacks) are providers too, so they compose.

    `model` is the provider's own name for one. A stream is consumed inside `async with aclosing(...)`: closing it
    early, or cancelling the task, ends the request; no more is read from the network.

    Raises UnknownName for a model it does not have, Unavailable (or what derives from it) when the endpoint does not
    answer, LimitExceeded for a prompt that is too long.
    """

    name: ClassVar[str]

    @abstractmethod
    def stream(self, model: str, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The answer to `prompt` piece by piece; the last piece is Finished."""

    @abstractmethod
    def fill(self, model: str, gap: Gap) -> AsyncGenerator[Piece, None]:
        """The text of `gap` piece by piece, without prefix and suffix; the last piece is Finished."""

    @abstractmethod
    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """A vector for each of `texts`."""


providers: Final = Registry[Provider]("provider", package="rubber_duck.llm.providers", group="rubber_duck.providers")
"""Every provider. Add one with `@providers.add`."""
