"""Requests that are carried out once: the only SQL of the server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, LargeBinary, Table, Text, delete, insert, select, update

from rubber_duck.storage.columns import Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

_WORKED_ON: Final = timedelta(minutes=15)

requests: Final = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("answer", LargeBinary),
    Column("created_at", Timestamp, nullable=False),
)
"""Requests with an idempotency key. `answer` is null while one is worked on, empty for what is shown once."""


async def begin_request(
    tx: Transaction, name: str, digest: str, at: datetime, kept: timedelta
) -> tuple[str, bytes | None] | None:
    """None when the request is new and begins now; else the digest of the one before, and its answer."""
    await tx.execute(delete(requests).where(requests.c.created_at < at - kept))
    given_up = requests.c.answer.is_(None) & (requests.c.created_at < at - _WORKED_ON)
    await tx.execute(delete(requests).where(requests.c.id == name, given_up))  # whoever worked on it was killed
    row = (await tx.execute(select(requests).where(requests.c.id == name).with_for_update())).first()
    if row is None:
        await tx.execute(insert(requests), {"id": name, "digest": digest, "created_at": at})
        return None
    return row.digest, row.answer


async def end_request(tx: Transaction, name: str, answer: bytes) -> None:
    """Keep the answer."""
    await tx.execute(update(requests).where(requests.c.id == name).values(answer=answer))


async def forget_request(tx: Transaction, name: str) -> None:
    """As if it had never been."""
    await tx.execute(delete(requests).where(requests.c.id == name))
