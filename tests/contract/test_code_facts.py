"""What parsing found is kept by project: read and written only through a scope that may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from rubber_duck.code.code import open_source
from rubber_duck.code.codec import encode
from rubber_duck.code.extract import extract
from rubber_duck.code.store import FactsRow, get_facts, put_facts
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.errors import Denied, InvalidInput
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database
from tests.factories import make_file, make_project


def symbols(source: str) -> FileSymbols:
    return extract(open_source("a.py", source.encode(), "python"))


async def read(database: Database, scope: Scope, paths: list[str] | None = None) -> dict[str, FileSymbols]:
    async with database.begin(write=False) as tx:
        return await get_facts(scope, tx, paths=paths)


async def put(database: Database, scope: Scope, *rows: FactsRow) -> None:
    await database.run(partial(put_facts, scope=scope, rows=rows))


async def test_facts_come_back_by_path_and_the_last_ones_count(database: Database) -> None:
    local = Scope.local()
    project = await make_project(database, local)
    scope = local.within(project.id)
    a = await make_file(database, scope, project, path="a.py", content_hash="1" * 32)
    b = await make_file(database, scope, project, path="b.py", content_hash="2" * 32)
    await put(database, scope, FactsRow(a.id, "0" * 32, encode(symbols("old = 1\n"))))
    rows = [
        FactsRow(a.id, "1" * 32, encode(symbols("x = 1\n"))),
        FactsRow(b.id, "2" * 32, encode(symbols("import y\n"))),
    ]
    await put(database, scope, *rows)
    assert await read(database, scope) == {"a.py": symbols("x = 1\n"), "b.py": symbols("import y\n")}
    assert await read(database, scope, ["b.py", "none.py"]) == {"b.py": symbols("import y\n")}


async def test_several_may_write_of_one_file_at_once_and_one_of_them_counts(database: Database) -> None:
    local = Scope.local()
    project = await make_project(database, local)
    scope = local.within(project.id)
    file = await make_file(database, scope, project, path="a.py", content_hash="1" * 32)
    rows = [FactsRow(file.id, "1" * 32, encode(symbols(f"x{number} = 1\n"))) for number in range(6)]
    await asyncio.gather(*(put(database, scope, row) for row in rows))
    assert await read(database, scope) in [{"a.py": symbols(f"x{number} = 1\n")} for number in range(6)]


async def test_facts_of_an_older_content_are_not_given(database: Database) -> None:
    local = Scope.local()
    project = await make_project(database, local)
    scope = local.within(project.id)
    file = await make_file(database, scope, project, content_hash="1" * 32)
    await put(database, scope, FactsRow(file.id, "0" * 32, encode(symbols("old = 1\n"))))
    assert await read(database, scope) == {}


async def test_another_project_or_another_actor_sees_and_writes_nothing(database: Database) -> None:
    local = Scope.local()
    project, other = await make_project(database, local), await make_project(database, local)
    scope = local.within(project.id)
    file = await make_file(database, scope, project, content_hash="1" * 32)
    row = FactsRow(file.id, "1" * 32, encode(symbols("x = 1\n")))
    await put(database, scope, row)
    stranger = replace(scope, actor=Actor("stranger", "stranger"))
    assert await read(database, local.within(other.id)) == {}
    assert await read(database, stranger) == {}
    for foreign in (local.within(other.id), stranger):
        with pytest.raises(Denied):
            await put(database, foreign, row)


async def test_a_right_and_a_project_are_needed(database: Database) -> None:
    local = Scope.local()
    project = await make_project(database, local)
    scope = local.within(project.id)
    with pytest.raises(Denied):
        await read(database, replace(scope, rights=frozenset(Right) - {Right.FILE_READ}))
    with pytest.raises(Denied):
        await put(database, replace(scope, rights=frozenset(Right) - {Right.ANALYSIS_RUN}))
    with pytest.raises(InvalidInput):
        await read(database, local)
