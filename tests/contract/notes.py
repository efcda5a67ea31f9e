"""A table of the tests' own, with every type of column, and what tests do with it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    select,
)

from rubber_duck.errors import StaleVersion
from rubber_duck.storage.columns import LIVING, Json, Key, PathText, Timestamp
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key

tables = MetaData()

notes = Table(
    "notes",
    tables,
    Column("id", Key, primary_key=True, default=new_key),
    Column("title", Text, nullable=False),
    Column("parent_id", Key, ForeignKey("notes.id", ondelete="CASCADE")),
    Column("count", BigInteger, nullable=False, default=0),
    Column("version", Integer, nullable=False, default=1),
    Column("path", PathText),
    Column("content", LargeBinary),
    Column("extra", Json),
    Column("created_at", Timestamp),
    Column("deleted_at", Timestamp),
    Index("ix_notes_title", "title", unique=True, sqlite_where=LIVING, postgresql_where=LIVING),
)


def create_notes(connection: Connection) -> None:
    """Create the table."""
    tables.create_all(connection)


async def titles(database: Database) -> list[str]:
    """The titles of all notes that are committed, in order."""
    async with database.begin(write=False) as tx:
        return [row.title for row in await tx.execute(select(notes.c.title).order_by(notes.c.title))]


async def add(tx: Transaction, title: str, **values: object) -> None:
    """Insert one note."""
    await tx.execute(notes.insert().values(title=title, **values))


async def count_of(database: Database, title: str) -> int:
    """The committed count of one note."""
    async with database.begin(write=False) as tx:
        return int((await tx.execute(select(notes.c["count"]).where(notes.c.title == title))).one()[0])


async def set_count(tx: Transaction, title: str, count: int, *, version: int) -> None:
    """Change a note that was read at `version`; StaleVersion when somebody else was faster."""
    change = (
        notes.update()
        .where(notes.c.title == title, notes.c.version == version)
        .values(count=count, version=version + 1)
    )
    if (await tx.execute(change)).rowcount != 1:
        raise StaleVersion(f"the note {title!r} was changed since it was read; read it again")


def amount(connection: Connection) -> int:
    """How many notes there are."""
    return int(connection.execute(select(func.count()).select_from(notes)).scalar_one())
