"""What tokens cost: as the list says, as the administrator says, or not known."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as ListUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot

from rubber_duck.llm.connections import Connection
from rubber_duck.llm.flavors import FLAVORS
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.prices import Prices
from rubber_duck.settings.models import PriceSettings

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def connected(flavor: str, url: str = "") -> Connection:
    return Connection(name="p", flavor=flavor, url=url or FLAVORS[flavor].url)


@pytest.mark.parametrize("flavor", ["openai", "anthropic", "mistral", "deepseek"])
def test_costs_are_those_of_the_list_digit_by_digit(flavor: str) -> None:
    chance, prices, compared = random.Random(flavor), Prices({}), 0
    provider = next(each for each in get_snapshot().providers if each.id == flavor)
    for model in provider.models:
        price = prices.of(connected(flavor), model.id, NOW)
        if price is None or not price.output[-1].usd:
            continue
        for reach in (1_000, 190_000, 900_000):
            read, written = chance.randrange(reach), chance.randrange(reach)
            usage = Usage(read + written + chance.randrange(reach), chance.randrange(60_000), read, written)
            expected = calc_price(
                ListUsage(
                    input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
                    cache_read_tokens=read, cache_write_tokens=written,
                ),
                model_ref=model.id, provider_id=flavor, genai_request_timestamp=NOW,
            )  # fmt: skip
            assert price.of(usage) == expected.total_price, model.id
            assert price.of(usage) <= price.at_most(usage)
            compared += 1
    assert compared > 10


def test_the_administrators_price_wins_and_is_the_decimal_that_was_written() -> None:
    own = {"p/gpt-4o": PriceSettings(input=0.1, output=0.3), "p/*": PriceSettings(input=7, output=7, cache_read=0.7)}
    prices = Prices(own)
    usage = Usage(3, 7)
    of = {model: prices.of(connected("openai"), model, NOW) for model in ("gpt-4o", "other")}
    assert {model: price.of(usage) for model, price in of.items() if price} == {
        "gpt-4o": Decimal("0.0000024"),
        "other": Decimal("0.00007"),
    }
    assert of["other"] is not None
    assert of["other"].of(Usage(10, 0, cache_read_tokens=10)) == Decimal("0.000007")


def test_what_runs_at_the_users_own_costs_nothing_and_the_rest_is_unknown() -> None:
    prices = Prices({})
    local = prices.of(connected("ollama"), "qwen", NOW)
    assert local is not None
    assert local.of(Usage(10**9, 10**9)) == 0
    assert prices.of(connected("openai"), "no-such-model", NOW) is None
    assert prices.of(connected("compatible", "https://models.example/v1"), "gpt-4o", NOW) is None
