"""What attempts took that failed is charged, logged and within the budget, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from rubber_duck.errors import BudgetExceeded, DuckError
from rubber_duck.llm.account import CallRecord
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.llm import LLM, Clocks, Ground, open_llm
from rubber_duck.llm.messages import Message, Prompt, Usage
from rubber_duck.llm.messages import Role as Speaker
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.settings.models import BudgetSettings, ModelSettings, PriceSettings
from rubber_duck.storage.database import Database
from tests.fake_provider import (
    Answer,
    Asked,
    FakeProvider,
    Send,
    anthropic_events,
    event,
    fake_provider,
    head,
    openai_events,
    saying,
    sending,
)

SCOPE = Scope.local()
QUESTION = Prompt((Message(Speaker.USER, "How are you today, my dear friend?"),), answer_tokens=50)
PRICES = {f"p{number}/m": PriceSettings(input=3.0, output=15.0, cache_read=0.3) for number in range(2)}
BUSY = event({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "error")
START = event({"type": "message_start", "message": {"model": "m", "usage": {
    "input_tokens": 60, "cache_read_input_tokens": 40, "output_tokens": 1}}}, "message_start")  # fmt: skip
COUNTED = event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 2}})
FAILED_WITH_COUNT = event(
    {"error": {"message": "busy"}, "choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 2}}
)


async def at_once(seconds: float) -> None:
    """Waits for nothing."""


@asynccontextmanager
async def models(
    home: Path, database: Database, flavor: str, *servers: FakeProvider, usd: float = 1.0, places: int = 8
) -> AsyncIterator[LLM]:
    """A chain of one model at each server, each asked again once, with a budget."""
    connections = Connections()
    for number, server in enumerate(servers):
        connection = Connection(name=f"p{number}", flavor=flavor, url=server.url, key="only-a-test")
        connections = connections.with_provider(connection)
    chain = tuple(f"p{number}/m" for number in range(len(servers)))
    write_connections(home, connections.with_chain(Role.CHAT, chain))
    settings = ModelSettings(
        prices=PRICES, cache_s=0, retries=1, at_once=places, budgets={"user": BudgetSettings(usd=usd)}
    )
    clocks = Clocks(sleep=at_once, random=lambda: 0.0)
    async with open_llm(Settings(home=str(home), llm=settings), clocks, Ground(database)) as llm:
        yield llm


async def account(llm: LLM) -> list[CallRecord]:
    """The calls, first one first; what is charged is their sum."""
    calls = await llm.calls(SCOPE, 9)
    (budget,) = await llm.budgets(SCOPE)
    assert budget.spent_usd == sum(each.cost_usd or 0 for each in calls)
    assert budget.spent_tokens == sum(each.usage.input_tokens + each.usage.output_tokens for each in calls)
    (tally,) = (await llm.usage(SCOPE, 1, "user")).values()
    assert (tally.cost_usd, tally.failed) == (budget.spent_usd, sum(bool(each.outcome) for each in calls))
    return calls[::-1]


TOLD = {
    "a message that had begun": ("anthropic", [START, BUSY], Usage(100, 1, 40)),
    "a count before the error": ("compatible", [COUNTED, BUSY], Usage(100, 2)),
    "a count beside the error": ("compatible", [FAILED_WITH_COUNT], Usage(100, 2)),
}


@pytest.mark.parametrize("case", list(TOLD))
async def test_an_attempt_that_is_made_again_costs_what_it_told(tmp_path: Path, database: Database, case: str) -> None:
    flavor, events, usage = TOLD[case]
    good = anthropic_events(["fine"]) if flavor == "anthropic" else openai_events(["fine"])
    async with (
        fake_provider(sending(head(), *events), sending(head(), *good)) as fake,
        models(tmp_path, database, flavor, fake) as llm,
    ):
        assert (await llm.write(SCOPE, Role.CHAT, QUESTION)).text == "fine"
        failed, answered = await account(llm)
    assert (failed.usage, failed.is_counted, failed.outcome) == (usage, True, "provider_unavailable")
    cost = (60 * 3 + 40 * Decimal("0.3") + 15) if flavor == "anthropic" else (100 * 3 + Decimal(2) * 15)
    assert failed.cost_usd == cost / 1_000_000
    assert (answered.usage, answered.outcome) == (Usage(7, 3), "")


async def test_a_model_that_another_stands_in_for_is_charged_with_its_own_attempts(
    tmp_path: Path, database: Database
) -> None:
    broken = sending(head(), openai_events([])[0])  # begun, and nobody says what it took
    async with (
        fake_provider(broken) as ill,
        fake_provider(sending(head(), *openai_events(["fine"]))) as well,
        models(tmp_path, database, "compatible", ill, well) as llm,
    ):
        assert (await llm.write(SCOPE, Role.CHAT, QUESTION)).model == "p1/m"
        calls = await account(llm)
    assert [(each.model, each.outcome, each.is_counted) for each in calls] == [
        ("p0/m", "bad_answer", False), ("p0/m", "bad_answer", False), ("p1/m", "", True)
    ]  # fmt: skip
    assert calls[0].usage.input_tokens >= 8
    assert calls[0].usage.output_tokens == 0


@pytest.mark.parametrize("said", ["text", "call"])
async def test_an_answer_that_breaks_off_costs_what_was_told_and_what_came(
    tmp_path: Path, database: Database, said: str
) -> None:
    """A call comes whole or not at all, so what had come of it is counted from what was kept back."""
    words = "one two three four five six seven eight"
    calls = [] if said == "text" else [("c1", "look", f'{{"where": "{words}"}}')]
    events = anthropic_events([words] if said == "text" else [], calls=calls)[1:-3]
    broken = sending(head(), START, *events, BUSY)
    async with fake_provider(broken) as fake, models(tmp_path, database, "anthropic", fake) as llm:
        with pytest.raises(DuckError, match="busy"):
            await llm.write(SCOPE, Role.CHAT, QUESTION)
        call = (await account(llm))[-1]
    assert (call.usage.input_tokens, call.usage.cache_read_tokens, call.is_counted) == (100, 40, False)
    assert call.usage.output_tokens >= 8


async def test_failures_that_took_nothing_are_no_calls_of_their_own(tmp_path: Path, database: Database) -> None:
    async with (
        fake_provider(saying({}, 503), sending(head(), *openai_events(["fine"]))) as fake,
        models(tmp_path, database, "compatible", fake) as llm,
    ):
        await llm.write(SCOPE, Role.CHAT, QUESTION)
        (call,) = await account(llm)
    assert call.usage == Usage(7, 3)


async def test_what_waited_for_its_turn_and_was_never_sent_costs_nothing(tmp_path: Path, database: Database) -> None:
    begun = asyncio.Event()

    async def silent(asked: Asked, send: Send) -> None:
        begun.set()
        await asked.closed.wait()

    async with fake_provider(silent) as fake, models(tmp_path, database, "compatible", fake, places=1) as llm:
        asking = asyncio.create_task(llm.write(SCOPE, Role.CHAT, QUESTION))
        await begun.wait()
        waiting = asyncio.create_task(llm.write(SCOPE, Role.CHAT, QUESTION))
        way = llm._ways.held("p0")  # the one way to see that somebody waits
        assert way is not None
        while not way.queue._waiting:  # noqa: ASYNC110  # nothing tells that somebody begins to wait
            await asyncio.sleep(0)
        for task in (waiting, asking):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        never, left = await account(llm)
    assert (never.usage, never.cost_usd, never.outcome) == (Usage(0, 0), Decimal(0), "cancelled")
    assert left.usage.input_tokens >= 8
    assert len(fake.asked) == 1


@pytest.mark.parametrize("servers", [1, 2])
async def test_no_attempt_is_made_beyond_the_budget(tmp_path: Path, database: Database, servers: int) -> None:
    """The budget has room for one attempt; the first takes all that it can and fails."""
    greedy = event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50}})
    answers: list[Answer] = [sending(head(), greedy, BUSY)]
    async with (
        fake_provider(*answers) as first,
        fake_provider(*answers) as second,
        models(tmp_path, database, "compatible", *(first, second)[:servers], usd=0.0015) as llm,
    ):
        with pytest.raises(BudgetExceeded):
            await llm.write(SCOPE, Role.CHAT, QUESTION)
        calls = await account(llm)
        (budget,) = await llm.budgets(SCOPE)
    assert (len(first.asked), len(second.asked)) == (1, 0)
    assert budget.spent_usd <= Decimal("0.0015")
    assert [each.outcome for each in calls] == ["provider_unavailable", "budget_exceeded"]
