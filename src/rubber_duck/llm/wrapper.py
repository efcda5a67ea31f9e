"""What wrappers of providers are: providers that pass questions on, so that they compose."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator
from typing import ClassVar

from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Gap, Piece, Prompt, Question
from rubber_duck.llm.provider import Provider


class Wrapper(Provider):
    """A provider around others. Prompts and gaps take the same way."""

    name: ClassVar[str] = "wrapper"

    def stream(self, model: str, prompt: Prompt, errand: Errand) -> AsyncGenerator[Piece, None]:
        """What `answer` gives."""
        return self.answer(model, prompt, errand)

    def fill(self, model: str, gap: Gap, errand: Errand) -> AsyncGenerator[Piece, None]:
        """What `answer` gives."""
        return self.answer(model, gap, errand)

    @abstractmethod
    def answer(self, model: str, question: Question, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The answer to a prompt or a gap."""


def asked(provider: Provider, model: str, question: Question, errand: Errand) -> AsyncGenerator[Piece, None]:
    """The provider's answer to a prompt or a gap."""
    if isinstance(question, Gap):
        return provider.fill(model, question, errand)
    return provider.stream(model, question, errand)
