"""A database of SQLite with all tables in it, made once in a process and copied: making one takes ten times as long."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.storage.database import open_database
from rubber_duck.workflows.durable import open_durable
from tests.durable import Bench, declare


def fill(database: DatabaseSettings) -> None:
    """Make the product's tables and those of DBOS; in a thread, since the caller may have a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _open(database)).result()


async def _open(database: DatabaseSettings) -> None:
    declare()
    chosen = Settings(database=database, home="/nonexistent")
    async with (
        open_database(database) as opened,
        open_durable(opened, chosen, resolve=Bench().resolve, now=lambda: datetime.now(UTC)) as durable,
    ):
        await durable.library()


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="duck-template-", ignore_cleanup_errors=True)
    fill(DatabaseSettings(url=f"sqlite:///{folder.name}/duck.db"))
    return folder


def copy_database(target: Path) -> None:
    """Put a copy of the file there, that nobody has opened yet."""
    source = Path(_template().name) / "duck.db"
    assert not source.with_name("duck.db-wal").exists()
    shutil.copy(source, target)


def make_home(home: Path) -> None:
    """Make a home folder with a database in it, as a command that ran before leaves it; nothing if it is there."""
    if not home.exists() and home.parent.is_dir():
        home.mkdir(mode=0o700)
        copy_database(home / "duck.db")
