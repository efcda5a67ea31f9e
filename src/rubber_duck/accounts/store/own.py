"""What people set for themselves, and every face of theirs shares."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, Text, delete, insert, select

from rubber_duck.storage.columns import Json, Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

user_settings: Final = Table(
    "user_settings",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("at", Timestamp, nullable=False),
)


async def settings_of(tx: Transaction, user_id: UUID) -> dict[str, Any]:  # Any: JSON that somebody wrote
    """A user's settings by name."""
    columns = user_settings.c
    rows = await tx.execute(
        select(columns.name, columns.value).where(columns.user_id == user_id).order_by(columns.name)
    )
    return {row.name: row.value for row in rows}


async def set_setting(tx: Transaction, user_id: UUID, name: str, value: object, at: datetime) -> None:
    """Keep a setting in place of the one before; None: keep none."""
    mine = (user_settings.c.user_id == user_id, user_settings.c.name == name)
    await tx.execute(delete(user_settings).where(*mine))
    if value is not None:
        await tx.execute(insert(user_settings), {"user_id": user_id, "name": name, "value": value, "at": at})
