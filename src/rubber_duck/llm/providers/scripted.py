"""A provider that says what a script says: for tests and demonstrations, with no model behind it."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rubber_duck.errors import DuckError, InvalidInput, UnknownName
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Embeddings, Finished, FinishReason, Gap, Piece, Prompt, TextDelta, Usage
from rubber_duck.llm.provider import Provider, providers
from rubber_duck.llm.tokens import count_tokens, encode

DIMENSIONS: Final = 256
"""The length of the vectors of the model `words`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of a script.

    - `pieces`: the text, in the pieces in which it is streamed.
    - `failure`: raised after the pieces, instead of their end.
    - `hold`: waited for before the first piece, so that a test decides when the model speaks.
    """

    pieces: tuple[str, ...] = ()
    reason: FinishReason = FinishReason.STOP
    failure: DuckError | None = None
    hold: asyncio.Event | None = None


@dataclass(slots=True)
class Asked:
    """What a scripted provider was asked, in order, and how many of its streams were closed before their end."""

    prompts: list[Prompt] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    texts: list[tuple[str, ...]] = field(default_factory=list)
    closed_early: int = 0


@providers.add
class ScriptedProvider(Provider):
    """Answers with the lines of its script, one per question, whatever is asked. Its models are `script` and `words`.

    `words` turns texts into vectors of DIMENSIONS by the words in them, names split at their humps: texts that share
    words are near each other, and nothing else is known. It is exact and repeatable, which a demonstration needs, and
    no replacement for a model that was trained.
    """

    name: ClassVar[str] = "scripted"

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._lines = deque(lines)
        self.asked = Asked()

    async def stream(self, model: str, prompt: Prompt, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The next line of the script."""
        self.asked.prompts.append(prompt)
        input_tokens = sum(count_tokens(message.text) for message in prompt.messages)
        async with aclosing(self._say(model, input_tokens, prompt.answer_tokens)) as pieces:
            async for piece in pieces:
                yield piece

    async def fill(self, model: str, gap: Gap, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The next line of the script."""
        self.asked.gaps.append(gap)
        input_tokens = count_tokens(gap.prefix) + count_tokens(gap.suffix)
        async with aclosing(self._say(model, input_tokens, gap.answer_tokens)) as pieces:
            async for piece in pieces:
                yield piece

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """Vectors of the words in each text."""
        _require(model, "words")
        self.asked.texts.append(tuple(texts))
        return Embeddings(tuple(map(word_vector, texts)), Usage(sum(map(count_tokens, texts)), 0))

    async def _say(self, model: str, input_tokens: int, answer_tokens: int) -> AsyncGenerator[Piece, None]:
        _require(model, "script")
        if not self._lines:
            raise InvalidInput("the script has no more lines: give the scripted provider one for each question")
        line = self._lines.popleft()
        said = 0
        ended = False
        try:
            if line.hold is not None:
                await line.hold.wait()
            for text in line.pieces:
                tokens = len(encode(text))
                if said + tokens > answer_tokens:
                    ended = True
                    yield Finished(FinishReason.LENGTH, Usage(input_tokens, said))
                    return
                said += tokens
                yield TextDelta(text)
            ended = True
            if line.failure is not None:
                raise line.failure
            yield Finished(line.reason, Usage(input_tokens, said))
        finally:
            if not ended:
                self.asked.closed_early += 1


def word_vector(text: str) -> tuple[float, ...]:
    """The words of `text` counted in DIMENSIONS places, which a hash chooses with a sign, scaled to norm 1.

    Source of the trick: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009.
    """
    vector = [0.0] * DIMENSIONS
    for word, count in Counter(found.group().lower() for found in _WORD.finditer(text)).items():
        number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big")
        vector[number % DIMENSIONS] += (1 + math.log(count)) * (1 if number & 0x8000_0000 else -1)
    norm = math.hypot(*vector)
    return tuple(value / norm for value in vector) if norm else tuple(vector)


def _require(model: str, served: str) -> None:
    if model != served:
        raise UnknownName.among("scripted model for this question", model, (served,))
