"""What wrappers of providers are: providers that pass questions on, so that they compose."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator
from typing import ClassVar

from rubber_duck.llm.messages import Gap, Piece, Prompt, Question
from rubber_duck.llm.provider import Provider


class Wrapper(Provider):
    """A provider around others. Prompts and gaps take the same way."""

    name: ClassVar[str] = "wrapper"

    def stream(self, model: str, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """What `answer` gives."""
        return self.answer(model, prompt)

    def fill(self, model: str, gap: Gap) -> AsyncGenerator[Piece, None]:
        """What `answer` gives."""
        return self.answer(model, gap)

    @abstractmethod
    def answer(self, model: str, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer to a prompt or a gap."""


def asked(provider: Provider, model: str, question: Question) -> AsyncGenerator[Piece, None]:
    """The provider's answer to a prompt or a gap."""
    return provider.fill(model, question) if isinstance(question, Gap) else provider.stream(model, question)
