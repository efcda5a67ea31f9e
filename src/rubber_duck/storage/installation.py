"""The secret that the processes of one installation share because they share its database."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import Column, LargeBinary, Table, Text, insert, select

from rubber_duck.errors import Conflict
from rubber_duck.storage.metadata import metadata
from rubber_duck.storage.port import Database

installation: Final = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)

_NAME: Final = "secret"
_BYTES: Final = 32


async def shared_key(
    database: Database, purpose: str, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> bytes:
    """32 bytes for one purpose, the same in every process; the secret behind them is made by whoever comes first."""
    found = await _secret(database)
    if found is None:
        with suppress(Conflict):  # another process made it at the same moment: its own is read then
            async with database.begin() as tx:
                await tx.execute(insert(installation), {"name": _NAME, "secret": random_bytes(_BYTES)})
        found = await _secret(database)
    assert found is not None
    return hmac.digest(found, purpose.encode(), "sha256")


async def _secret(database: Database) -> bytes | None:
    async with database.begin(write=False) as tx:
        found = (await tx.execute(select(installation.c.secret).where(installation.c.name == _NAME))).scalar()
    return None if found is None else bytes(found)
