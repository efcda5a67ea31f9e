"""What calls to models cost and may cost, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import select, text

from rubber_duck import telemetry
from rubber_duck.accounts.store import trail
from rubber_duck.accounts.user import Entry
from rubber_duck.errors import BudgetExceeded, Conflict, Denied, DuckError, InvalidSettings, StorageUnavailable
from rubber_duck.llm.account import CallRecord, Ended, Reservation
from rubber_duck.llm.connections import Connection
from rubber_duck.llm.ledger import Ledger
from rubber_duck.llm.llm import LLM, Clocks, Ground, open_llm
from rubber_duck.llm.messages import Answer as MessageAnswer
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.prices import FREE
from rubber_duck.llm.roles import Role
from rubber_duck.llm.store import model_calls
from rubber_duck.scope import Actor
from rubber_duck.settings import Settings
from rubber_duck.settings.models import BudgetSettings, ModelSettings
from rubber_duck.storage.database import Connection as DatabaseConnection
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key
from tests.contract.model_accounts import LOCAL, PRICES, accounts, counting, person, prompt
from tests.fake_provider import (
    fake_provider,
    head,
    openai_events,
    saying,
    sending,
)

T = TypeVar("T")


@pytest.mark.parametrize("whose", ["user", "project"])
async def test_fifty_callers_at_once_never_pass_a_budget(tmp_path: Path, database: Database, whose: str) -> None:
    budget = BudgetSettings(usd=0.01)
    models = ModelSettings(prices=PRICES, cache_s=0, budgets={whose: budget})
    usages = [(20, 50)] * 500
    scope = LOCAL if whose == "user" else LOCAL.within(uuid4())
    async with fake_provider(counting(usages)) as fake, accounts(tmp_path, fake, database, models) as llm:

        async def caller(number: int) -> int:
            answered = 0
            for each in range(6):
                try:
                    await llm.write(scope, Role.CHAT, prompt(f"{number} {each}"))
                    answered += 1
                except BudgetExceeded:
                    return answered
            return answered

        answered = sum(await asyncio.gather(*(caller(number) for number in range(50))))
        (standing,) = await llm.budgets(scope)
        cost = (20 * Decimal("3.75") + 50 * 15) / 1_000_000
        assert standing.spent_usd == answered * cost <= standing.most_usd
        assert len(fake.asked) == answered > 5
        more = (llm.write(scope, Role.CHAT, prompt(f"more {number}")) for number in range(20))
        ended = await asyncio.gather(*more, return_exceptions=True)  # nobody is left behind at work
        assert "budget of $0.01" in next(str(each) for each in ended if isinstance(each, BudgetExceeded))
        assert (await llm.budgets(scope))[0].spent_usd <= standing.most_usd


async def test_a_provider_that_counts_more_than_there_can_be_passes_no_budget_either(
    tmp_path: Path, database: Database
) -> None:
    models = ModelSettings(prices=PRICES, cache_s=0, budgets={"user": BudgetSettings(usd=1.0)})
    async with (
        fake_provider(counting([(5000, 1000)] * 500)) as fake,
        accounts(tmp_path, fake, database, models) as llm,
    ):
        asking = (llm.write(LOCAL, Role.CHAT, prompt(f"q {number}")) for number in range(50))
        said = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(each) for each in said} == {MessageAnswer, BudgetExceeded}
        (standing,) = await llm.budgets(LOCAL)
        assert 0.3 < standing.spent_usd <= standing.most_usd


async def test_a_budget_in_tokens_binds_too_and_begins_anew(tmp_path: Path, database: Database) -> None:
    moment = [datetime(2026, 1, 31, 23, 59, tzinfo=UTC)]
    models = ModelSettings(cache_s=0, budgets={"user:ann": BudgetSettings(tokens=400, period="day")})
    clocks = Clocks(now=lambda: moment[0])
    async with (
        fake_provider(counting([(100, 50)] * 99)) as fake,
        accounts(tmp_path, fake, database, models, clocks=clocks) as llm,
    ):
        ann = person("ann")
        await llm.write(ann, Role.CHAT, prompt("one"))
        with pytest.raises(BudgetExceeded, match="next day"):
            await llm.write(ann, Role.CHAT, prompt("x" * 200))
        await llm.write(person("ben"), Role.CHAT, prompt("x" * 200))
        moment[0] = datetime(2026, 2, 1, 0, 1, tzinfo=UTC)
        await llm.write(ann, Role.CHAT, prompt("x" * 100))


async def test_an_unknown_price_is_unknown_and_passes_no_budget_in_dollars(tmp_path: Path, database: Database) -> None:
    async with fake_provider(counting([(10, 5)] * 9)) as fake:
        async with accounts(tmp_path, fake, database, ModelSettings(cache_s=0), "p/odd") as llm:
            await llm.write(LOCAL, Role.CHAT, prompt("hello"))
            (call,) = await llm.calls(LOCAL, 9)
            assert call.cost_usd is None
            assert (await llm.usage(LOCAL, 1, "model"))["p/odd"].unpriced == 1
            assert (await llm.estimate(LOCAL, Role.CHAT, prompt("hello"))).usd is None
        models = ModelSettings(cache_s=0, budgets={"user": BudgetSettings(usd=1.0)}, prices=PRICES)
        async with accounts(tmp_path, fake, database, models, "p/odd") as llm:
            with pytest.raises(BudgetExceeded, match=r'llm\.prices\."p/odd"'):
                await llm.write(LOCAL, Role.CHAT, prompt("hello"))
        async with accounts(tmp_path, fake, database, models, "p/odd", "p/dear") as llm:
            assert (await llm.write(LOCAL, Role.CHAT, prompt("hello"))).model == "p/dear"


async def test_what_fails_or_is_left_is_charged_for_what_came(tmp_path: Path, database: Database) -> None:
    events = openai_events(["one two three", " four", " five"])
    models = ModelSettings(prices=PRICES, cache_s=0, retries=0, budgets={"user": BudgetSettings(usd=1.0)})
    cut, whole = sending(head(), *events[:3]), sending(head(), *events)
    async with (
        fake_provider(saying({}, 500), cut, whole) as fake,
        accounts(tmp_path, fake, database, models) as llm,
    ):
        for _ in range(2):
            with pytest.raises(DuckError):
                await llm.write(LOCAL, Role.CHAT, prompt("say it"))
        async with aclosing(llm.stream(LOCAL, Role.CHAT, prompt("say it"))) as pieces:
            await anext(pieces)
        left, cut_off, failed = await llm.calls(LOCAL, 9)
        assert [each.outcome for each in (left, cut_off, failed)] == ["cancelled", "bad_answer", "provider_unavailable"]
        assert (failed.usage.input_tokens, failed.cost_usd) == (0, Decimal(0))
        assert not cut_off.is_counted
        assert cut_off.usage.output_tokens >= 3
        (standing,) = await llm.budgets(LOCAL)
        assert standing.spent_usd == sum(each.cost_usd or 0 for each in (left, cut_off, failed)) > 0


async def test_people_see_their_own_calls_and_administrators_all(tmp_path: Path, database: Database) -> None:
    models = ModelSettings(prices=PRICES, cache_s=0)
    async with fake_provider(counting([(10, 5)] * 9)) as fake, accounts(tmp_path, fake, database, models) as llm:
        await llm.write(person("ann"), Role.CHAT, prompt("hello"))
        await llm.write(person("ben"), Role.CHAT, prompt("hello"))
        assert [call.actor for call in await llm.calls(person("ann"), 9)] == ["id-ann"]
        assert len(await llm.calls(LOCAL, 9, everybody=True)) == 2
        with pytest.raises(Denied):
            await llm.calls(person("ann"), 9, everybody=True)
        with pytest.raises(Denied):
            await llm.usage(person("ann"), 1, "user", everybody=True)


async def test_the_log_keeps_texts_only_by_setting_and_without_secrets(tmp_path: Path, database: Database) -> None:
    secret = "ghp_" + "a1B2" * 9
    for wanted in (False, True):
        models = ModelSettings(cache_s=0, log_texts=wanted)
        async with fake_provider(counting([(10, 5)] * 9)) as fake, accounts(tmp_path, fake, database, models) as llm:
            await llm.write(LOCAL, Role.CHAT, prompt(f"my token is {secret}, only-a-test"))
            call = (await llm.calls(LOCAL, 1))[0]
        kept = "user: my token is [REDACTED:github-token], [REDACTED:known]"
        assert (call.asked, call.answered) == ((kept, "fine") if wanted else ("", ""))


async def test_the_same_question_at_temperature_zero_is_asked_once_in_a_project(
    tmp_path: Path, database: Database
) -> None:
    models = ModelSettings(prices=PRICES)
    first, second = LOCAL.within(uuid4()), LOCAL.within(uuid4())
    async with fake_provider(counting([(10, 5)] * 99)) as fake, accounts(tmp_path, fake, database, models) as llm:
        for scope in (first, first, second, LOCAL, person("ann"), replace(first, rights=frozenset())):
            assert (await llm.write(scope, Role.CHAT, prompt("hello"))).text == "fine"
        assert len(fake.asked) == 5
        for _ in range(2):
            await llm.write(first, Role.CHAT, replace(prompt("hello"), temperature=0.5))
        assert len(fake.asked) == 7
        tally = (await llm.usage(LOCAL, 1, "model", everybody=True))["p/dear"]
        assert (tally.calls, tally.cached) == (8, 1)


def test_a_budget_of_nobody_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"llm\.budgets"):
        Ledger(None, ModelSettings(budgets={"ann": BudgetSettings()}), Clocks(), str)  # type: ignore[arg-type]  # it is not opened


async def test_who_connects_and_chooses_models_stands_in_the_audit_and_no_key_does(
    tmp_path: Path, database: Database
) -> None:
    ann = replace(LOCAL, actor=Actor("1", "ann"))
    new = Connection(name="other", flavor="compatible", url="http://127.0.0.1:9/v1", key="a-key-nobody-may-read")
    async with fake_provider(counting([])) as fake, accounts(tmp_path, fake, database, ModelSettings()) as llm:
        before = {each.number for each in await told(database)}
        await llm.change(ann, lambda held: held.with_provider(new))
        await llm.change(ann, lambda held: held.with_provider(new))  # as it is: nothing was done
        await llm.change(ann, lambda held: held.with_provider(msgspec.structs.replace(new, is_enabled=False)))
        await llm.change(ann, lambda held: held.with_provider(new))
        await llm.change(ann, lambda held: held.with_chain(Role.EDIT, ("other/m",)))
        await llm.change(ann, lambda held: held.with_chain(Role.EDIT, ()))
        await llm.change(ann, lambda held: held.without("other"))
        with pytest.raises(Conflict):
            await llm.change(ann, lambda held: held.without("p"))
        entries = [each for each in reversed(await told(database)) if each.number not in before]
        assert [(each.actor, each.action, each.subject) for each in entries] == [
            ("ann (1)", "provider.connect", "other compatible http://127.0.0.1:9/v1"),
            ("ann (1)", "provider.disable", "other"),
            ("ann (1)", "provider.enable", "other"),
            ("ann (1)", "model.use", "edit other/m"),
            ("ann (1)", "model.use", "edit none"),
            ("ann (1)", "provider.disconnect", "other"),
        ]
        async with database.begin(write=False) as tx:
            assert (await trail.verify_audit(LOCAL, tx)).wrong == ""


async def test_what_the_audit_cannot_say_is_not_done(tmp_path: Path, database: Database) -> None:
    new = Connection(name="other", flavor="compatible", url="http://127.0.0.1:9/v1")
    async with fake_provider(counting([])) as fake, accounts(tmp_path, fake, database, ModelSettings()) as llm:
        async with database.begin() as tx:
            await tx.execute(text("ALTER TABLE audit RENAME TO gone"))
        before = llm.connections()
        with pytest.raises(DuckError):
            await llm.change(LOCAL, lambda held: held.with_provider(new))
        assert llm.connections() == before
        async with database.begin() as tx:
            await tx.execute(text("ALTER TABLE gone RENAME TO audit"))


async def test_two_who_change_what_is_connected_at_once_lose_nothing(tmp_path: Path, database: Database) -> None:
    async with (
        fake_provider(counting([])) as fake,
        accounts(tmp_path, fake, database, ModelSettings()) as llm,
        open_llm(Settings(home=str(tmp_path)), None, Ground(database)) as beside,
    ):
        names = [f"n{number}" for number in range(6)]
        ours, theirs = names[::2], names[1::2]

        async def connect(which: LLM, name: str) -> None:
            new = Connection(name=name, flavor="compatible", url="http://127.0.0.1:9/v1")
            await which.change(LOCAL, lambda held: held.with_provider(new))

        await asyncio.gather(*(connect(llm, each) for each in ours), *(connect(beside, each) for each in theirs))
        assert sorted(llm.connections().providers) == [*names, "p"]


async def test_calls_that_cannot_be_written_are_kept_and_written_later(tmp_path: Path, database: Database) -> None:
    back, events = asyncio.Event(), list[str]()

    async def until_back(seconds: float) -> None:
        await back.wait()

    models = ModelSettings(prices=PRICES, cache_s=0, budgets={"user": BudgetSettings(usd=1.0)})
    clocks = Clocks(sleep=until_back)
    async with (
        fake_provider(counting([(10, 5)] * 9)) as fake,
        accounts(tmp_path, fake, database, models, clocks=clocks) as llm,
    ):
        await rename(database, "model_usage", "gone")
        with telemetry.listening(lambda name, fields: events.append(name)):
            for number in range(3):
                await llm.write(LOCAL, Role.CHAT, prompt(f"hello {number}"))
            (budget,) = await llm.budgets(LOCAL)
        cost = Decimal(10 * 3.75 + 5 * 15) / 1_000_000
        assert "llm.calls_unwritten" in events
        assert budget.spent_usd > 3 * cost, "what may have been spent is given back, though nobody knows"
        await rename(database, "gone", "model_usage")
        back.set()
        ledger = llm._ledger  # the one way to see that it writes without being asked to
        assert ledger is not None
        assert ledger._waiting is not None
        await ledger._waiting
        assert ledger._writer is not None
        await ledger._writer
        async with database.begin(write=False) as tx:
            assert len(list(await tx.execute(select(model_calls)))) == 3
        assert (await llm.budgets(LOCAL))[0].spent_usd == 3 * cost


async def test_calls_are_written_once_though_nobody_heard_that_they_were(tmp_path: Path, database: Database) -> None:
    models = ModelSettings(prices=PRICES, cache_s=0)
    lossy = Lossy(database, 1)
    async with (
        fake_provider(counting([(10, 5)] * 9)) as fake,
        accounts(tmp_path, fake, lossy, models) as llm,  # type: ignore[arg-type]  # it has what the ledger needs
    ):
        await llm.write(LOCAL, Role.CHAT, prompt("hello"))
        assert len(await llm.calls(LOCAL, 9)) == 1
        assert (await llm.usage(LOCAL, 1, "model"))["p/dear"].calls == 1
    assert lossy.losses == 0


async def test_a_call_that_cannot_be_told_in_numbers_keeps_no_other_back(tmp_path: Path, database: Database) -> None:
    def redact(text: str) -> str:
        if "odd" in text:
            raise ValueError(text)
        return text

    ledger = Ledger(database, ModelSettings(log_texts=True), Clocks(), redact)
    record = CallRecord(
        id=new_key(), at=datetime.now(UTC), actor=LOCAL.actor.id, project=None, role="chat", model="p/m",
        usage=Usage(10, 5), is_counted=True, is_cached=False, cost_usd=None, outcome="", first_ms=0, duration_ms=0,
        trace="",
    )  # fmt: skip
    for asked in ("odd", "even"):
        ledger.settle(Ended(replace(record, id=new_key()), Reservation(), FREE, lambda asked=asked: asked))  # type: ignore[misc]  # a default binds it
    calls = await ledger.calls(LOCAL, 9, everybody=False)
    await ledger.close()
    assert sorted((each.asked, each.cost_usd) for each in calls) == [("", None), ("even", Decimal(0))]


class Lossy:
    """A database that commits, and whose word of it is lost, so many times."""

    def __init__(self, database: Database, losses: int) -> None:
        self._database = database
        self.losses = losses

    def begin(self, *, write: bool = True) -> AbstractAsyncContextManager[Transaction]:
        """As a database does."""
        return self._database.begin(write=write)

    async def run(self, work: Callable[[DatabaseConnection], T], *, write: bool = True) -> T:
        """As a database does, but for the word of a write."""
        done = await self._database.run(work, write=write)
        if write and self.losses:
            self.losses -= 1
            raise StorageUnavailable("the connection is lost")
        return done


async def rename(database: Database, table: str, name: str) -> None:
    """Another name for a table, so that who writes there fails."""
    async with database.begin() as tx:
        await tx.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def told(database: Database) -> list[Entry]:
    """The audit, newest first."""
    async with database.begin(write=False) as tx:
        return await trail.list_audit(LOCAL, tx, 100)
