"""Waits that last too long end, those between are left alone, and a cancel from elsewhere stays one."""

from __future__ import annotations

import asyncio

import pytest

from rubber_duck.watch import Watch


async def waiting(watch: Watch, seconds: float) -> None:
    """One wait under the watch, as streams have them."""
    watch.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        watch.check()
        raise
    finally:
        watch.end()


def in_s(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_wait_ends_at_the_deadline_and_the_task_goes_on() -> None:
    with Watch(in_s(0.02)) as watch, pytest.raises(TimeoutError):
        await waiting(watch, 30.0)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one


async def test_a_wait_ends_after_its_silence_and_many_short_ones_do_not() -> None:
    with Watch(in_s(30.0), 0.05) as watch:
        for _ in range(10):
            await waiting(watch, 0.01)
        with pytest.raises(TimeoutError):
            await waiting(watch, 30.0)


async def test_what_is_done_between_two_waits_is_not_cancelled() -> None:
    with Watch(in_s(0.02), 0.01) as watch:
        await waiting(watch, 0.0)
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await waiting(watch, 0.0)


async def test_a_cancel_from_elsewhere_is_a_cancel() -> None:
    async def work() -> None:
        with Watch(in_s(30.0)) as watch:
            await waiting(watch, 30.0)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
