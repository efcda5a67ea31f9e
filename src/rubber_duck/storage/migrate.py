"""The schema's revisions: which one a database has, which one this program wants, and the way there.

Reading the revision does not import Alembic, so a start with a current schema costs one query.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from rubber_duck.errors import SchemaMismatch

FOLDER: Final = Path(__file__).parent / "migrations"

EXTENSIONS: Final = ("btree_gin", "pg_trgm", "pgcrypto", "uuid-ossp", "vector")
"""PostgreSQL extensions that are used when the server has them; none is needed."""

_FOLLOWS: Final = re.compile(r'^down_revision = (?:"(\w+)"|None)$', re.MULTILINE)
_ADVISORY_LOCK: Final = 0x6475636B  # "duck"


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this program knows, oldest first: a file `versions/0001_words.py` is revision `0001`.

    Each says which one it follows; numbers are given when work on it begins, so they need not be in that order.
    """
    after = dict(map(_link, (FOLDER / "versions").glob("[0-9]*_*.py")))
    found, last = list[str](), ""
    while last in after:
        last = after[last]
        found.append(last)
    return tuple(found)


def _link(path: Path) -> tuple[str, str]:
    """The revision that the one of a file follows, empty for the first, and its own."""
    follows = _FOLLOWS.search(path.read_text("utf-8"))
    return (follows[1] or "" if follows else ""), path.name.partition("_")[0]


def head() -> str:
    """The revision this program wants."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """The revision the database has; None before the first migration."""
    if connection.dialect.name == "sqlite":
        exists = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    else:
        exists = text("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL")
    if connection.execute(exists).first() is None:
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def refuse_unknown(revision: str | None, shown: str) -> None:
    """Raise SchemaMismatch when the database `shown` has a revision that this program does not know."""
    if revision is not None and revision not in revisions():
        raise SchemaMismatch(
            f"the database {shown} has schema {revision!r}, and this program knows it only up to {head()!r}: "
            "a newer RubberDuck has used it; install that version, or name another database"
        )


def prepare() -> None:
    """Import Alembic, which takes a while: for a thread, before `upgrade` runs where it must not take long."""
    importlib.import_module("alembic.command")


def upgrade(connection: Connection, shown: str) -> tuple[str | None, tuple[str, ...]]:
    """Bring the database `shown` to `head()` in the transaction of `connection`; one process at a time.

    Returns the revision before, and the extensions that are missing.
    """
    if connection.dialect.name == "postgresql":
        # SQLite needs no such lock: its transaction began IMMEDIATE, so that one process writes.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    before = current(connection)
    refuse_unknown(before, shown)
    if before is None:
        refuse_foreign(connection, shown)
    missing = _create_extensions(connection)
    if before != head():
        _run_alembic(connection)
    return before, missing


def missing_extensions(connection: Connection) -> tuple[str, ...]:
    """Which of EXTENSIONS the database has not; nothing on SQLite, which has none."""
    if connection.dialect.name == "sqlite":
        return ()
    installed = set(connection.execute(text("SELECT extname FROM pg_extension")).scalars())
    return tuple(name for name in EXTENSIONS if name not in installed)


def _create_extensions(connection: Connection) -> tuple[str, ...]:
    """Create what the server has and the user may create; return what is missing afterwards."""
    missing = missing_extensions(connection)
    if not missing:
        return ()
    available = set(connection.execute(text("SELECT name FROM pg_available_extensions")).scalars())
    for name in missing:
        if name not in available:
            continue
        try:
            with connection.begin_nested():
                connection.execute(text(f'CREATE EXTENSION IF NOT EXISTS "{name}"'))
        except DBAPIError:
            # The right is missing: the product works without, and `health` names the extension.
            continue
    return missing_extensions(connection)


def refuse_foreign(connection: Connection, shown: str) -> None:
    """Raise SchemaMismatch when a file without a revision holds somebody else's tables: it is not ours to fill."""
    if connection.dialect.name != "sqlite":
        return
    tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).scalars()
    if (first := tables.first()) is not None:
        raise SchemaMismatch(
            f"the database {shown} holds a table {first!r} that is not RubberDuck's; name another file in database.url"
        )


def _run_alembic(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # heavy, and needed only when the schema is old
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
