"""Asks again when a provider did not begin to answer, later each time, and as late as it says itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.errors import DuckError, RateLimited, TimedOut
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Embeddings, Piece, Question
from rubber_duck.llm.provider import Provider
from rubber_duck.llm.wrapper import Wrapper, asked

_BACKOFF: Final = Backoff(first_s=0.5, cap_s=8.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask again, how long to wait between, and how to wait and to draw lots.

    A provider that wants to be left alone for longer than `most_s` is not asked again.
    """

    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    retries: int = 2
    most_s: float = 20.0
    backoff: Backoff = _BACKOFF


class Retrying(Wrapper):
    """A provider that is asked again, before the first piece only; what ran out of time is not repeated."""

    def __init__(self, inner: Provider, label: str, patience: Patience) -> None:
        self._inner = inner
        self._label = label
        self._patience = patience

    async def answer(self, model: str, question: Question, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The first answer that begins."""
        attempt = 0
        while True:
            has_begun = False
            errand.is_sent = True
            try:
                async with aclosing(asked(self._inner, model, question, errand)) as pieces:
                    async for piece in pieces:
                        has_begun = True
                        yield piece
            except DuckError as error:
                if has_begun or not await self._waits(attempt, error, errand):
                    raise
            else:
                return
            attempt += 1

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """The first vectors that come."""
        attempt = 0
        while True:
            errand.is_sent = True
            try:
                return await self._inner.embed(model, texts, errand)
            except DuckError as error:
                if not await self._waits(attempt, error, errand):
                    raise
            attempt += 1

    async def models(self) -> tuple[str, ...]:
        """Asked once: whoever asks wants to know how it is now."""
        return await self._inner.models()

    async def close(self) -> None:
        """Close the provider."""
        await self._inner.close()

    async def _waits(self, attempt: int, error: DuckError, errand: Errand) -> bool:
        """Wait for the next try; False when there is none before the deadline. Raises what `Errand.again` does."""
        patience = self._patience
        if attempt >= patience.retries or not error.retryable or isinstance(error, TimedOut):
            return False
        wait_s = patience.backoff.delay_s(attempt, patience.random)
        if isinstance(error, RateLimited) and error.retry_after_s is not None:
            if error.retry_after_s > patience.most_s:
                return False
            wait_s += error.retry_after_s
        if asyncio.get_running_loop().time() + wait_s >= errand.deadline:
            return False
        await errand.again(error)
        telemetry.emit("llm.retried", provider=self._label, error=error.message, delay_s=round(wait_s, 3))
        await patience.sleep(wait_s)
        return True
