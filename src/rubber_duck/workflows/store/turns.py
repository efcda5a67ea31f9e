"""Whose turn it is among the runs of one queue and priority."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    Integer,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.workflows.store.tables import turns


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is asked for each run that is queued; building it anew would take longer than carrying it out."""

    take: Executable
    begin: Executable
    held: Executable
    first_waiting: Executable


def next_turn(connection: Connection, status: Table, queue: str, tenant: str, first: int, most: int) -> int:
    """The tenant's next turn among the runs of a queue whose priority for DBOS is from `first` to `first + most`.

    Turns are those of fair queuing (Goyal, Vin and Cheng, 1996, with all runs of one size): a run comes after the
    tenant's last one, but not before the one that is next anyway; when nothing waits, not before the last of all.
    """
    statements = _statements(status)
    asked = {"in_queue": queue, "first": first, "last": first + most, "lane": f"{queue} {first}", "of_tenant": tenant}
    turn = _taken_turn(connection, statements, asked)
    if turn <= most:
        return turn
    # After so many, turns begin anew once nothing waits; until then those who come are last.
    if connection.execute(statements.first_waiting, asked).scalar() is None:
        connection.execute(delete(turns).where(turns.c.queue == asked["lane"]))
    return most


def _taken_turn(connection: Connection, statements: _Statements, asked: dict[str, Any]) -> int:  # Any: parameters
    turn = connection.execute(statements.take, asked).scalar()
    if turn is None:
        try:
            with connection.begin_nested():
                connection.execute(statements.begin, asked)
        except IntegrityError:  # another process was faster
            return int(connection.execute(statements.take, asked).scalar_one())
        turn = connection.execute(statements.held, asked).scalar_one()
    return int(turn)


@lru_cache(maxsize=4)
def _statements(status: Table) -> _Statements:
    held, lane, tenant = status.c, bindparam("lane", type_=Text), bindparam("of_tenant", type_=Text)
    first, last = bindparam("first", type_=Integer), bindparam("last", type_=Integer)
    waits = (held.status == "ENQUEUED") & held.status.in_(("ENQUEUED", "PENDING"))  # as DBOS's index of them says it
    ours = (held.queue_name == bindparam("in_queue", type_=Text)) & waits & held.priority.between(first, last)
    first_waiting = select(func.min(held.priority) - first).where(ours)
    others = turns.alias()
    last_of_all = select(func.max(others.c.turn)).where(others.c.queue == lane).scalar_subquery()
    now = func.coalesce(first_waiting.scalar_subquery(), last_of_all, 0)
    mine = (turns.c.queue == lane) & (turns.c.tenant == tenant)
    after = case((turns.c.turn < now, now), else_=turns.c.turn + 1)
    return _Statements(
        take=update(turns).where(mine).values(turn=after).returning(turns.c.turn),
        begin=insert(turns).from_select(["queue", "tenant", "turn"], select(lane, tenant, now)),
        held=select(turns.c.turn).where(mine),
        first_waiting=first_waiting,
    )
