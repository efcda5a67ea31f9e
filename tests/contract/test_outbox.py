"""The outbox, on SQLite and on PostgreSQL: what waits for members who are away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rubber_duck.channels.outbox import Outbox
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.storage.database import Database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A moment that tests move."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    """Noon."""
    return Clock()


@pytest.fixture
def outbox(database: Database, clock: Clock) -> Outbox:
    """Three letters a box, kept for two days."""
    return Outbox(database, LocalCluster(), now=clock, days=2, most=3)


async def waiting(outbox: Outbox, box: str, after: int = 0) -> tuple[list[tuple[int, object]], int]:
    """Numbers and payloads of what waits, and how much is lost."""
    found = await outbox.waiting(box, after=after)
    return [(each.number, each.payload["n"]) for each in found.letters], found.lost


async def test_letters_wait_in_order_until_they_are_acknowledged(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        assert await outbox.put("a", f"k{number}", "notice", {"n": number}) == number
    assert await outbox.put("b", "k1", "notice", {"n": 9}) == 1
    assert await waiting(outbox, "a") == ([(1, 1), (2, 2), (3, 3)], 0)
    assert await waiting(outbox, "a", after=2) == ([(3, 3)], 0)
    assert await outbox.acknowledge("a", 2) == 2
    assert await waiting(outbox, "a") == ([(3, 3)], 0)
    assert await waiting(outbox, "b") == ([(1, 9)], 0)
    assert [(each.number, each.is_seen) for each in await outbox.newest("a", 2)] == [(3, False), (2, True)]


async def test_what_was_acknowledged_stays_so_and_the_future_cannot_be(outbox: Outbox) -> None:
    await outbox.put("a", "k1", "notice", {"n": 1})
    assert await outbox.acknowledge("a", 99) == 1
    assert await outbox.acknowledge("a", 0) == 1
    assert await outbox.acknowledge("nobody", 5) == 0
    await outbox.put("a", "k2", "notice", {"n": 2})
    assert await waiting(outbox, "a") == ([(2, 2)], 0)


async def test_a_key_is_told_once_also_after_it_was_seen(outbox: Outbox) -> None:
    assert await outbox.put("a", "same", "notice", {"n": 1}) == 1
    await outbox.acknowledge("a", 1)
    assert await outbox.put("a", "same", "notice", {"n": 2}) is None
    assert await outbox.put("b", "same", "notice", {"n": 3}) == 1
    assert await waiting(outbox, "a") == ([], 0)


async def test_a_full_box_forgets_the_oldest_and_says_how_many_were_lost(outbox: Outbox) -> None:
    for number in range(1, 6):
        await outbox.put("a", f"k{number}", "notice", {"n": number})
    assert await waiting(outbox, "a") == ([(3, 3), (4, 4), (5, 5)], 2)


async def test_letters_expire(outbox: Outbox, clock: Clock) -> None:
    await outbox.put("a", "k1", "notice", {"n": 1})
    clock.moment += timedelta(days=1)
    await outbox.put("a", "k2", "notice", {"n": 2})
    clock.moment += timedelta(days=1)
    assert await waiting(outbox, "a") == ([(2, 2)], 1)
    assert await outbox.letter("a", "k1") is None
    assert await outbox.put("a", "k1", "notice", {"n": 3}) == 3


async def test_many_who_write_at_once_give_every_letter_its_own_number(database: Database, clock: Clock) -> None:
    outbox = Outbox(database, LocalCluster(), now=clock)
    numbers = await asyncio.gather(*(outbox.put("a", f"k{n % 15}", "notice", {"n": n}) for n in range(20)))
    assert sorted(each for each in numbers if each is not None) == list(range(1, 16))
    assert numbers.count(None) == 5


async def test_who_reads_a_box_is_told_that_there_may_be_more(outbox: Outbox) -> None:
    told: list[bytes] = []
    async with await outbox.listen("a", told.append):
        await outbox.put("b", "k", "notice", {"n": 1})
        assert told == []
        await outbox.put("a", "k", "notice", {"n": 1})
        assert len(told) == 1
    await outbox.put("a", "l", "notice", {"n": 2})
    assert len(told) == 1
