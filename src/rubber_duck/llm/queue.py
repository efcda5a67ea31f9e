"""A fair queue: so many pass at once, those who wait take turns by person, and nobody waits past their deadline."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rubber_duck.errors import RateLimited, TimedOut


class FairQueue:
    """Room for `at_once`; one who comes when it is full waits behind their own, and the persons take turns."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        """`most_waiting`: so many of one person may wait."""
        self._at_once = at_once
        self._free = at_once
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is in it, and nobody waits."""
        return self._free == self._at_once and not self._waiting

    @asynccontextmanager
    async def turn(self, person: str, deadline: float) -> AsyncIterator[None]:
        """Room for the block. `deadline` is a moment of the event loop's clock.

        Raises RateLimited when too many of that person wait already, TimedOut when the turn does not come in time.
        """
        await self.enter(person, deadline)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, person: str, deadline: float) -> None:
        """Take room; whoever does leaves. Raises as `turn` does."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        mine = self._waiting.setdefault(person, deque())
        if len(mine) >= self._most_waiting:
            raise RateLimited(f"{len(mine):,} of your requests wait already; let them end")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mine.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # it came just when nobody wanted it any more
            else:
                self._withdraw(person, turn)
            if isinstance(error, TimeoutError):
                raise TimedOut("no turn came in time: too much is asked at once") from error
            raise

    def leave(self) -> None:
        """Make room, for the next of those who wait."""
        while self._waiting:
            person, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[person] = turns  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _withdraw(self, person: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(person)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[person]
