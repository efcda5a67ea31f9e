"""Leaves a provider alone that keeps failing, and tries it again after a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from enum import StrEnum

from rubber_duck import telemetry
from rubber_duck.errors import BadAnswer, DuckError, ProviderUnavailable, TimedOut
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.messages import Embeddings, Piece, Question
from rubber_duck.llm.provider import Provider
from rubber_duck.llm.wrapper import Wrapper, asked


class State(StrEnum):
    """Closed: questions pass. Open: none do. Half open: one at a time, to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`failures` in a row open it, for `open_s` seconds; `successes` in a row close it again."""

    failures: int = 5
    successes: int = 2
    open_s: float = 60.0


class Breaker(Wrapper):
    """A provider that is not asked while it keeps failing. What is the question's fault does not count."""

    def __init__(self, inner: Provider, label: str, thresholds: Thresholds, clock: Callable[[], float]) -> None:
        """`clock` gives seconds from any point."""
        self._inner = inner
        self._label = label
        self._thresholds = thresholds
        self._clock = clock
        self._failures = 0
        self._successes = 0
        self._opened_at: float | None = None
        self._is_trying = False
        self.last_error = ""

    @property
    def state(self) -> State:
        """How it stands now."""
        if self._opened_at is None:
            return State.CLOSED
        is_over = self._clock() - self._opened_at >= self._thresholds.open_s
        return State.HALF_OPEN if is_over else State.OPEN

    async def answer(self, model: str, question: Question, errand: Errand) -> AsyncGenerator[Piece, None]:
        """The provider's answer. Raises ProviderUnavailable without asking while it is open."""
        with self._watched(errand):
            async with aclosing(asked(self._inner, model, question, errand)) as pieces:
                async for piece in pieces:
                    yield piece

    async def embed(self, model: str, texts: Sequence[str], errand: Errand) -> Embeddings:
        """The provider's vectors. Raises ProviderUnavailable without asking while it is open."""
        with self._watched(errand):
            return await self._inner.embed(model, texts, errand)

    async def models(self) -> tuple[str, ...]:
        """Asked in every state: this is how one looks."""
        return await self._inner.models()

    async def close(self) -> None:
        """Close the provider."""
        await self._inner.close()

    @contextmanager
    def _watched(self, errand: Errand) -> Iterator[None]:
        state = self.state
        if state is State.OPEN or (state is State.HALF_OPEN and self._is_trying):
            raise ProviderUnavailable(f"{self._label!r} keeps failing and is left alone for now: {self.last_error}")
        tries = state is State.HALF_OPEN
        self._is_trying = self._is_trying or tries
        try:
            yield
        except (ProviderUnavailable, BadAnswer, TimedOut) as error:
            self._failed(error, tries=tries)
            raise
        except asyncio.CancelledError:
            if asyncio.get_running_loop().time() >= errand.deadline:
                self._failed(TimedOut("no whole answer came in time"), tries=tries)
            raise
        else:
            self._succeeded(tries=tries)
        finally:
            if tries:
                self._is_trying = False

    # What was asked before it opened tells nothing of how the provider does since: while it is open, only tries count.

    def _failed(self, error: DuckError, *, tries: bool) -> None:
        if self._opened_at is not None and not tries:
            return
        self.last_error = error.message
        self._failures += 1
        self._successes = 0
        if self._opened_at is not None or self._failures >= self._thresholds.failures:
            self._opened_at = self._clock()
            telemetry.emit("llm.breaker_changed", provider=self._label, state=State.OPEN.value, error=error.message)

    def _succeeded(self, *, tries: bool) -> None:
        if self._opened_at is not None and not tries:
            return
        self._failures = 0
        if self._opened_at is None:
            return
        self._successes += 1
        if self._successes >= self._thresholds.successes:
            self._opened_at = None
            self._successes = 0
            telemetry.emit("llm.breaker_changed", provider=self._label, state=State.CLOSED.value, error="")
