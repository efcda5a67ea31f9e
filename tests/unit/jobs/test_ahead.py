"""The next batch begins when all files of this one are read, no other one does, and nothing runs on."""

from __future__ import annotations

import asyncio

import pytest

from rubber_duck.jobs.ahead import Tell, reading_ahead


class Batches:
    """Work that reads and ends when it is told to, and a diary of it."""

    def __init__(self, failing: str = "") -> None:
        self.diary: list[str] = []
        self.read = {batch: asyncio.Event() for batch in "abc"}
        self.over = {batch: asyncio.Event() for batch in "abc"}
        self.failing = failing

    async def work(self, batch: str, tell: Tell) -> str:
        """Read, and end."""
        self.diary.append(batch)
        try:
            await self.read[batch].wait()
            tell(1, 2, "")
            tell(2, 2, "")
            await self.over[batch].wait()
        except asyncio.CancelledError:
            self.diary.append(f"{batch} cancelled")
            raise
        if batch == self.failing:
            self.failing = ""
            raise ValueError(batch)
        return batch.upper()


async def _turns() -> None:
    for _ in range(9):
        await asyncio.sleep(0)


async def test_the_next_begins_when_all_of_this_one_is_read_and_the_one_after_it_does_not() -> None:
    batches = Batches()
    async with reading_ahead("abc", batches.work) as ahead:
        first = asyncio.create_task(ahead.result(0))
        await _turns()
        assert batches.diary == ["a"]
        batches.read["a"].set()
        batches.read["b"].set()
        await _turns()
        assert batches.diary == ["a", "b"]  # though all of the second is read, too
        batches.over["a"].set()
        assert await first == "A"
        second = asyncio.create_task(ahead.result(1))
        await _turns()
        assert batches.diary == ["a", "b", "c"]
        batches.over["b"].set()
        assert await second == "B"
        for each in (batches.read["c"], batches.over["c"]):
            each.set()
        assert await ahead.result(2) == "C"
    assert batches.diary == ["a", "b", "c"]


async def test_one_that_failed_is_worked_on_anew_and_the_next_is_not() -> None:
    batches = Batches(failing="a")
    for each in (batches.read["a"], batches.over["a"]):
        each.set()
    async with reading_ahead("ab", batches.work) as ahead:
        with pytest.raises(ValueError, match="a"):
            await ahead.result(0)
        assert await ahead.result(0) == "A"
        await _turns()
        assert batches.diary == ["a", "b", "a"]
    assert batches.diary == ["a", "b", "a", "b cancelled"]


async def test_a_cancel_reaches_what_is_worked_on_and_what_is_read_ahead() -> None:
    batches = Batches()
    batches.read["a"].set()
    async with reading_ahead("ab", batches.work) as ahead:
        asked = asyncio.create_task(ahead.result(0))
        await _turns()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert batches.diary == ["a", "b", "a cancelled", "b cancelled"]
