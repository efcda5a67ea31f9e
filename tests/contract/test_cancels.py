"""A cancel ends a transaction's task, also where a library swallows it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from rubber_duck.storage.database import Database
from tests.contract.notes import add, titles


@pytest.mark.parametrize("write", [True, False])
async def test_a_cancel_that_was_swallowed_within_the_block_is_raised_after_it(database: Database, write: bool) -> None:
    reached: list[str] = []

    async def work() -> None:
        async with database.begin(write=write) as tx:
            if write:
                await add(tx, "a")
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with suppress(asyncio.CancelledError):  # as Python 3.11's wait_for does, when an answer comes with it
                await asyncio.sleep(0)
        reached.append("after the block")

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())
    assert (reached, await titles(database)) == ([], ["a"] if write else [])


async def test_a_time_out_that_was_swallowed_is_one(database: Database) -> None:
    async def late() -> None:
        async with asyncio.timeout(0.01), database.begin(write=False):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await late()
