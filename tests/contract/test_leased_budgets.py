"""What is reserved of a budget comes back when the process that reserved it is dead, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from rubber_duck import telemetry
from rubber_duck.errors import BudgetExceeded
from rubber_duck.llm.account import CallRecord, Ended, Reservation
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.leases import LEASE_S
from rubber_duck.llm.ledger import Ledger
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.prices import FREE
from rubber_duck.settings.models import BudgetSettings, ModelSettings
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from tests.contract.model_accounts import LOCAL

MOST = Decimal("0.9")
MODELS = ModelSettings(budgets={"user": BudgetSettings(usd=1.0, tokens=1000)})


class Time:
    """A clock that is set by hand; whoever sleeps is woken by `wake`."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
        self.asleep = asyncio.Event()
        self.woken = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await self.woken.wait()
        self.woken.clear()

    def clocks(self) -> Clocks:
        return Clocks(now=lambda: self.at, sleep=self.sleep)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def ledger(database: Database, time: Time) -> Ledger:
    return Ledger(database, MODELS, time.clocks(), str)


async def killed_in_a_call(database: Database, time: Time) -> Reservation:
    """What a process reserved that then died: it neither settles nor renews."""
    dead = ledger(database, time)
    reservation = await dead.reserve(LOCAL, "p/dear", MOST, 800)
    await dead.close()
    return reservation


def ended(reservation: Reservation, time: Time) -> Ended:
    record = CallRecord(
        id=new_key(), at=time.at, actor=LOCAL.actor.id, project=None, role="chat", model="p/dear", usage=Usage(30, 20),
        is_counted=True, is_cached=False, cost_usd=None, outcome="", first_ms=1, duration_ms=1, trace="t",
    )  # fmt: skip
    return Ended(record, reservation, FREE)


async def spent(ledger: Ledger) -> tuple[Decimal, int]:
    (budget,) = await ledger.standing(LOCAL)
    return budget.spent_usd, budget.spent_tokens


async def test_what_a_dead_process_reserved_is_given_back(database: Database) -> None:
    time = Time()
    await killed_in_a_call(database, time)
    living, events = ledger(database, time), list[str]()
    time.pass_by(LEASE_S - 1)
    assert await spent(living) == (MOST, 800)
    with pytest.raises(BudgetExceeded):
        await living.reserve(LOCAL, "p/dear", MOST, 100)
    time.pass_by(2)
    with telemetry.listening(lambda name, fields: events.append(name)):
        again = await living.reserve(LOCAL, "p/dear", MOST, 100)  # who is short of it looks for what has lapsed
    assert events.count("llm.reservation_lapsed") == 1
    assert await spent(living) == (MOST, 100)
    living.settle(ended(again, time))
    assert await spent(living) == (Decimal(0), 50)
    await living.close()


async def test_a_call_under_way_keeps_what_it_reserved_as_long_as_it_takes(database: Database) -> None:
    time, theirs = Time(), Time()
    living, other = ledger(database, time), ledger(database, theirs)
    reservation = await living.reserve(LOCAL, "p/dear", MOST, 800)
    for _ in range(8):
        await time.asleep.wait()
        time.pass_by(LEASE_S / 4)
        theirs.at = time.at
        time.asleep.clear()
        time.woken.set()
        await time.asleep.wait()  # it has renewed
        assert await spent(other) == (MOST, 800)
    living.settle(ended(reservation, time))
    await living.flush()
    assert await spent(other) == (Decimal(0), 50)
    await living.close()
    await other.close()


async def test_what_was_given_back_and_ends_after_all_is_charged_once(database: Database) -> None:
    time = Time()
    slow, other = ledger(database, time), ledger(database, time)
    reservation = await slow.reserve(LOCAL, "p/dear", MOST, 800)
    time.pass_by(LEASE_S + 1)  # the process stood still, and renewed nothing
    assert await spent(other) == (Decimal(0), 0)
    slow.settle(replace(ended(reservation, time)))
    await slow.flush()
    assert await spent(other) == (Decimal(0), 50)
    await slow.close()
    await other.close()


async def test_who_gives_up_while_it_reserves_leaves_nothing_for_good(database: Database) -> None:
    time = Time()
    mine = ledger(database, time)
    reserving = asyncio.create_task(mine.reserve(LOCAL, "p/dear", MOST, 800))
    await asyncio.sleep(0)
    reserving.cancel()
    await asyncio.gather(reserving, return_exceptions=True)
    time.pass_by(LEASE_S + 1)
    assert await spent(mine) == (Decimal(0), 0)
    await mine.close()
