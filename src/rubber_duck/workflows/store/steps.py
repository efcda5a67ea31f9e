"""Results of steps that are kept by what they read."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import (
    Connection,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.workflows.store.tables import (
    step_results,
)


def key_of(*parts: str) -> str:
    """The key of what these name together."""
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=20).hexdigest()


def step_result(connection: Connection, key: str) -> object | None:
    """What a step of that content returned before, inside a list; None when that is not known."""
    found: object | None = connection.execute(select(step_results.c.result).where(step_results.c.key == key)).scalar()
    return found


def keep_step_result(connection: Connection, key: str, result: list[object], now: datetime) -> None:
    """Keep what a step of that content returned."""
    if step_result(connection, key) is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(step_results).values(key=key, result=result, created_at=now))
        except IntegrityError:
            return  # somebody else kept the same
