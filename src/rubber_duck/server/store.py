"""Requests that are carried out once, and hooks of projects: the only SQL of the server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text, delete, insert, select, update

from rubber_duck.storage.columns import Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

hooks: Final = Table(
    "hooks",
    metadata,
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("salt", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
)
"""Where a project's remote says that something was pushed. With `salt` the secret is made anew from that of all."""

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


async def set_hook(tx: Transaction, project_id: UUID, salt: str, at: datetime) -> None:
    """Give a project a hook in place of the one before."""
    await remove_hook(tx, project_id)
    await tx.execute(insert(hooks), {"project_id": project_id, "salt": salt, "created_at": at})


async def remove_hook(tx: Transaction, project_id: UUID) -> None:
    """The project has none then."""
    await tx.execute(delete(hooks).where(hooks.c.project_id == project_id))


async def hook_salt(tx: Transaction, project_id: UUID) -> str | None:
    """The salt of a project's hook; before this nobody is known, so there is no scope. None without one."""
    found = await tx.execute(select(hooks.c.salt).where(hooks.c.project_id == project_id))
    salt: str | None = found.scalar()
    return salt
