"""When a process takes runs out of a queue: at once where it knows of some, and never only to find none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from rubber_duck.errors import StorageUnavailable
from rubber_duck.workflows.taking import Taking

NEVER = 600.0
SOON = 0.001


@dataclass
class Pond:
    """A queue in memory: `waiting` runs, and what was asked of it."""

    name: str = "pond"
    most: int = 2
    waiting: int = 0
    away: Iterator[bool] = field(default_factory=lambda: iter(()))
    taken: list[int] = field(default_factory=list)
    looks: int = 0
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    took: asyncio.Event = field(default_factory=asyncio.Event)

    def room(self) -> int:
        return self.most

    async def waits(self) -> bool:
        self.looks += 1
        if next(self.away, False):
            raise StorageUnavailable("the pond is frozen")
        if self.looks > 3:
            self.looked.set()
        return self.waiting > 0

    async def take(self) -> int:
        found = min(self.waiting, self.most)
        self.waiting -= found
        self.taken.append(found)
        self.asked.set()
        if found:
            self.took.set()
        return found


async def _while_taking(pond: Pond, poll_s: float, until: asyncio.Event, taking: list[Taking]) -> None:
    taking.append(Taking([pond], poll_s=poll_s, chance=lambda: 0.5))
    keeping = asyncio.create_task(taking[0].keep())
    try:
        await until.wait()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_an_empty_queue_is_looked_at_and_not_taken_from() -> None:
    pond = Pond()
    await _while_taking(pond, SOON, pond.looked, [])
    assert pond.taken == [0]  # at the start, when nothing is known


async def test_what_another_process_put_in_is_found() -> None:
    pond, taking = Pond(), list[Taking]()
    doing = asyncio.create_task(_while_taking(pond, SOON, pond.took, taking))
    await pond.looked.wait()
    pond.waiting = 1
    await doing
    assert sum(pond.taken) == 1


async def test_what_this_process_put_in_is_taken_at_once() -> None:
    pond, taking = Pond(), list[Taking]()
    doing = asyncio.create_task(_while_taking(pond, NEVER, pond.took, taking))
    await pond.asked.wait()
    pond.waiting = 1
    taking[0].wake("pond")
    await doing
    assert (sum(pond.taken), pond.looks) == (1, 0)


async def test_a_database_that_was_away_is_looked_at_again() -> None:
    pond = Pond(away=iter((True, True)))
    doing = asyncio.create_task(_while_taking(pond, SOON, pond.took, []))
    await pond.looked.wait()
    pond.waiting = 1
    await doing
    assert pond.taken[-1] == 1
