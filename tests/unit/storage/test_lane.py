"""A lane's connection is used and closed in its own thread, whatever happens to whoever opens it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import Connection, NullPool, create_engine

from rubber_duck.storage.lane import Lane


class Watched(sqlite3.Connection):
    """Tells which thread closed it."""

    closed_in: list[str]
    closed: threading.Event

    def close(self) -> None:
        """Close, and tell."""
        self.closed_in.append(threading.current_thread().name)
        super().close()
        self.closed.set()


async def test_a_connection_that_nobody_waits_for_any_more_is_closed_where_it_was_opened() -> None:
    connecting, go_on = threading.Event(), threading.Event()
    closed_in, closed = list[str](), threading.Event()

    def open_file() -> sqlite3.Connection:
        opened = sqlite3.connect(":memory:", factory=Watched)
        opened.closed_in, opened.closed = closed_in, closed
        return opened

    def connect() -> Connection:
        connecting.set()
        assert go_on.wait(10)
        return create_engine("sqlite://", creator=open_file, poolclass=NullPool).connect()

    lane = Lane("lane under test", connect)
    opening = asyncio.create_task(lane.open())
    assert await asyncio.to_thread(connecting.wait, 10)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    assert await asyncio.to_thread(closed.wait, 10)
    assert closed_in == ["lane under test"]
