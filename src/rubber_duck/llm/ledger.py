"""Keeps account: charges calls to budgets before they are made, settles them after, and writes the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.errors import BudgetExceeded, Conflict, DuckError, InvalidSettings, normalize
from rubber_duck.llm import store
from rubber_duck.llm.account import Budget, CallRecord, Charge, Ended, Reservation, Tally
from rubber_duck.llm.clocks import Clocks
from rubber_duck.llm.leases import Leases
from rubber_duck.llm.prices import EXACT, NOTHING
from rubber_duck.llm.stretch import Stretch
from rubber_duck.scope import Scope
from rubber_duck.settings.models import BudgetSettings, ModelSettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key
from rubber_duck.storage.port import uninterrupted

_TRIES: Final = 20
_MONTH: Final = len("2026-11")
_MOST_AT_ONCE: Final = 200
_MOST_KEPT: Final = 20_000
"""So many calls wait to be written while the database is away; of more, the oldest are given up."""

_FORGET_EVERY_S: Final = 3600.0
_AGAIN: Final = Backoff(0.5, 2.0, 30.0)


class Ledger:
    """The accounts of one installation. Settling never waits: a task of its own writes, and `flush` waits for it.

    What cannot be written is kept and tried again, later each time, until `close`.
    """

    def __init__(
        self, database: Database, settings: ModelSettings, clocks: Clocks, redact: Callable[[str], str]
    ) -> None:
        """Raises InvalidSettings for a budget of nobody."""
        self._database = database
        self._settings = settings
        self._clocks = clocks
        self._now = clocks.now
        self._redact = redact
        self._stretch = Stretch()
        self._leases = Leases(database, clocks)
        self._pending: deque[Ended] = deque()
        self._priced: deque[tuple[CallRecord, Reservation]] = deque()
        self._failures = 0
        self._writer: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._forgotten_at: datetime | None = None
        for name in settings.budgets:
            if name not in {"user", "project"} and not name.startswith(("user:", "project:")):
                raise InvalidSettings(
                    f'there is no budget for {name!r} (in [llm.budgets] of duck.toml); write "user", "project", '
                    '"user:<name>" or "project:<id>"'
                )

    def budgets(self, scope: Scope) -> tuple[Budget, ...]:
        """The budgets that hold for a request, by holder."""
        found = [self._budget(f"user:{scope.actor.id}", ("user:" + scope.actor.name, "user"))]
        if scope.project is not None:
            found.append(self._budget(f"project:{scope.project}", (f"project:{scope.project}", "project")))
        return tuple(sorted((each for each in found if each is not None), key=lambda each: each.holder))

    async def standing(self, scope: Scope) -> tuple[Budget, ...]:
        """The same with what is charged now."""
        await self.flush()
        await self._give_back_lapsed()
        found = []
        async with self._database.begin(write=False) as tx:
            for each in self.budgets(scope):
                usd, tokens = await store.charged(tx, each.holder, each.period)
                found.append(replace(each, spent_usd=usd, spent_tokens=tokens))
        return tuple(found)

    async def reserve(self, scope: Scope, model: str, most_usd: Decimal, most_tokens: int) -> Reservation:
        """Charge the most that a call of a model can cost. Raises BudgetExceeded when a budget could be passed, and
        nothing is charged then."""
        budgets = self.budgets(scope)
        if not budgets:
            return Reservation()
        extra = await self._stretch.of(model)
        usd, tokens = EXACT.add(most_usd, extra.usd), most_tokens + extra.tokens
        charges = tuple(Charge(each.holder, each.period, usd, tokens) for each in budgets)
        reservation = Reservation(charges, model, most_usd, most_tokens, key := new_key())
        self._leases.keep(key)
        try:
            await self._charge(budgets, reservation)
        except BaseException:
            self._leases.drop([key])  # whether it was written or not, it lapses
            self._stretch.learn(model, None)
            raise
        return reservation

    async def _charge(self, budgets: Sequence[Budget], reservation: Reservation) -> None:
        until = self._leases.until()

        def work(connection: Connection) -> None:
            for budget, charge in zip(budgets, reservation.charges, strict=True):
                usd, tokens = store.charge(connection, charge)
                _refuse_beyond(budget, charge, usd, tokens)
            store.hold(connection, reservation, until)

        try:
            await self._write(work)
        except BudgetExceeded:
            await self.flush()  # what has ended meanwhile may have cost less than it could
            await self._give_back_lapsed()
            await self._write(work)

    async def _give_back_lapsed(self) -> None:
        """Charge nothing any more for calls whose process died."""
        async with self._database.begin(write=False) as tx:
            if not await store.has_lapsed(tx, self._now()):
                return
        await self._write(partial(store.release_lapsed, now=self._now()))

    def settle(self, ended: Ended) -> None:
        """Write the call to the log, and charge what it cost in place of what was reserved; soon, and by `close`."""
        self._pending.append(ended)
        if self._waiting is None or self._waiting.done():
            self._begin()

    async def flush(self) -> None:
        """Wait until everything is written that was settled, or cannot be now."""
        if self._pending or self._priced:
            self._begin()
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)

    async def usage(self, scope: Scope, days: int, by: str, *, everybody: bool) -> Mapping[str, Tally]:
        """The sums of the last days. See `store.usage_since`."""
        await self.flush()
        day = (self._now() - timedelta(days=days - 1)).date().isoformat()
        async with self._database.begin(write=False) as tx:
            return await store.usage_since(scope, tx, day, by, everybody=everybody)

    async def calls(self, scope: Scope, most: int, *, everybody: bool) -> list[CallRecord]:
        """The last calls. See `store.last_calls`."""
        await self.flush()
        async with self._database.begin(write=False) as tx:
            return await store.last_calls(scope, tx, most, everybody=everybody)

    async def close(self) -> None:
        """Write what is not written yet; what cannot be is given up."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        await uninterrupted(self.flush())
        await self._leases.close()
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    def _budget(self, holder: str, names: tuple[str, ...]) -> Budget | None:
        found = next((self._settings.budgets[each] for each in names if each in self._settings.budgets), None)
        if found is None or not (found.usd or found.tokens):
            return None
        return Budget(holder, self._period(found), Decimal(repr(found.usd)), found.tokens)

    def _period(self, budget: BudgetSettings) -> str:
        day = self._now().date().isoformat()
        return day if budget.period == "day" else day[:7]

    def _begin(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._settle_pending())

    async def _settle_pending(self) -> None:
        while self._pending or self._priced:
            while self._pending:
                self._priced.append(await self._in_numbers(self._pending[0]))
                self._pending.popleft()
            batch = list(islice(self._priced, _MOST_AT_ONCE))
            try:
                await self._write(partial(self._settle, batch))
            except DuckError as error:
                self._keep_for_later(error)
                return
            self._failures = 0
            self._leases.drop(_keys(batch))
            for _ in batch:
                self._priced.popleft()

    def _keep_for_later(self, error: DuckError) -> None:
        """That calls could not be written: they wait, and their budgets stay charged with the most."""
        telemetry.emit("llm.calls_unwritten", calls=len(self._priced), error=error.message)
        while len(self._priced) > _MOST_KEPT:
            self._priced.popleft()
        self._failures += 1
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._begin_later())

    async def _begin_later(self) -> None:
        await self._clocks.sleep(_AGAIN.delay_s(self._failures - 1, self._clocks.random))
        self._begin()

    async def _in_numbers(self, ended: Ended) -> tuple[CallRecord, Reservation]:
        """The call with its numbers, and what is given back for it: nothing, where it cannot be told in numbers."""
        try:
            return await self._counted(ended), ended.reservation
        except Exception as error:  # noqa: BLE001  # one call must not keep all others from being written
            telemetry.emit("llm.calls_unwritten", calls=1, error=normalize(error).message)
            return replace(ended.record, cost_usd=None), Reservation()

    async def _counted(self, ended: Ended) -> CallRecord:
        """The call with all its numbers."""
        record = ended.record
        if record.is_cached:
            return record
        usage = record.usage
        if not record.is_counted:
            read, said = await asyncio.to_thread(_count, ended.asked, ended.said)
            usage = replace(
                usage, input_tokens=usage.input_tokens or read, output_tokens=max(usage.output_tokens, said)
            )
        is_nothing = not (usage.input_tokens or usage.output_tokens)
        cost = NOTHING if is_nothing else ended.price.of(usage) if ended.price is not None else None
        call = replace(record, usage=usage, cost_usd=cost)
        if self._settings.log_texts:
            call = replace(call, asked=self._redact(ended.asked()), answered=self._redact(ended.said))
        if ended.reservation.charges:
            self._stretch.learn(ended.reservation.model, ended.reservation.beyond(call))
        return call

    def _settle(self, batch: Sequence[tuple[CallRecord, Reservation]], connection: Connection) -> None:
        if self._failures:  # nobody knows of a commit that nobody answered
            written = store.written_calls(connection, [call.id for call, _ in batch])
            batch = [each for each in batch if each[0].id not in written]
        back: dict[tuple[str, str], Charge] = {}
        calls = [call for call, _ in batch]
        standing = store.release(connection, keys) if (keys := _keys(batch)) else set()
        for call, reservation in batch:
            cost, tokens = call.cost_usd or NOTHING, call.usage.input_tokens + call.usage.output_tokens
            is_held = reservation.id in standing  # what has lapsed was given back already
            for each in reservation.charges:
                held = back.get((each.holder, each.period), Charge(each.holder, each.period, NOTHING, 0))
                usd = EXACT.add(held.usd, EXACT.subtract(cost, each.usd if is_held else NOTHING))
                kept = held.tokens + tokens - (each.tokens if is_held else 0)
                back[each.holder, each.period] = replace(held, usd=usd, tokens=kept)
        for _, charge in sorted(back.items()):
            store.charge(connection, charge)
        meant = {call.project for call in calls if call.project is not None}
        living = store.living_projects(connection, meant) if meant else set()
        store.add_calls(connection, calls, living)
        self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        """Once an hour delete what the log need not keep any more."""
        now = self._now()
        if self._forgotten_at is None or (now - self._forgotten_at).total_seconds() > _FORGET_EVERY_S:
            store.forget_calls(connection, now - timedelta(days=self._settings.log_days))
            self._forgotten_at = now

    async def _write(self, work: Callable[[Connection], None]) -> None:
        """A transaction in one hop; again when somebody else made the same row at the same time."""
        for last in (*[False] * (_TRIES - 1), True):
            try:
                await self._database.run(work)
            except Conflict:
                if last:
                    raise
                await asyncio.sleep(0)
            else:
                return


