"""One question on its way through everything that stands before a model: limits, budget, and the account after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from rubber_duck.errors import BudgetExceeded, DuckError, NotConfigured
from rubber_duck.llm.account import CallRecord, Ended, Reservation
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.connections import Connection
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.fallback import Link
from rubber_duck.llm.limits import Kind, Limits
from rubber_duck.llm.messages import Piece, Question, TextDelta, ThoughtDelta, ToolCall, Usage
from rubber_duck.llm.prices import NOTHING, Price, Prices
from rubber_duck.llm.roles import Role
from rubber_duck.llm.sizes import asked_text, likely_tokens, most_tokens
from rubber_duck.llm.tokens import has_ranks
from rubber_duck.llm.ways import Ways
from rubber_duck.scope import Scope
from rubber_duck.storage.keys import new_key

if TYPE_CHECKING:
    from rubber_duck.llm.ledger import Ledger

Texts = Sequence[str]
_FEW_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    """One model of a chain, its connection and its price; None: not known."""

    connection: Connection
    model: str
    price: Price | None

    @property
    def label(self) -> str:
        """As people write it."""
        return f"{self.connection.name}/{self.model}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what a question takes, with the longest answer that it may have, of the dearest of the models.

    `usd` is None where no model that may answer has a known price. A budget is charged with more until it is over.
    """

    models: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    usd: Decimal | None


@dataclass(slots=True)
class Asking:
    """One question that is under way: its errand, which model was asked last, and what was charged for that.

    `reservation`: None while nothing is charged. `started_s`, `first_s`: when the attempt began, and its answer.
    `takings`: the limits that `tokens` were taken from. `used`: the tokens that each provider said it took; all of them
    did while `is_known`.
    """

    scope: Scope
    role: Role
    question: Question | Texts
    targets: Sequence[Target]
    errand: Errand
    links: list[Link] = field(default_factory=list)
    label: str = ""
    started_s: float = 0.0
    first_s: float = 0.0
    reservation: Reservation | None = None
    tokens: int = 0
    takings: list[tuple[Kind, str]] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    is_known: bool = True

    def chosen(self, link: Link) -> None:
        """That this link is asked now."""
        self.label = link.label


