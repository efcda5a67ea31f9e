"""What a provider of models is: streams answers, fills gaps, and turns texts into vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rubber_duck.errors import InvalidSettings
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Embeddings, Gap, Piece, Prompt
from rubber_duck.registry import Registry

if TYPE_CHECKING:
    from rubber_duck.egress import Egress


@dataclass(frozen=True, slots=True)
class Setup:
    """What a provider that is somewhere else is made of: the way to it, and how it differs from others of its kind.

    - `flavor`: the name of the quirks in `llm/flavors.py`. `timeout_s`: seconds a whole request may take.
    """

    egress: Egress
    flavor: str
    timeout_s: float = 300.0


class Provider(ABC):
    """A way to models. Wrappers (retries, limits, fallbacks) are providers too, so they compose.

    `model` is the provider's own name for one. A stream is consumed inside `async with aclosing(...)`: closing it
    early, or cancelling the task, ends the request; no more is read from the network. The `errand` goes with the
    question: no request outlives its deadline, and it is told what an answer takes as soon as that is known.

    Raises UnknownName for a model it does not have, Unavailable (or what derives from it) when the endpoint does not
    answer, LimitExceeded for a prompt that is too long.
    """

    name: ClassVar[str]

    @abstractmethod
    def stream(self, model: str, prompt: Prompt, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The answer to `prompt` piece by piece; the last piece is Finished."""

    @abstractmethod
    def fill(self, model: str, gap: Gap, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The text of `gap` piece by piece, without prefix and suffix; the last piece is Finished."""

    @abstractmethod
    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """A vector for each of `texts`."""

    async def models(self) -> tuple[str, ...]:
        """The models it says it has, by name; asking is also how its health is told."""
        return ()

    async def close(self) -> None:  # noqa: B027  # most hold nothing
        """Give back what it holds."""

    @classmethod
    def connect(cls, setup: Setup) -> Provider:
        """One that reaches the endpoint of `setup`; raises InvalidSettings for a kind that reaches none."""
        raise InvalidSettings(f"a provider of the kind {cls.name!r} cannot be connected")


providers: Final = Registry[Provider]("provider", package="rubber_duck.llm.providers", group="rubber_duck.providers")
"""Every provider. Add one with `@providers.add`."""
