"""When a schedule fires next."""

from __future__ import annotations

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


def put_schedule(connection: Connection, name: str, cron: str, next_at: datetime, latest: datetime) -> None:
    """Keep when a schedule fires next; one that is there with the same cron is left as it is.

    Unless it is to fire after `latest`: then somebody's clock went ahead when that was kept.
    """
    held = connection.execute(select(schedules.c.cron, schedules.c.next_at).where(schedules.c.name == name)).first()
    if held is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(schedules).values(name=name, cron=cron, next_at=next_at))
        except IntegrityError:
            return  # another process was faster, with the same settings
    elif held.cron != cron or held.next_at > latest:
        connection.execute(update(schedules).where(schedules.c.name == name).values(cron=cron, next_at=next_at))


def take_due(connection: Connection, name: str, now: datetime, next_at: datetime) -> bool:
    """Move a schedule that is due to `next_at`; True for the one process that did."""
    due = (schedules.c.name == name) & (schedules.c.next_at <= now)
    return connection.execute(update(schedules).where(due).values(next_at=next_at)).rowcount == 1
