"""Batches one after the other, of which the next begins while only the end of this one's work is left."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

B = TypeVar("B")
T = TypeVar("T")

Tell = Callable[[int, int, str], None]
Work = Callable[[B, Tell], Coroutine[Any, Any, T]]  # Any: asyncio's own
"""Works on a batch, and tells what is done of how much of its files: when that is all, only the end is left."""


class Ahead(Generic[B, T]):
    """The batches of one run, asked for in their order.

    At the end of a batch's work most of the machine has nothing to do: ruff looks at the last files, and what was
    found is kept. Meanwhile the next one's files are read, into memory and the disposable cache alone. No more than
    one is read ahead, so a kill costs one batch and those moments.
    """

    def __init__(self, batches: Sequence[B], work: Work[B, T]) -> None:
        self._batches = batches
        self._work = work
        self._begun: dict[int, asyncio.Task[T]] = {}
        self._asked = -1
        self._read: set[int] = set()
        self._context = contextvars.copy_context()  # not that of the step in which one happens to begin

    async def result(self, index: int) -> T:
        """What a batch comes to, begun before or now. Cancelled, it leaves nothing behind that runs."""
        self._asked = index
        task = self._begun.pop(index, None) or self._begin(index)
        if index in self._read:
            self._begin_next(index)
        try:
            return await task
        finally:
            self._read.discard(index)
            await _ended([task])

    async def close(self) -> None:
        """End what was begun and nobody asked for."""
        await _ended([self._begun.pop(index) for index in tuple(self._begun)])

    def _begin(self, index: int) -> asyncio.Task[T]:
        def tell(done: int, total: int, note: str) -> None:
            if total and done == total:
                self._read.add(index)
                if index == self._asked:
                    self._begin_next(index)

        work = self._work(self._batches[index], tell)
        return asyncio.create_task(work, name=f"batch {index}", context=self._context.copy())

    def _begin_next(self, index: int) -> None:
        following = index + 1
        if following < len(self._batches) and following not in self._begun:
            self._begun[following] = self._begin(following)


@asynccontextmanager
async def reading_ahead(batches: Sequence[B], work: Work[B, T]) -> AsyncIterator[Ahead[B, T]]:
    """Batches to be asked for in their order, by their indexes; what was begun ends with the block."""
    ahead = Ahead(batches, work)
    try:
        yield ahead
    finally:
        await ahead.close()


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:  # Any: ignored
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
