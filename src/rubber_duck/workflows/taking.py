"""Takes runs out of the queues: at once while there are more than there is room for, and otherwise now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from rubber_duck import telemetry
from rubber_duck.errors import DuckError

_LOOK_S: Final = 0.01
_LOOKS: Final = 4
"""So often it is looked for more room before runs are taken: to take one costs as much as to take several."""
_SPREAD: Final = 0.2


class Queue(Protocol):
    """A queue as this process sees it."""

    name: str
    most: int
    """So many of its runs this process may work on at once."""

    def room(self) -> int:
        """How many more of its runs this process may work on."""

    async def waits(self) -> bool:
        """Whether any of its runs waits, by a look that costs little. Raises DuckError."""

    async def take(self) -> int:
        """Take as many as there is room for and as wait, and begin to work on them; how many. Raises DuckError."""


class Taking:
    """Takes for one process.

    DBOS's own threads look once in a while and take what there is room for then, which makes tiny runs wait for the
    clock. While a queue is known to hold more, this looks in memory for room, which costs the database nothing.
    `chance` gives a float in [0, 1): processes must not look at the same moments.
    """

    def __init__(self, queues: Sequence[Queue], *, poll_s: float, chance: Callable[[], float]) -> None:
        self._queues = queues
        self._poll_s = poll_s
        self._chance = chance
        self._woken = {queue.name: asyncio.Event() for queue in queues}

    def wake(self, queue: str) -> None:
        """Say that a run was put into a queue, by this process; from its event loop."""
        self._woken[queue].set()

    async def keep(self) -> None:
        """Take, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(self._keep(queue), name=f"take {queue.name}")

    async def _keep(self, queue: Queue) -> None:
        is_more = False
        while True:
            if is_more:
                await self._lingered(queue)
            is_more = await self._took_all_there_was_room_for(queue)
            if is_more:
                continue
            await self._until_worth_it(queue)

    async def _until_worth_it(self, queue: Queue) -> None:
        """Until a run was put into the queue here, or is found there: to take nothing costs as much as to take one."""
        woken = self._woken[queue.name]
        is_woken = False
        while not is_woken:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s * (1 - _SPREAD / 2 + _SPREAD * self._chance())):
                    is_woken = await woken.wait()
            with suppress(DuckError):  # the next look comes soon
                is_woken = is_woken or (queue.room() > 0 and await queue.waits())
        woken.clear()

    async def _lingered(self, queue: Queue) -> None:
        """Until half of the queue's places are free, or some moments after the first one is."""
        looks = 0
        while looks < _LOOKS and (room := queue.room()) < max(1, queue.most // 2):
            looks += room > 0
            await asyncio.sleep(_LOOK_S)

    async def _took_all_there_was_room_for(self, queue: Queue) -> bool:
        """Then more may wait, and it is looked for room in memory. Without room nothing is known."""
        room = queue.room()
        if room <= 0:
            return True
        try:
            return await queue.take() >= room
        except DuckError as error:
            telemetry.emit("workflow.not_taken", queue=queue.name, error=error.message)
            return False
