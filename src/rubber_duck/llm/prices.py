"""What tokens cost: the administrator's own prices, or a list that ships with the program; exact, to the last digit."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from rubber_duck.llm.connections import Connection
from rubber_duck.llm.flavors import flavor_named
from rubber_duck.llm.messages import Usage
from rubber_duck.settings.models import PriceSettings

EXACT: Final = decimal.Context(prec=100, traps=[decimal.InvalidOperation, decimal.Inexact])
"""Arithmetic that raises rather than rounds."""

NOTHING: Final = Decimal(0)
_KINDS: Final = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class Step:
    """A price in US dollars for a million tokens, that holds for prompts of more than `above` tokens."""

    above: int
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. Each kind has steps, lowest first; without steps of its own a cached token is an input.

    The step that the prompt's size reaches holds for all tokens of the call.
    """

    input: tuple[Step, ...]
    output: tuple[Step, ...]
    cache_read: tuple[Step, ...] = ()
    cache_write: tuple[Step, ...] = ()

    def of(self, usage: Usage) -> Decimal:
        """The cost of a call in US dollars."""
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        counts = (usage.input_tokens - read - written, usage.output_tokens, read, written)
        total = NOTHING
        for tokens, kind in zip(counts, _KINDS, strict=True):
            steps = getattr(self, kind) or self.input
            usd = next((each.usd for each in reversed(steps) if usage.input_tokens > each.above), steps[0].usd)
            total = EXACT.add(total, EXACT.scaleb(EXACT.multiply(usd, Decimal(tokens)), -6))
        return total

    def at_most(self, usage: Usage) -> Decimal:
        """The most that a call of up to so many tokens can cost, whatever is cached and whichever step holds."""
        reading = max(each.usd for kind in ("input", "cache_read", "cache_write") for each in getattr(self, kind))
        writing = max(each.usd for each in self.output)
        million = EXACT.add(
            EXACT.multiply(reading, Decimal(usage.input_tokens)), EXACT.multiply(writing, Decimal(usage.output_tokens))
        )
        return EXACT.scaleb(million, -6)


FREE: Final = Price((Step(0, NOTHING),), (Step(0, NOTHING),))
"""What runs at the user's own."""


class Prices:
    """The prices of connected models. The list is loaded when a price is first asked for that nobody has set."""

    def __init__(self, own: Mapping[str, PriceSettings]) -> None:
        """`own`: the administrator's, by `provider/model` or `provider/*`."""
        self._own = own
        self._found: dict[tuple[str, str, str], Price | None] = {}

    def is_at_hand(self, connection: Connection, model: str, now: datetime) -> bool:
        """Whether `of` answers without reading the list."""
        named = f"{connection.name}/{model}" in self._own or f"{connection.name}/*" in self._own
        is_local = flavor_named(connection.flavor).is_local
        return named or is_local or _key(connection, model, now) in self._found

    def of(self, connection: Connection, model: str, now: datetime) -> Price | None:
        """The price of a model of a connected provider; None: it is not known."""
        own = self._own.get(f"{connection.name}/{model}") or self._own.get(f"{connection.name}/*")
        if own is not None:
            return _own(own)
        if flavor_named(connection.flavor).is_local:
            return FREE
        key = _key(connection, model, now)
        if key not in self._found:
            self._found[key] = _listed(connection.url, model, now)
        return self._found[key]


def _key(connection: Connection, model: str, now: datetime) -> tuple[str, str, str]:
    return (connection.url, model, now.date().isoformat())


def _own(price: PriceSettings) -> Price:
    """A number of the settings is the decimal that was written: the shortest one that reads back as it."""
    kinds = (getattr(price, kind) for kind in _KINDS)
    return Price(*(() if value is None else (Step(0, Decimal(repr(value))),) for value in kinds))


def _listed(url: str, model: str, now: datetime) -> Price | None:
    """What the list says; it ships with the library, which asks no network."""
    from genai_prices import data_snapshot, types  # noqa: PLC0415  # 0.5 s, for those whose models cost something

    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, None, url)
    except LookupError:
        return None
    prices = found.get_prices(now)

    def steps(name: str) -> tuple[Step, ...]:
        said = getattr(prices, name)
        if isinstance(said, types.TieredPrices):
            return (Step(0, said.base), *(Step(each.start, each.price) for each in said.tiers))
        return () if said is None else (Step(0, said),)

    priced = [steps(f"{kind}_mtok") for kind in _KINDS]
    if not priced[0]:
        return None
    return Price(priced[0], priced[1] or (Step(0, NOTHING),), priced[2], priced[3])
