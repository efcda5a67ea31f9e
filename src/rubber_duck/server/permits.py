"""Work that goes on only as long as whoever asked for it may have it done, also when nobody reads it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.errors import Denied, DuckError, LimitExceeded, normalize

PER_PERSON: Final = 32
PER_PROJECT: Final = 128
"""So many engines answer at once on one node."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What lets somebody's work go on.

    `check` raises when they may not have it done any more; `until` is when what they came with ends.
    """

    user: UUID
    project: UUID | None
    until: datetime | None
    check: Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Held:
    permit: Permit
    task: asyncio.Task[object]
    is_over: bool = False

    def end(self) -> None:
        """Stop the work; once."""
        if not self.is_over:
            self.is_over = True
            self.task.cancel()


class Permits:
    """The work of one node. `sure_s`: who cannot be asked about for so long may do nothing any more."""

    def __init__(self, *, sure_s: float = 4.0) -> None:
        self._held: set[_Held] = set()
        self._sure_s = sure_s

    def __len__(self) -> int:
        return len(self._held)

    @asynccontextmanager
    async def held(self, permit: Permit) -> AsyncIterator[None]:
        """Let this task's work go on as long as it may.

        Raises Denied once it may not, LimitExceeded for more at once than one person, or one project, may have.
        """
        self._count(permit)
        task = asyncio.current_task()
        assert task is not None
        held, before = _Held(permit, task), task.cancelling()
        self._held.add(held)
        try:
            await permit.check()  # rights may have changed since it was asked for
            yield
        except asyncio.CancelledError:
            if not held.is_over or task.uncancel() > before:
                raise
            raise Denied("what let this work go on was taken away, so it has stopped") from None
        finally:
            self._held.discard(held)

    def due(self, moved: Collection[UUID]) -> Iterator[Coroutine[None, None, None]]:
        """A look at the work of each of these users: it ends what may not go on, and does not raise."""
        for held in tuple(self._held):
            if held.permit.user in moved:
                yield self._recheck(held)

    def end_those_over(self, at: datetime) -> None:
        """Stop the work of those who came with what is over."""
        for held in tuple(self._held):
            if held.permit.until is not None and held.permit.until <= at:
                held.end()

    async def _recheck(self, held: _Held) -> None:
        try:
            async with asyncio.timeout(self._sure_s):
                await held.permit.check()
        except (DuckError, TimeoutError) as error:
            telemetry.emit("server.work_stopped", actor=str(held.permit.user), error=normalize(error).message)
            held.end()

    def _count(self, permit: Permit) -> None:
        theirs = sum(each.permit.user == permit.user for each in self._held)
        if theirs >= PER_PERSON:
            raise LimitExceeded(f"{PER_PERSON} engines are answering you; wait for one")
        here = sum(each.permit.project == permit.project for each in self._held)
        if permit.project is not None and here >= PER_PROJECT:
            raise LimitExceeded(f"{PER_PROJECT} engines are answering in this project; wait for one")