class Desk:
    """Where questions are let in and accounted for."""

    def __init__(self, ways: Ways, limits: Limits, ledger: Ledger | None, prices: Prices, clocks: Clocks) -> None:
        """`ledger`: None where there is no database to keep account in, as in a benchmark; then nothing is."""
        self._ways = ways
        self._limits = limits
        self._ledger = ledger
        self._prices = prices
        self._clocks = clocks

    async def estimate(self, targets: Sequence[Target], question: Question | Texts) -> Estimate:
        """About what the question takes; see Estimate."""
        tokens = await _likely(question)
        known = [each.price.at_most(tokens) for each in targets if each.price is not None]
        models = tuple(each.label for each in targets)
        return Estimate(models, tokens.input_tokens, tokens.output_tokens, max(known) if known else None)

    async def targets(self, models: Iterable[tuple[Connection, str]]) -> list[Target]:
        """The models with their prices. The list of prices is read off the event loop: it takes a moment."""
        now, prices = self._clocks.now(), self._prices
        found = []
        for connection, model in models:
            if not prices.is_at_hand(connection, model, now):
                await asyncio.to_thread(prices.of, connection, model, now)
            found.append(Target(connection, model, prices.of(connection, model, now)))
        return found

    @asynccontextmanager
    async def let_in(
        self, scope: Scope, role: Role, question: Question | Texts, targets: Sequence[Target], deadline: float
    ) -> AsyncIterator[Asking]:
        """The block asks the links; what each attempt took is settled after it, however it ends.

        Raises RateLimited, LimitExceeded, BudgetExceeded, TimedOut or Unavailable, and then nothing was sent.
        """
        asking = Asking(scope, role, question, self._payable(scope, targets), Errand(deadline))
        async with self._limited(asking):
            asking.links = [self._link(each, asking) for each in asking.targets]
            asking.errand.renew = partial(self._renew, asking)
            await self._reserve(asking)
            outcome = ""
            try:
                yield asking
            except DuckError as error:
                outcome = error.code
                raise
            except BaseException:
                outcome = "cancelled"
                raise
            finally:
                self._settle(asking, outcome)

    def remember(self, scope: Scope, role: Role, label: str) -> None:
        """Write down that a question was answered from memory."""
        if self._ledger is not None:
            record = CallRecord(
                id=new_key(), at=self._clocks.now(), actor=scope.actor.id, project=scope.project, role=role.value,
                model=label, usage=Usage(0, 0), is_counted=True, is_cached=True, cost_usd=NOTHING, outcome="",
                first_ms=0, duration_ms=0, trace=scope.trace,
            )  # fmt: skip
            self._ledger.settle(Ended(record, Reservation()))

    @asynccontextmanager
    async def _limited(self, asking: Asking) -> AsyncIterator[None]:
        """The block within the limits of user and project; what it was seen not to use is given back after it."""
        if self._limits.counts_tokens:
            likely = await _likely(asking.question)
            asking.tokens = likely.input_tokens + likely.output_tokens
        scope = asking.scope
        try:
            await self._take(asking, "user", scope.actor.id)
            if scope.project is not None:
                await self._take(asking, "project", str(scope.project))
            yield
        finally:
            if asking.is_known:
                for (kind, name), times in Counter(asking.takings).items():
                    used = asking.used[name] if kind == "provider" else asking.used.total()
                    self._limits.give_back(kind, name, times * asking.tokens - used)

    async def _take(self, asking: Asking, kind: Kind, name: str) -> None:
        await self._limits.take(kind, name, asking.scope.actor.id, asking.tokens, asking.errand.deadline)
        asking.takings.append((kind, name))

    def _payable(self, scope: Scope, targets: Sequence[Target]) -> Sequence[Target]:
        """The models that may be asked: while there is a budget in dollars, those whose price is known."""
        if self._ledger is None or not any(each.most_usd for each in self._ledger.budgets(scope)):
            return targets
        priced = [each for each in targets if each.price is not None]
        if not priced:
            raise BudgetExceeded(
                f"there is a budget in dollars, and the price of {targets[0].label!r} is not known: set it in "
                f'[llm.prices."{targets[0].label}"] of duck.toml'
            )
        return priced

    async def _reserve(self, asking: Asking) -> None:
        """Charge the most that an attempt can take, before it is made."""
        asking.started_s, asking.reservation = self._clocks.seconds(), None
        if self._ledger is not None:
            most, targets = most_tokens(asking.question), asking.targets
            usd = max((each.price.at_most(most) for each in targets if each.price is not None), default=NOTHING)
            tokens = most.input_tokens + most.output_tokens
            asking.reservation = await self._ledger.reserve(asking.scope, targets[0].label, usd, tokens)

    async def _renew(self, asking: Asking, error: DuckError) -> None:
        """Account for an attempt that took something although it failed, and charge for the next."""
        usage, is_counted = asking.errand.taken(error.code)
        if not is_counted or usage != Usage(0, 0):
            self._settle(asking, error.code)
            asking.errand.forget()
            asking.reservation = None
        if asking.reservation is None:
            await self._reserve(asking)

    def _link(self, target: Target, asking: Asking) -> Link:
        way = self._ways.to(target.connection)

        @asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            await self._take(asking, "provider", target.connection.name)
            async with way.turn(asking.scope.actor.id, asking.errand.deadline):
                yield

        return Link(target.connection.name, target.model, way.provider, turn)

    def _settle(self, asking: Asking, outcome: str) -> None:
        errand = asking.errand
        usage, is_counted = errand.taken(outcome)
        asking.used[asking.label.partition("/")[0]] += usage.input_tokens + usage.output_tokens
        asking.is_known = asking.is_known and is_counted
        if self._ledger is None:
            return
        if errand.has_ended and is_counted:
            outcome = ""  # whoever has the end need not ask for more
        label = asking.label or asking.targets[0].label
        record = CallRecord(
            id=new_key(), at=self._clocks.now(), actor=asking.scope.actor.id, project=asking.scope.project,
            role=asking.role.value, model=label, usage=usage, is_counted=is_counted, is_cached=False, cost_usd=None,
            outcome=outcome, first_ms=round((asking.first_s - asking.started_s) * 1000) if asking.first_s else 0,
            duration_ms=round((self._clocks.seconds() - asking.started_s) * 1000), trace=asking.scope.trace,
        )  # fmt: skip
        said = "".join((*map(_text, errand.heard), *(() if errand.has_ended else errand.withheld)))
        price = next((each.price for each in asking.targets if each.label == label), None)
        question = partial(asked_text, asking.question)
        self._ledger.settle(Ended(record, asking.reservation or Reservation(), price, question, said))


async def _likely(question: Question | Texts) -> Usage:
    """About how many tokens a question takes, on the event loop where another thread would take longer to wake."""
    if has_ranks() and most_tokens(question).input_tokens < _FEW_BYTES:
        return likely_tokens(question)
    return await asyncio.to_thread(likely_tokens, question)


def _text(piece: Piece) -> str:
    match piece:
        case TextDelta() | ThoughtDelta():
            return piece.text
        case ToolCall():
            return piece.name + piece.arguments
        case _:
            return ""


def chain_targets(
    connections: Mapping[str, Connection], chain: Iterable[tuple[str, str]], role: Role
) -> list[tuple[Connection, str]]:
    """The enabled models of a chain. Raises NotConfigured when there is none."""
    found = [(connections[name], model) for name, model in chain if connections[name].is_enabled]
    if not found:
        raise NotConfigured(
            f"no model is there for {role.value!r}: `duck llm connect` connects a provider, "
            f"`duck llm use {role.value} PROVIDER/MODEL` chooses one of its models"
        )
    return found
