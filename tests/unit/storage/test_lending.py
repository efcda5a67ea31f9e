"""Engines that are lent to a library."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import cast

import pytest

from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.lending import lent_engine


def test_what_is_given_back_after_the_end_is_closed(tmp_path: Path) -> None:
    engine = lent_engine(DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db"))
    connection = engine.connect()
    raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    engine.dispose()
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        raw.execute("SELECT 1")


def test_what_is_given_back_before_is_used_again(tmp_path: Path) -> None:
    engine = lent_engine(DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db"))
    with engine.connect() as connection:
        first = connection.connection.dbapi_connection
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection is first
    engine.dispose()
