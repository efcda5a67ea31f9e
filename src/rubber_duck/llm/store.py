"""The tables of what models were asked and what it cost, and the only SQL of this slice.

Sums are decimals as text, because both databases would round them; they are added up here, under a lock on their row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Insert,
    Integer,
    Row,
    Table,
    Text,
    Update,
    bindparam,
    column,
    delete,
    insert,
    select,
    table,
    update,
)

from rubber_duck import telemetry
from rubber_duck.llm.account import CallRecord, Charge, Reservation, Tally
from rubber_duck.llm.messages import Usage
from rubber_duck.llm.prices import EXACT, NOTHING
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Key, Timestamp
from rubber_duck.storage.database import Connection, Transaction
from rubber_duck.storage.metadata import metadata

model_calls: Final = Table(
    "model_calls",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE")),
    Column("role", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("is_counted", Boolean, nullable=False),
    Column("is_cached", Boolean, nullable=False),
    Column("cost_usd", Text),
    Column("outcome", Text, nullable=False),
    Column("first_ms", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("trace", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("answered", Text, nullable=False),
    Index(None, "at"),
    Index(None, "actor_id", "at"),
    Index(None, "project_id"),
)
"""The log; a project's part goes with the project."""

model_usage: Final = Table(
    "model_usage",
    metadata,
    Column("day", Text, primary_key=True),
    Column("actor_id", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("cached", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_usd", Text, nullable=False),
)
"""Sums by day (UTC); they stay when the project goes, because what was spent is spent."""

model_spending: Final = Table(
    "model_spending",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("cost_usd", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)
"""What is charged to those who have a budget: calls that are under way at the most they can cost."""

model_reservations: Final = Table(
    "model_reservations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("cost_usd", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("until", Timestamp, nullable=False),
    Index(None, "until"),
)
"""What of that is charged for calls under way, by who reserved it; nobody renews it once their process is dead."""


_OWN: Final = (model_spending.c.holder == bindparam("of"), model_spending.c.period == bindparam("during"))
_SPENT: Final = select(model_spending).where(*_OWN).with_for_update()
_SPEND: Final = update(model_spending).where(*_OWN).values(cost_usd=bindparam("cost_usd"), tokens=bindparam("tokens"))
_BEGIN: Final = insert(model_spending)
_HOLD: Final = insert(model_reservations)
_RELEASE: Final = (
    delete(model_reservations)
    .where(model_reservations.c.id.in_(bindparam("ids", expanding=True)))
    .returning(model_reservations.c.id)
)
_LOG: Final = insert(model_calls)
_DAY: Final = (
    model_usage.c.day == bindparam("of_day"),
    model_usage.c.actor_id == bindparam("of_actor"),
    model_usage.c.project == bindparam("of_project"),
    model_usage.c.model == bindparam("of_model"),
)
_SUM: Final = select(model_usage).where(*_DAY).with_for_update()
_SUM_ANEW: Final = insert(model_usage)
_SUM_UP: Final = update(model_usage).where(*_DAY)
"""Made once: around each call to a model they are executed, and to make one takes longer than the database."""

_HELD: Final = tuple(model_reservations.c[name] for name in ("id", "holder", "period", "cost_usd", "tokens"))


def charge(connection: Connection, charge: Charge) -> tuple[Decimal, int]:
    """Add to what is charged to `charge.holder`, whoever asks; what is charged then, in US dollars and tokens.

    The row stays locked until the transaction ends.
    """
    mine = {"of": charge.holder, "during": charge.period}
    cost, tokens, statement, values = _added(connection.execute(_SPENT, mine).first(), charge)
    connection.execute(statement, values)
    return cost, tokens


def _added(
    held: Row[Any] | None, charge: Charge
) -> tuple[Decimal, int, Update | Insert, dict[str, object]]:  # the row's columns are the table's
    """What is charged with `charge`, and the statement that writes it."""
    cost = EXACT.add(Decimal(held.cost_usd) if held else NOTHING, charge.usd)
    tokens: int = (held.tokens if held else 0) + charge.tokens
    values: dict[str, object] = {"cost_usd": format(cost, "f"), "tokens": tokens}
    if held is None:
        return cost, tokens, _BEGIN, {"holder": charge.holder, "period": charge.period, **values}
    return cost, tokens, _SPEND, {"of": charge.holder, "during": charge.period, **values}


def hold(connection: Connection, reservation: Reservation, until: datetime) -> None:
    """Write down for which call something is charged; after `until` it is given back, unless it is renewed."""
    values = [
        {
            "id": reservation.id,
            "holder": each.holder,
            "period": each.period,
            "cost_usd": format(each.usd, "f"),
            "tokens": each.tokens,
            "until": until,
        }
        for each in reservation.charges
    ]
    connection.execute(_HOLD, values)


async def renew(tx: Transaction, reservations: Collection[UUID], until: datetime) -> None:
    """Let them stand until then."""
    mine = model_reservations.c.id.in_(list(reservations))
    await tx.execute(update(model_reservations).where(mine).values(until=until))


def release(connection: Connection, reservations: Collection[UUID]) -> set[UUID]:
    """Take them away; those that were there still, and not given back by others meanwhile."""
    return {row.id for row in connection.execute(_RELEASE, {"ids": list(reservations)})}


async def has_lapsed(tx: Transaction, now: datetime) -> bool:
    """Whether anything is reserved for calls of processes that died."""
    wanted = select(model_reservations.c.id).where(model_reservations.c.until < now).limit(1)
    return (await tx.execute(wanted)).first() is not None


def release_lapsed(connection: Connection, *, now: datetime) -> None:
    """Give back what is reserved for calls of processes that died, whosever they are."""
    rows = connection.execute(delete(model_reservations).where(model_reservations.c.until < now).returning(*_HELD))
    back: dict[tuple[str, str], Charge] = {}
    for row in rows:
        held = back.get((row.holder, row.period), Charge(row.holder, row.period, NOTHING, 0))
        usd = EXACT.subtract(held.usd, Decimal(row.cost_usd))
        back[row.holder, row.period] = Charge(row.holder, row.period, usd, held.tokens - row.tokens)
    for _, each in sorted(back.items()):
        charge(connection, each)
        telemetry.emit("llm.reservation_lapsed", holder=each.holder, usd=format(-each.usd, "f"), tokens=-each.tokens)


async def charged(tx: Transaction, holder: str, period: str) -> tuple[Decimal, int]:
    """What is charged to a holder, in US dollars and tokens."""
    mine = (model_spending.c.holder == holder, model_spending.c.period == period)
    held = (await tx.execute(select(model_spending).where(*mine))).first()
    return (NOTHING, 0) if held is None else (Decimal(held.cost_usd), held.tokens)


def add_calls(connection: Connection, calls: Sequence[CallRecord], living: Collection[UUID]) -> None:
    """Write calls to the log and add them to the sums. Every call says itself whose it is.

    What was asked for a project that is not among the `living` ones is only in the sums.
    """
    logged = [_values(call) for call in calls if call.project is None or call.project in living]
    if logged:
        connection.execute(_LOG, logged)
    for key, tally in _tallied(calls).items():
        day, actor, project, model = key
        mine = {"of_day": day, "of_actor": actor, "of_project": project, "of_model": model}
        held = connection.execute(_SUM, mine).first()
        values = _written(tally if held is None else _tally(held).plus(tally))
        if held is None:
            names = {"day": day, "actor_id": actor, "project": project, "model": model}
            connection.execute(_SUM_ANEW, {**names, **values})
        else:
            connection.execute(_SUM_UP, {**mine, **values})


async def usage_since(scope: Scope, tx: Transaction, day: str, by: str, *, everybody: bool) -> dict[str, Tally]:
    """The sums since a day, by `model`, `day`, `user` or `project`: the asker's own, or, to an administrator, all."""
    if everybody:
        scope.require(Right.ADMINISTER)
    named = {"model": "model", "day": "day", "user": "actor_id", "project": "project"}[by]
    rows = await tx.execute(select(model_usage).where(model_usage.c.day >= day, *_own(model_usage, scope, everybody)))
    sums: dict[str, Tally] = {}
    for row in rows:
        name = getattr(row, named)
        sums[name] = sums[name].plus(_tally(row)) if name in sums else _tally(row)
    return dict(sorted(sums.items()))


async def last_calls(scope: Scope, tx: Transaction, most: int, *, everybody: bool) -> list[CallRecord]:
    """The last calls, newest first: the asker's own, or, to an administrator, everybody's."""
    if everybody:
        scope.require(Right.ADMINISTER)
    wanted = select(model_calls).where(*_own(model_calls, scope, everybody))
    rows = await tx.execute(wanted.order_by(model_calls.c.at.desc(), model_calls.c.id.desc()).limit(most))
    return [_call(row) for row in rows]


def forget_calls(connection: Connection, before: datetime) -> int:
    """Delete what is older from the log; how many."""
    return connection.execute(delete(model_calls).where(model_calls.c.at < before)).rowcount


def written_calls(connection: Connection, calls: Collection[UUID]) -> set[UUID]:
    """Which of the calls stand in the log."""
    return {row.id for row in connection.execute(select(model_calls.c.id).where(model_calls.c.id.in_(list(calls))))}


def living_projects(connection: Connection, projects: Iterable[UUID]) -> set[UUID]:
    """Which of the projects are there still: what was asked for one that was purged meanwhile is not logged."""
    known = table("projects", column("id", Key))  # the workspace's, which is a sibling
    return {row.id for row in connection.execute(select(known.c.id).where(known.c.id.in_(list(projects))))}


def _own(rows: Table, scope: Scope, everybody: bool) -> list[ColumnElement[bool]]:
    return [] if everybody else [rows.c.actor_id == scope.actor.id]


def _tallied(calls: Iterable[CallRecord]) -> Mapping[tuple[str, str, str, str], Tally]:
    """In one order for everybody, so that two processes do not wait for each other."""
    sums: dict[tuple[str, str, str, str], Tally] = {}
    for call in calls:
        key = (call.at.date().isoformat(), call.actor, str(call.project or ""), call.model)
        sums[key] = sums.get(key, Tally()).plus(Tally.of(call))
    return dict(sorted(sums.items()))


def _values(call: CallRecord) -> dict[str, object]:
    return {
        "id": call.id,
        "at": call.at,
        "actor_id": call.actor,
        "project_id": call.project,
        "role": call.role,
        "model": call.model,
        "input_tokens": call.usage.input_tokens,
        "output_tokens": call.usage.output_tokens,
        "cache_read_tokens": call.usage.cache_read_tokens,
        "cache_write_tokens": call.usage.cache_write_tokens,
        "is_counted": call.is_counted,
        "is_cached": call.is_cached,
        "cost_usd": None if call.cost_usd is None else format(call.cost_usd, "f"),
        "outcome": call.outcome,
        "first_ms": call.first_ms,
        "duration_ms": call.duration_ms,
        "trace": call.trace,
        "asked": call.asked,
        "answered": call.answered,
    }


def _call(row: Row[Any]) -> CallRecord:  # the row's columns are the table's
    return CallRecord(
        id=row.id,
        at=row.at,
        actor=row.actor_id,
        project=row.project_id,
        role=row.role,
        model=row.model,
        usage=Usage(row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens),
        is_counted=row.is_counted,
        is_cached=row.is_cached,
        cost_usd=None if row.cost_usd is None else Decimal(row.cost_usd),
        outcome=row.outcome,
        first_ms=row.first_ms,
        duration_ms=row.duration_ms,
        trace=row.trace,
        asked=row.asked,
        answered=row.answered,
    )


def _written(tally: Tally) -> dict[str, object]:
    return {
        "calls": tally.calls,
        "failed": tally.failed,
        "cached": tally.cached,
        "unpriced": tally.unpriced,
        "input_tokens": tally.input_tokens,
        "output_tokens": tally.output_tokens,
        "cost_usd": format(tally.cost_usd, "f"),
    }


def _tally(row: Row[Any]) -> Tally:  # as in _call
    return Tally(
        row.calls, row.failed, row.cached, row.unpriced, row.input_tokens, row.output_tokens, Decimal(row.cost_usd)
    )
