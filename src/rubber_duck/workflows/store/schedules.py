"""When a schedule fires next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.workflows.store.tables import (
    schedules,
)


@dataclass(frozen=True, slots=True)
class Due:
    """The cron line by which a schedule fires, and when it does next."""

    cron: str
    next_at: datetime


def due_of(connection: Connection, name: str) -> Due | None:
    """When a schedule fires next; None for one that nobody knows yet."""
    held = connection.execute(select(schedules.c.cron, schedules.c.next_at).where(schedules.c.name == name)).first()
    return None if held is None else Due(held.cron, held.next_at)


def put_due(connection: Connection, name: str, due: Due) -> None:
    """Keep when a schedule fires next; of two processes that see it for the first time, one does."""
    if connection.execute(
        update(schedules).where(schedules.c.name == name).values(cron=due.cron, next_at=due.next_at)
    ).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(schedules).values(name=name, cron=due.cron, next_at=due.next_at))
    except IntegrityError:
        return  # another process was faster, with the same settings


def take_due(connection: Connection, name: str, now: datetime, following: Due) -> bool:
    """Move a schedule that is due on; True for the one process that did."""
    due = (schedules.c.name == name) & (schedules.c.next_at <= now)
    moved = update(schedules).where(due).values(cron=following.cron, next_at=following.next_at)
    return connection.execute(moved).rowcount == 1
