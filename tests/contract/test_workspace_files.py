"""What is promised of a project's files and of recording a scan, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rubber_duck.errors import Conflict, InvalidInput, StaleVersion
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.workspace import store
from rubber_duck.workspace.workspace import Changes, ScanEntry, Workspace
from tests.factories import MOMENT, make_file, make_project

LOCAL = Scope.local()
LATER = MOMENT + timedelta(days=1)


@pytest.fixture
def workspace(database: Database) -> Workspace:
    return Workspace(database, clock=lambda: LATER)


async def in_transaction(database: Database, work: Callable[[Transaction], Awaitable[object]]) -> Any:
    async with database.begin() as tx:
        return await work(tx)


async def test_a_living_path_is_unique_in_its_project(database: Database) -> None:
    project = await make_project(database, LOCAL)
    first = await make_file(database, LOCAL, project, path="a.py")
    await make_file(database, LOCAL, await make_project(database, LOCAL), path="a.py")
    with pytest.raises(Conflict):
        await make_file(database, LOCAL, project, path="a.py")
    removed = await in_transaction(database, lambda tx: store.soft_delete_file(LOCAL, tx, first, LATER))
    second = await make_file(database, LOCAL, project, path="a.py")
    with pytest.raises(Conflict):
        await in_transaction(database, lambda tx: store.restore_file(LOCAL, tx, removed, LATER))
    await in_transaction(database, lambda tx: store.purge_file(LOCAL, tx, second.id))
    restored = await in_transaction(database, lambda tx: store.restore_file(LOCAL, tx, removed, LATER))
    assert restored == replace(first, version=3, updated_at=LATER)


async def test_a_lost_update_of_a_file_is_refused_by_version(database: Database) -> None:
    file = await make_file(database, LOCAL, await make_project(database, LOCAL))
    await in_transaction(database, lambda tx: store.change_file(LOCAL, tx, replace(file, size_bytes=1), LATER))
    with pytest.raises(StaleVersion):
        await in_transaction(database, lambda tx: store.change_file(LOCAL, tx, replace(file, size_bytes=2), LATER))


def entries(*paths: str, content_hash: str = "1") -> list[ScanEntry]:
    return [ScanEntry(path, "python", content_hash, 1) for path in paths]


def numbers(changes: Changes) -> tuple[int, int, int, int]:
    return changes.added, changes.changed, changes.removed, changes.unchanged


async def test_a_scan_adds_changes_removes_and_revives(workspace: Workspace, database: Database) -> None:
    project = await make_project(database, LOCAL)
    first = await workspace.record_scan(LOCAL, project, entries("a", "b", "c\udce9"))
    assert (numbers(first), set(first.ids)) == ((3, 0, 0, 0), {"a", "b", "c\udce9"})
    second = await workspace.record_scan(LOCAL, project, [*entries("a"), *entries("b", content_hash="2")])
    assert (numbers(second), set(second.ids)) == ((0, 1, 1, 1), {"a", "b"})
    third = await workspace.record_scan(LOCAL, project, entries("a", "c\udce9", "d"))
    assert numbers(third) == (2, 0, 1, 1)
    assert third.ids == {"a": first.ids["a"], "c\udce9": first.ids["c\udce9"], "d": third.ids["d"]}
    fourth = await workspace.record_scan(LOCAL, project, entries("a", "c\udce9", "d"))
    assert (numbers(fourth), fourth.ids) == ((0, 0, 0, 3), third.ids)
    kept = await workspace.files(LOCAL, project)
    assert [(file.path, file.id, file.version) for file in kept] == [
        ("a", first.ids["a"], 1),
        ("c\udce9", first.ids["c\udce9"], 3),
        ("d", third.ids["d"], 1),
    ]
    gone = await workspace.files(LOCAL, project, deleted=True)
    assert [(file.path, file.content_hash, file.version) for file in gone] == [("b", "2", 3)]


async def test_a_path_found_twice_is_refused_and_nothing_recorded(workspace: Workspace, database: Database) -> None:
    project = await make_project(database, LOCAL)
    with pytest.raises(InvalidInput, match="'a' was found twice"):
        await workspace.record_scan(LOCAL, project, entries("b", "a", "a"))
    assert await workspace.files(LOCAL, project) == []


async def test_scans_of_one_project_at_once_leave_one_row_for_each_path(
    workspace: Workspace, database: Database
) -> None:
    project = await make_project(database, LOCAL)
    paths = [f"{number}.py" for number in range(50)]
    scans = [entries(*paths, content_hash=str(number)) for number in range(6)]
    changes = await asyncio.gather(*(workspace.record_scan(LOCAL, project, scan) for scan in scans))
    ids: list[dict[str, UUID]] = [dict(change.ids) for change in changes]
    assert all(each == ids[0] for each in ids)
    assert sum(change.added for change in changes) == 50
    assert len({file.content_hash for file in await workspace.files(LOCAL, project)}) == 1
