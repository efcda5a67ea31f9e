"""The front of storage: opens the database, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection

from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage import migrate as schema
from rubber_duck.storage.location import Location
from rubber_duck.storage.port import (
    Database,
    DatabaseHealth,
    Migration,
    Parameters,
    Record,
    Rows,
    Transaction,
    uninterrupted,
)

__all__ = [
    "Connection",
    "Database",
    "DatabaseHealth",
    "Migration",
    "Parameters",
    "Record",
    "Rows",
    "Transaction",
    "open_database",
]


@asynccontextmanager
async def open_database(settings: DatabaseSettings, *, migrate: bool = True) -> AsyncIterator[Database]:
    """The database at `settings.url`, closed at the end of the block.

    With `migrate` its schema is first brought to this program's; without, an older one is left as it is.
    Raises StorageUnavailable when it cannot be reached, opened or written, SchemaMismatch when its schema is
    newer than the program, InvalidSettings when the URL is none.
    """
    location = Location.parse(settings.url)
    database = await _connect(settings, location)
    try:
        revision = await database.run(schema.current, write=False)
        schema.refuse_unknown(revision, location.shown)
        if migrate and revision != schema.head():
            await database.migrate()
        yield database
    finally:
        await uninterrupted(database.close())


async def _connect(settings: DatabaseSettings, location: Location) -> Database:
    if location.path is not None:
        from rubber_duck.storage.sqlite import open_sqlite  # noqa: PLC0415  # only the twin in use is loaded

        return await open_sqlite(settings, location)
    from rubber_duck.storage.postgres import open_postgres  # noqa: PLC0415  # as above

    return await open_postgres(settings, location)
