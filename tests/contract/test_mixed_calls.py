"""What calls of every kind cost, over both wires: known usage times known price, to the last digit."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from rubber_duck.errors import DuckError
from rubber_duck.llm.connections import Connection, Connections
from rubber_duck.llm.llm import LLM
from rubber_duck.llm.messages import Prompt, TextDelta, Usage
from rubber_duck.llm.roles import Role
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.scope import Scope
from rubber_duck.settings.models import ModelSettings, PriceSettings
from rubber_duck.storage.database import Database
from tests.contract.model_accounts import LOCAL, accounts, person, prompt
from tests.fake_provider import Answer, anthropic_events, event, fake_provider, head, openai_events, saying, sending

CACHED = {
    "p/dear": PriceSettings(input=3.75, output=15.0, cache_read=0.375, cache_write=4.6875),
    "p/cheap": PriceSettings(input=0.0375, output=0.15, cache_read=0.00375, cache_write=0.0375),
    "a/clever": PriceSettings(input=3.1, output=15.3, cache_read=0.31, cache_write=3.875),
}
ROLES = {"p/dear": Role.CHAT, "p/cheap": Role.EDIT, "a/clever": Role.PLAN}


def usage_of(chance: random.Random) -> Usage:
    """What a call may take, some of it read from a cache or written to one."""
    read, written = (chance.choice((0, chance.randrange(1, 50_000))) for _ in range(2))
    return Usage(read + written + chance.randrange(1, 200_000), chance.randrange(1, 9_000), read, written)


def told_by(wire: str, usage: Usage, *, is_cut: bool) -> Answer:
    """An answer that takes so much, and says so before its end; cut, it breaks off after its second piece of text."""
    if wire == "anthropic":
        events = anthropic_events(["fine", " thanks"])
        fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        count = {
            "input_tokens": fresh,
            "cache_read_input_tokens": usage.cache_read_tokens,
            "cache_creation_input_tokens": usage.cache_write_tokens,
            "output_tokens": usage.output_tokens,
        }
        events[0] = event({"type": "message_start", "message": {"model": "m", "usage": count}}, "message_start")
        counted = event({"type": "message_delta", "delta": {}, "usage": count}, "message_delta")
        end = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, "message_delta")
        parts = [*events[:5], counted, *([] if is_cut else [end, events[-1]])]
    else:
        parts = openai_events(["fine", " thanks"])
        details = {"cached_tokens": usage.cache_read_tokens}
        count = {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens}
        counted = event({"choices": [], "usage": {**count, "prompt_tokens_details": details}})
        parts = [*parts[:3], counted, *([] if is_cut else [parts[3], parts[-1]])]
    return sending(head() + b"".join(parts))


async def test_cost_is_usage_times_price_to_the_last_digit_over_a_thousand_mixed_calls(
    tmp_path: Path, database: Database
) -> None:
    """Both wires, tokens read from a cache and written to it; calls that end, are refused, break off, or are left."""
    chance, expected, endings = random.Random(7), dict.fromkeys(CACHED, Decimal(0)), Counter[str]()
    models = ModelSettings(prices=CACHED, cache_s=0, retries=0, breaker_failures=1000)
    async with (
        fake_provider(saying({})) as openai,
        fake_provider(saying({})) as anthropic,
        accounts(tmp_path, openai, database, models) as llm,
    ):
        claude = Connection(name="a", flavor="anthropic", url=anthropic.url, key="only-a-test")
        held = write_chains(llm.connections().with_provider(claude))
        await llm.change(LOCAL, lambda _: held)
        for number in range(1000):
            model = chance.choice(list(CACHED))
            wire, fake = ("anthropic", anthropic) if model[0] == "a" else ("openai", openai)
            ending = chance.choice(("whole", "whole", "whole", "whole", "refused", "cut", "left"))
            usage = usage_of(chance)
            usage = usage if wire == "anthropic" else replace(usage, cache_write_tokens=0)
            refused = saying({}, chance.choice((400, 401, 429, 500)))
            fake.answers = [refused if ending == "refused" else told_by(wire, usage, is_cut=ending == "cut")]
            scope, role = person(f"u{number % 3}"), ROLES[model]
            if ending == "left":
                await left_at_its_end(llm, scope, role, prompt(f"question {number}"))
            else:
                with told_of_errors(is_meant_well=ending == "whole"):
                    await llm.write(scope, role, prompt(f"question {number}"))
            endings[ending] += 1
            if (
                ending == "left" and wire == "openai"
            ):  # it had not said what it takes: what was asked and said is counted
                usage = Usage(count_tokens(f"user: question {number}"), count_tokens("fine thanks"))
            expected[model] += cost_of(usage, CACHED[model]) if ending != "refused" else 0
        assert min(endings.values()) > 90
        logged = await llm.calls(LOCAL, 5000, everybody=True)
        ours = [call for call in logged if not call.is_counted]
        assert (len(ours), {call.outcome for call in ours}) == (endings["left"], {"cancelled"})
        told = await llm.usage(LOCAL, 1, "model", everybody=True)
        assert {name: tally.cost_usd for name, tally in told.items()} == expected
        assert sum(tally.failed for tally in told.values()) == endings["refused"] + endings["cut"] + endings["left"]
        by_user = await llm.usage(LOCAL, 1, "user", everybody=True)
        assert sum(tally.cost_usd for tally in by_user.values()) == sum(expected.values())
        assert sum(tally.calls for tally in by_user.values()) == 1000
        assert sum(call.cost_usd or 0 for call in logged) == sum(expected.values())


def cost_of(usage: Usage, price: PriceSettings) -> Decimal:
    """In US dollars, by the prices as they are written."""
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    amounts = (
        (usage.input_tokens - read - written, price.input),
        (usage.output_tokens, price.output),
        (read, price.cache_read),
        (written, price.cache_write),
    )
    return sum((tokens * Decimal(str(usd)) for tokens, usd in amounts), Decimal(0)) / 1_000_000


def write_chains(connections: Connections) -> Connections:
    """One model for each role."""
    for model, role in ROLES.items():
        connections = connections.with_chain(role, (model,))
    return connections


async def left_at_its_end(llm: LLM, scope: Scope, role: Role, question: Prompt) -> None:
    """Ask, and leave when all text has come, but not the end, and not what it takes."""
    said = ""
    async with aclosing(llm.stream(scope, role, question)) as pieces:
        async for piece in pieces:
            said += piece.text if isinstance(piece, TextDelta) else ""
            if said == "fine thanks":
                return


@contextmanager
def told_of_errors(*, is_meant_well: bool) -> Iterator[None]:
    """Expect an error, or none."""
    if is_meant_well:
        yield
        return
    with pytest.raises(DuckError):
        yield
