"""Both twins of the database: what is promised above storage is tried on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Database, open_database
from tests.contract.notes import create_notes


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """Settings of an empty database of either kind."""
    if request.param == "sqlite":
        yield DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
        return
    server = request.getfixturevalue("postgres_server")
    with server.database() as name:
        yield DatabaseSettings(url=server.url(name))


@pytest.fixture
async def database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """An open database of either kind, with the product's tables and the table `notes`."""
    async with open_database(settings) as opened:
        await opened.run(create_notes)
        yield opened
