"""What providers count beyond what there can be: who waits for the first call of a model, and who need not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rubber_duck.llm.account import CallRecord, Reservation
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.stretch import Extra, Stretch
from rubber_duck.storage.keys import new_key

RESERVED = Reservation((), "p/m", Decimal("0.01"), 100)


def call(*, is_counted: bool = True, outcome: str = "", model: str = "p/m", tokens: int = 50) -> CallRecord:
    """One that has ended."""
    return CallRecord(
        id=new_key(), at=datetime(2026, 1, 1, tzinfo=UTC), actor="ann", project=None, role="chat", model=model,
        usage=Usage(tokens, 0), is_counted=is_counted, is_cached=False, cost_usd=Decimal("0.01"), outcome=outcome,
        first_ms=0, duration_ms=0, trace="",
    )  # fmt: skip


async def waits_after(*ended: CallRecord) -> bool:
    """Whether the second of two waits for the first, after these calls were made one after the other."""
    stretch = Stretch()
    for each in ended:
        await stretch.of("p/m")
        stretch.learn("p/m", RESERVED.beyond(each))
    await stretch.of("p/m")
    second = asyncio.create_task(stretch.of("p/m"))
    for _ in range(9):
        await asyncio.sleep(0)
    is_waiting = not second.done()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    return is_waiting


async def test_only_the_first_call_of_a_model_is_waited_for() -> None:
    assert await waits_after()
    assert not await waits_after(call())


@pytest.mark.parametrize(
    "ended", [call(is_counted=False), call(model="q/other"), call(is_counted=False, outcome="cancelled")]
)
async def test_nobody_waits_again_for_a_model_whose_first_call_told_nothing(ended: CallRecord) -> None:
    assert not await waits_after(ended)


async def test_the_next_call_shows_it_when_the_first_failed() -> None:
    assert await waits_after(call(outcome="provider_unavailable"))


async def test_a_model_that_told_nothing_at_first_is_learnt_from_later() -> None:
    stretch = Stretch()
    for each in (call(is_counted=False), call(tokens=160)):
        stretch.learn("p/m", RESERVED.beyond(each))
    assert await stretch.of("p/m") == Extra(Decimal(0), 90)
