"""The correlation id of a request is in every task and thread it starts, and in no other."""

from __future__ import annotations

import asyncio

from rubber_duck.telemetry import correlated, correlation_id


async def _deep(levels: int) -> str | None:
    """The id that a task started by a task started by … sees."""
    if levels == 0:
        return correlation_id()
    return await asyncio.create_task(_deep(levels - 1))


def test_outside_any_request_there_is_none() -> None:
    assert correlation_id() is None


async def test_every_task_started_inside_carries_the_id() -> None:
    with correlated("a"):
        assert await _deep(5) == "a"


async def test_a_thread_started_inside_carries_the_id() -> None:
    with correlated("a"):
        assert await asyncio.to_thread(correlation_id) == "a"


async def test_a_task_started_inside_keeps_the_id_after_the_block() -> None:
    ready = asyncio.Event()

    async def wait() -> str | None:
        await ready.wait()
        return correlation_id()

    with correlated("a"):
        task = asyncio.create_task(wait())
    ready.set()

    assert await task == "a"


async def test_fifty_requests_at_once_keep_their_own_ids() -> None:
    everybody = asyncio.Barrier(50)

    async def request(trace: str) -> str | None:
        with correlated(trace):
            await everybody.wait()
            return await _deep(2)

    assert await asyncio.gather(*(request(str(number)) for number in range(50))) == [str(n) for n in range(50)]


def test_an_inner_request_gives_the_outer_id_back() -> None:
    with correlated("outer"):
        with correlated("inner"):
            inside = correlation_id()
        assert (inside, correlation_id()) == ("inner", "outer")
