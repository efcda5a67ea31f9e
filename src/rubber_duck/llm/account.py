"""What is written down of calls to models: each call, sums of them, and what is charged to a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from rubber_duck.llm.messages import Usage
from rubber_duck.llm.prices import EXACT, NOTHING, Price
from rubber_duck.llm.stretch import Extra


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as the log keeps it.

    - `model`: as `provider/model`. `is_counted`: the provider said itself what it took; else it is our estimate.
    - `is_cached`: it was answered from memory, and no provider was asked.
    - `cost_usd`: exact; None: the price is not known. `outcome`: empty when it was answered, else an error's code.
    - `first_ms`: milliseconds until the first piece. `asked`, `answered`: empty unless the settings want texts kept.
    """

    id: UUID
    at: datetime
    actor: str
    project: UUID | None
    role: str
    model: str
    usage: Usage
    is_counted: bool
    is_cached: bool
    cost_usd: Decimal | None
    outcome: str
    first_ms: int
    duration_ms: int
    trace: str
    asked: str = ""
    answered: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum of calls. `unpriced` are those whose price is not known; `cost_usd` is without them."""

    calls: int = 0
    failed: int = 0
    cached: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = NOTHING

    @classmethod
    def of(cls, call: CallRecord) -> Tally:
        """One call."""
        return cls(
            1,
            int(bool(call.outcome)),
            int(call.is_cached),
            int(call.cost_usd is None),
            call.usage.input_tokens,
            call.usage.output_tokens,
            call.cost_usd or NOTHING,
        )

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.calls + other.calls,
            self.failed + other.failed,
            self.cached + other.cached,
            self.unpriced + other.unpriced,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            EXACT.add(self.cost_usd, other.cost_usd),
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """What is added to a holder's account for a period (a day or a month); a settlement may be negative."""

    holder: str
    period: str
    usd: Decimal
    tokens: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What one holder, `user:<id>` or `project:<id>`, may spend in a period, and what is charged of it."""

    holder: str
    period: str
    most_usd: Decimal
    most_tokens: int
    spent_usd: Decimal = NOTHING
    spent_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was charged before a call of `model`: at most so much can it cost. Nothing, where nobody has a budget.

    `most_usd` and `most_tokens` are what it could take; the charges are more where the provider counts more. `id` names
    it in the database, where it lapses unless it is renewed; None where nothing is charged.
    """

    charges: tuple[Charge, ...] = ()
    model: str = ""
    most_usd: Decimal = NOTHING
    most_tokens: int = 0
    id: UUID | None = None

    def beyond(self, call: CallRecord) -> Extra | None:
        """What the call took beyond the most that it could; None for one that failed, so that the next one shows it.

        Of a provider that does not count, or for which another answered, nobody learns it by waiting for more calls.
        """
        if call.outcome not in {"", "cancelled"}:
            return None
        if not call.is_counted or call.outcome or call.model != self.model:
            return Extra()
        usd = EXACT.subtract(call.cost_usd or NOTHING, self.most_usd)
        return Extra(usd, call.usage.input_tokens + call.usage.output_tokens - self.most_tokens)


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has ended, with what was reserved for it, and the price of the model that answered.

    What the provider did not count is counted from `asked()` and `said`, in tokens of the vocabulary that ships.
    """

    record: CallRecord
    reservation: Reservation
    price: Price | None = None
    asked: Callable[[], str] = str
    said: str = ""
