"""What is stored comes back unchanged, and the same on both databases."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import select

from rubber_duck.errors import InvalidInput
from rubber_duck.storage.database import Database
from tests.contract.notes import notes, titles

KEY = UUID("017f22e2-79b0-77ff-bfff-ffffffffffff")


async def test_every_type_of_column_comes_back_unchanged(database: Database) -> None:
    values = {
        "id": KEY,
        "title": "größe \U0001f986 'quoted' %s :x",
        "parent_id": KEY,
        "count": 2**62,
        "version": 7,
        "path": os.fsdecode(b"caf\xe9/\xef\xbf\xbd"),
        "content": bytes(range(256)),
        "extra": {"b": [1, 2.5, None, True, "\0\ud800ü"], "a": {}},
        "created_at": datetime(2026, 7, 1, 10, 30, 15, 123456, tzinfo=UTC),
        "deleted_at": None,
    }
    async with database.begin() as tx:
        await tx.execute(notes.insert().values(values))
    async with database.begin(write=False) as tx:
        row = (await tx.execute(select(notes))).one()
    assert dict(row._mapping) == values
    assert list(row.extra) == ["b", "a"]


async def test_a_moment_of_any_zone_comes_back_in_utc(database: Database) -> None:
    moment = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=-5)))
    async with database.begin() as tx:
        await tx.execute(notes.insert().values(title="a", created_at=moment))
        read = (await tx.execute(select(notes.c.created_at))).scalar()
        found = await tx.execute(select(notes.c.title).where(notes.c.created_at == moment))
    assert (read, read.tzinfo, found.scalar()) == (moment, UTC, "a")


@pytest.mark.parametrize(
    "values",
    [
        {"created_at": datetime(2026, 7, 1)},  # noqa: DTZ001  # what is refused
        {"extra": math.inf},
        {"extra": {1, 2}},
        {"count": 2**63},
        {"title": "\ud800"},
        {"id": "not a key"},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_a_value_that_cannot_be_stored_is_invalid(database: Database, values: dict[str, object]) -> None:
    async def write() -> None:
        async with database.begin() as tx:
            await tx.execute(notes.insert().values({"title": "a", **values}))

    with pytest.raises(InvalidInput):
        await write()
    with pytest.raises(InvalidInput):
        await database.run(lambda connection: connection.execute(notes.insert(), {"title": "a", **values}))
    assert await titles(database) == []


async def test_a_soft_deleted_row_frees_its_name(database: Database) -> None:
    async with database.begin() as tx:
        await tx.execute(notes.insert().values(title="a", deleted_at=datetime.now(UTC)))
        await tx.execute(notes.insert().values(title="a"))
    assert await titles(database) == ["a", "a"]


async def test_rows_that_belong_to_a_deleted_row_go_with_it(database: Database) -> None:
    async with database.begin() as tx:
        await tx.execute(notes.insert().values(id=KEY, title="a"))
        await tx.execute(notes.insert().values(title="b", parent_id=KEY))
        deleted = await tx.execute(notes.delete().where(notes.c.id == KEY))
    assert deleted.rowcount == 1
    assert await titles(database) == []


async def test_many_parameters_run_one_statement_for_each(database: Database) -> None:
    async with database.begin() as tx:
        inserted = await tx.execute(notes.insert(), [{"title": f"{n:04}"} for n in range(3000)])
        changed = await tx.execute(notes.update().values(count=1))
    assert (inserted.rowcount, changed.rowcount) == (3000, 3000)
    assert await titles(database) == [f"{n:04}" for n in range(3000)]
