"""Whose turn it is among the runs of one queue and priority."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.workflows.store.tables import (
    turns,
)


def next_turn(connection: Connection, status: Table, queue: str, tenant: str, first: int, most: int) -> int:
    """The tenant's next turn among the runs of a queue whose priority for DBOS is from `first` to `first + most`.

    Turns are those of fair queuing (Goyal, Vin and Cheng, 1996, with all runs of one size): a run comes after the
    tenant's last one, but not before the one that is next anyway; when nothing waits, not before the last of all.
    """
    held = status.c
    waits = (held.status == "ENQUEUED") & held.status.in_(("ENQUEUED", "PENDING"))  # as DBOS's index of them says it
    ours = (held.queue_name == queue) & waits & held.priority.between(first, first + most)
    waiting_first = select(func.min(held.priority) - first).where(ours).scalar_subquery()
    turn = _taken_turn(connection, f"{queue} {first}", tenant, waiting_first)
    if turn <= most:
        return turn
    # After so many, turns begin anew once nothing waits; until then those who come are last.
    if connection.execute(select(waiting_first)).scalar() is None:
        connection.execute(delete(turns).where(turns.c.queue == f"{queue} {first}"))
    return most


def _taken_turn(connection: Connection, lane: str, tenant: str, waiting_first: Any) -> int:  # Any: a subquery
    others = turns.alias()
    last_of_all = select(func.max(others.c.turn)).where(others.c.queue == lane).scalar_subquery()
    now = func.coalesce(waiting_first, last_of_all, 0)
    mine = (turns.c.queue == lane) & (turns.c.tenant == tenant)
    after = case((turns.c.turn < now, now), else_=turns.c.turn + 1)
    taken = update(turns).where(mine).values(turn=after).returning(turns.c.turn)
    turn = connection.execute(taken).scalar()
    if turn is None:
        new = select(literal(lane, Text), literal(tenant, Text), now)
        try:
            with connection.begin_nested():
                connection.execute(insert(turns).from_select(["queue", "tenant", "turn"], new))
        except IntegrityError:  # another process was faster
            return int(connection.execute(taken).scalar_one())
        turn = connection.execute(select(turns.c.turn).where(mine)).scalar_one()
    return int(turn)
