"""An engine on the product's own database, lent to a library that keeps its own tables there (DBOS)."""

from __future__ import annotations

import sqlite3
import threading
from typing import Final

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.location import Location

__all__ = ["Engine", "lent_engine"]

_SERVER_POOL: Final = 8
_BUSY_TIMEOUT_S: Final = 30.0
_IDLE_S: Final = 10
"""A process that is frozen within a transaction holds its locks no longer: whoever takes its work over needs them."""


def lent_engine(settings: DatabaseSettings) -> Engine:
    """A synchronous engine at `settings.url`, with the durability of our own connections.

    On SQLite it has one connection, whose transactions begin IMMEDIATE, because the library's readers write next.
    Whoever borrows it disposes of it.
    """
    location = Location.parse(settings.url)
    if location.path is None:
        url = location.url

        def connect() -> psycopg.Connection[tuple[object, ...]]:
            connection = psycopg.connect(url, application_name="rubber-duck-durable")
            connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_S}s'")
            connection.commit()
            return connection

        lent = create_engine(
            "postgresql+psycopg://",
            creator=connect,
            pool_size=_SERVER_POOL,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        _close_late_returns(lent)
        return lent
    engine = create_engine(
        f"sqlite:///{location.path}",
        pool_size=1,
        max_overflow=0,
        pool_timeout=_BUSY_TIMEOUT_S,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_TIMEOUT_S, "isolation_level": "IMMEDIATE", "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    _close_late_returns(engine)
    return engine


def _close_late_returns(engine: Engine) -> None:
    """Have a connection closed that a thread gives back after the engine was disposed of; nobody else would."""
    disposed = threading.Event()
    event.listen(engine, "engine_disposed", lambda _: disposed.set())

    def checked_in(connection: object, record: ConnectionPoolEntry) -> None:
        if disposed.is_set() and connection is not None:
            record.invalidate()

    event.listen(engine, "checkin", checked_in)


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