def _keys(batch: Sequence[tuple[CallRecord, Reservation]]) -> list[UUID]:
    return [reservation.id for _, reservation in batch if reservation.id is not None]


def _refuse_beyond(budget: Budget, charge: Charge, usd: Decimal, tokens: int) -> None:
    """Raise BudgetExceeded when what is charged now is more than the budget: the transaction is taken back."""
    whose = "your" if budget.holder.startswith("user:") else "the project's"
    when = f"it begins anew with the next {'day' if len(budget.period) > _MONTH else 'month'} (UTC)"
    if budget.most_usd and usd > budget.most_usd:
        left = max(NOTHING, budget.most_usd - (usd - charge.usd))
        raise BudgetExceeded(
            f"this could cost up to ${charge.usd:.6f}, and of {whose} budget of ${budget.most_usd} there is "
            f"${left:.6f} left; {when}"
        )
    if budget.most_tokens and tokens > budget.most_tokens:
        left_tokens = max(0, budget.most_tokens - (tokens - charge.tokens))
        raise BudgetExceeded(
            f"this could take up to {charge.tokens:,} tokens, and of {whose} budget of {budget.most_tokens:,} there "
            f"are {left_tokens:,} left; {when}"
        )


def _count(asked: Callable[[], str], said: str) -> tuple[int, int]:
    from rubber_duck.llm.tokens import count_tokens  # noqa: PLC0415  # the vocabulary: only where nobody else counted

    return count_tokens(asked()), count_tokens(said)
