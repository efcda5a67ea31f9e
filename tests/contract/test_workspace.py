"""What is promised of projects and files, on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, NotFound, StaleVersion, UnknownName
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace import store
from rubber_duck.workspace.project import CodeFile, Project
from rubber_duck.workspace.workspace import ScanEntry, Workspace
from tests.factories import MOMENT, make_file, make_project, write_tree

LOCAL = Scope.local()
OTHER = replace(LOCAL, actor=Actor("other", "Other"))
LATER = MOMENT + timedelta(days=1)


class Clock:
    """A clock that is a second further each time it is read."""

    def __init__(self) -> None:
        self.now = MOMENT

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def workspace(database: Database) -> Workspace:
    return Workspace(database, clock=Clock())


async def in_transaction(database: Database, work: Callable[[Transaction], Awaitable[object]]) -> Any:
    async with database.begin() as tx:
        return await work(tx)


def without(right: Right) -> Scope:
    return replace(LOCAL, rights=frozenset(Right) - {right})


def folder(tmp_path: Path, name: str = "pond") -> str:
    path = tmp_path / name
    path.mkdir(exist_ok=True)
    return os.fspath(path)


# projects


async def test_an_added_project_is_read_back_unchanged(workspace: Workspace, tmp_path: Path) -> None:
    added = await workspace.add_project(LOCAL, folder(tmp_path), name=" Pond ", description="Deep.")
    assert added == Project(
        added.id, "local", "Pond", str(tmp_path / "pond"), "Deep.", {}, 1, added.created_at, added.created_at
    )
    assert added.created_at == MOMENT + timedelta(seconds=1)
    assert await workspace.project(LOCAL, "Pond") == added
    assert await workspace.project(LOCAL, str(added.id)) == added
    assert await workspace.projects(LOCAL) == [added]


async def test_every_field_of_project_and_file_survives_storing(database: Database) -> None:
    strange = "/srv/caf\udce9/\ufffd\n\u202e🦆"
    configuration: dict[str, Any] = {"a": [1, 2.5, None, True, "é\n\\u0000"], "": {}}
    project = await make_project(database, LOCAL, root=strange, configuration=configuration, name="🦆")
    file = await make_file(database, LOCAL, project, path="\udcff\n-rf.py", language=None, size_bytes=1 << 40)
    async with database.begin(write=False) as tx:
        assert await store.read_project(LOCAL, tx, project.id) == project
        assert await store.read_file(LOCAL, tx, file.id) == file


async def test_a_name_is_unique_among_the_living_projects_of_one_owner(workspace: Workspace, tmp_path: Path) -> None:
    first = await workspace.add_project(LOCAL, folder(tmp_path, "a"), name="pond")
    with pytest.raises(Conflict, match="'pond' already"):
        await workspace.add_project(LOCAL, folder(tmp_path, "b"), name="pond")
    await workspace.add_project(OTHER, folder(tmp_path, "b"), name="pond")
    await workspace.remove(LOCAL, "pond")
    second = await workspace.add_project(LOCAL, folder(tmp_path, "b"), name="pond")
    assert await workspace.projects(LOCAL) == [second]
    with pytest.raises(Conflict, match="'pond' already"):
        await workspace.restore(LOCAL, str(first.id))


async def test_a_folder_is_open_once_for_each_owner(workspace: Workspace, tmp_path: Path) -> None:
    first = await workspace.add_project(LOCAL, folder(tmp_path), name="a")
    (tmp_path / "link").symlink_to("pond")
    with pytest.raises(Conflict, match="open already, as the project 'a'"):
        await workspace.add_project(LOCAL, str(tmp_path / "link"), name="b")
    await workspace.remove(LOCAL, "a")
    await workspace.add_project(LOCAL, folder(tmp_path), name="b")
    with pytest.raises(Conflict, match="open already"):
        await workspace.restore(LOCAL, str(first.id))


async def test_opening_a_folder_finds_its_project_or_makes_one(workspace: Workspace, tmp_path: Path) -> None:
    first = await workspace.open_project(LOCAL, folder(tmp_path))
    assert await workspace.open_project(LOCAL, folder(tmp_path)) == first
    (tmp_path / "other").mkdir()
    second = await workspace.open_project(LOCAL, folder(tmp_path / "other"))
    third = await workspace.open_project(OTHER, folder(tmp_path))
    assert [first.name, second.name, third.name] == ["pond", "pond-2", "pond"]


async def test_eight_who_open_one_folder_at_once_get_the_same_project(workspace: Workspace, tmp_path: Path) -> None:
    opened = await asyncio.gather(*(workspace.open_project(LOCAL, folder(tmp_path)) for _ in range(8)))
    assert len({project.id for project in opened}) == 1
    assert len(await workspace.projects(LOCAL)) == 1


@pytest.mark.parametrize("name", ["  ", "x" * 101, "a\nb", "a\x1b[31m", "\u202eabc", "\ud800"])
async def test_what_cannot_be_a_name_is_refused(workspace: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a project's name"):
        await workspace.add_project(LOCAL, folder(tmp_path), name=name)


async def test_a_root_must_be_an_absolute_existing_folder(workspace: Workspace, tmp_path: Path) -> None:
    write_tree(tmp_path, {"file": ""})
    for root, error in [("pond", InvalidInput), (f"{tmp_path}/none", NotFound), (f"{tmp_path}/file", InvalidInput)]:
        with pytest.raises(error):
            await workspace.add_project(LOCAL, root)


async def test_a_project_is_renamed_described_and_configured(workspace: Workspace, tmp_path: Path) -> None:
    first = await workspace.add_project(LOCAL, folder(tmp_path))
    await workspace.rename(LOCAL, "pond", "lake")
    await workspace.describe(LOCAL, "lake", "Wide.")
    last = await workspace.configure(LOCAL, str(first.id), {"depth": 3})
    assert last == replace(
        first, name="lake", description="Wide.", configuration={"depth": 3}, version=4, updated_at=last.updated_at
    )
    assert last.updated_at > first.updated_at
    assert await workspace.project(LOCAL, "lake") == last


@pytest.mark.parametrize(
    "configuration",
    [{"a": float("nan")}, {1: 2}, {"a": (1, 2)}, {"a": object()}, {"a": "\0"}, {"a": "\ud800"}, {"a": "x" * 70_000}],
)
async def test_a_configuration_that_is_not_json_is_refused(
    workspace: Workspace, tmp_path: Path, configuration: dict[str, Any]
) -> None:
    await workspace.add_project(LOCAL, folder(tmp_path))
    with pytest.raises(InvalidInput, match="configuration"):
        await workspace.configure(LOCAL, "pond", configuration)


async def test_an_unknown_name_says_the_nearest(workspace: Workspace, tmp_path: Path) -> None:
    await workspace.add_project(LOCAL, folder(tmp_path))
    for ask in (workspace.project, workspace.remove):
        with pytest.raises(UnknownName, match="there is no project 'pnod'; did you mean 'pond'"):
            await ask(LOCAL, "pnod")
    with pytest.raises(UnknownName, match="no removed project 'pond'"):
        await workspace.restore(LOCAL, "pond")


async def test_a_removed_project_comes_back_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    first = await workspace.add_project(LOCAL, folder(tmp_path))
    await workspace.record_scan(LOCAL, first, [ScanEntry("a.py", "python", "1", 1)])
    removed = await workspace.remove(LOCAL, "pond")
    assert removed.deleted_at is not None
    assert await workspace.projects(LOCAL) == []
    assert await workspace.projects(LOCAL, deleted=True) == [removed]
    assert await workspace.files(LOCAL, first) == []
    with pytest.raises(NotFound):
        await workspace.record_scan(LOCAL, first, [])
    restored = await workspace.restore(LOCAL, "pond")
    assert restored == replace(first, version=3, updated_at=restored.updated_at)
    assert [file.path for file in await workspace.files(LOCAL, restored)] == ["a.py"]


async def test_of_removed_projects_of_one_name_the_id_says_which(workspace: Workspace, tmp_path: Path) -> None:
    for _ in range(2):
        last = await workspace.add_project(LOCAL, folder(tmp_path))
        await workspace.remove(LOCAL, "pond")
    with pytest.raises(Conflict, match=f"2 removed projects are called 'pond'.*{last.id}"):
        await workspace.restore(LOCAL, "pond")
    assert (await workspace.restore(LOCAL, str(last.id))).id == last.id


async def test_an_id_means_its_project_even_where_another_one_is_called_so(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    meant = await workspace.add_project(LOCAL, folder(tmp_path))
    with pytest.raises(InvalidInput, match="taken for the id"):
        await workspace.add_project(LOCAL, folder(tmp_path, "other"), name=str(meant.id))
    await make_project(database, LOCAL, name=str(meant.id))
    assert (await workspace.project(LOCAL, str(meant.id))).id == meant.id


async def test_a_purged_project_is_gone_with_its_files(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    project = await workspace.add_project(LOCAL, folder(tmp_path))
    changes = await workspace.record_scan(LOCAL, project, [ScanEntry("a.py", "python", "1", 1)])
    with pytest.raises(UnknownName, match="removed project"):
        await workspace.purge(LOCAL, "pond")
    await workspace.remove(LOCAL, "pond")
    await workspace.purge(LOCAL, "pond")
    assert await workspace.projects(LOCAL, deleted=True) == []

    def count(connection: Any) -> int:
        return len(connection.execute(store.code_files.select()).all())

    assert len(changes.ids) == 1
    assert await database.run(count, write=False) == 0


async def test_a_lost_update_is_refused_by_version(database: Database) -> None:
    project = await make_project(database, LOCAL)
    changed = await in_transaction(
        database, lambda tx: store.change_project(LOCAL, tx, replace(project, name="first"), LATER)
    )
    assert (changed.version, changed.updated_at) == (2, LATER)
    with pytest.raises(StaleVersion, match="'second' was changed by somebody else"):
        await in_transaction(
            database, lambda tx: store.change_project(LOCAL, tx, replace(project, name="second"), LATER)
        )
    async with database.begin(write=False) as tx:
        assert await store.read_project(LOCAL, tx, project.id) == changed


async def test_a_change_cannot_move_a_project_to_another_owner(database: Database) -> None:
    project = await make_project(database, LOCAL)
    stolen = replace(project, owner="other", created_at=LATER)
    await in_transaction(database, lambda tx: store.change_project(LOCAL, tx, stolen, LATER))
    async with database.begin(write=False) as tx:
        kept = await store.read_project(LOCAL, tx, project.id)
        assert (kept.owner, kept.created_at) == ("local", MOMENT)
        assert await store.list_projects(OTHER, tx) == []


# rights and whose a project is

Operation = Callable[[Transaction, Scope, Project, CodeFile], Coroutine[Any, Any, object]]
OPERATIONS: dict[str, tuple[Right, Operation]] = {
    "read_project": (Right.PROJECT_READ, lambda tx, scope, project, file: store.read_project(scope, tx, project.id)),
    "change_project": (
        Right.PROJECT_WRITE,
        lambda tx, scope, project, file: store.change_project(scope, tx, project, LATER),
    ),
    "soft_delete_project": (
        Right.PROJECT_WRITE,
        lambda tx, scope, project, file: store.soft_delete_project(scope, tx, project, LATER),
    ),
    "restore_project": (
        Right.PROJECT_WRITE,
        lambda tx, scope, project, file: store.restore_project(scope, tx, project, LATER),
    ),
    "purge_project": (Right.PROJECT_PURGE, lambda tx, scope, project, file: store.purge_project(scope, tx, project.id)),
    "create_file": (
        Right.FILE_WRITE,
        lambda tx, scope, project, file: store.create_file(scope, tx, replace(file, id=new_key(), path="new.py")),
    ),
    "read_file": (Right.FILE_READ, lambda tx, scope, project, file: store.read_file(scope, tx, file.id)),
    "change_file": (Right.FILE_WRITE, lambda tx, scope, project, file: store.change_file(scope, tx, file, LATER)),
    "soft_delete_file": (
        Right.FILE_WRITE,
        lambda tx, scope, project, file: store.soft_delete_file(scope, tx, file, LATER),
    ),
    "restore_file": (Right.FILE_WRITE, lambda tx, scope, project, file: store.restore_file(scope, tx, file, LATER)),
    "purge_file": (Right.FILE_PURGE, lambda tx, scope, project, file: store.purge_file(scope, tx, file.id)),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_needs_its_right_and_its_owner(database: Database, name: str) -> None:
    right, operation = OPERATIONS[name]
    project = await make_project(database, LOCAL)
    another = await make_project(database, LOCAL)
    file = await make_file(database, LOCAL, project)

    async def outcome(scope: Scope) -> type[DuckError] | None:
        try:
            await in_transaction(database, lambda tx: operation(tx, scope, project, file))
        except DuckError as error:
            return type(error)
        return None

    assert await outcome(without(right)) is Denied
    assert await outcome(OTHER) is NotFound
    assert await outcome(LOCAL.within(another.id)) is NotFound
    assert await outcome(replace(LOCAL.within(project.id), rights=frozenset({right}))) is None


async def test_lists_show_only_what_is_the_scopes(database: Database) -> None:
    project = await make_project(database, LOCAL)
    another = await make_project(database, LOCAL)
    file = await make_file(database, LOCAL, project)
    foreign = await make_project(database, OTHER)
    await make_file(database, OTHER, foreign)
    async with database.begin(write=False) as tx:
        listed = await store.list_projects(LOCAL, tx)
        assert {one.id for one in listed} == {project.id, another.id}
        assert await store.list_projects(LOCAL.within(project.id), tx) == [project]
        assert await store.list_projects(LOCAL.within(foreign.id), tx) == []
        assert await store.list_files(LOCAL, tx, project.id) == [file]
        assert await store.list_files(LOCAL, tx, foreign.id) == []
        assert await store.list_files(LOCAL.within(another.id), tx, project.id) == []
        assert await store.list_files(OTHER, tx, project.id) == []
        with pytest.raises(Denied, match=r"project\.read"):
            await store.list_projects(without(Right.PROJECT_READ), tx)
        with pytest.raises(Denied, match=r"file\.read"):
            await store.list_files(without(Right.FILE_READ), tx, project.id)


async def test_a_front_that_lacks_a_right_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    project = await workspace.add_project(LOCAL, folder(tmp_path))
    reader = replace(LOCAL, rights=frozenset({Right.PROJECT_READ, Right.FILE_READ}))
    attempts = [
        workspace.add_project(reader, folder(tmp_path, "b")),
        workspace.open_project(reader, folder(tmp_path)),
        workspace.rename(reader, "pond", "lake"),
        workspace.remove(reader, "pond"),
        workspace.purge(reader, "pond"),
        workspace.record_scan(reader, project, [ScanEntry("a.py", None, "", 0)]),
    ]
    for attempt in attempts:
        with pytest.raises(Denied):
            await attempt
    assert await workspace.projects(LOCAL) == [project]
    assert await workspace.files(LOCAL, project) == []


async def test_a_scan_of_another_actors_project_is_not_recorded(workspace: Workspace, tmp_path: Path) -> None:
    project = await workspace.add_project(OTHER, folder(tmp_path))
    with pytest.raises(NotFound):
        await workspace.record_scan(LOCAL, project, [ScanEntry("a.py", None, "", 0)])


async def test_moments_are_kept_to_the_microsecond_in_utc(workspace: Workspace, tmp_path: Path) -> None:
    added = await workspace.add_project(LOCAL, folder(tmp_path))
    kept = await workspace.project(LOCAL, "pond")
    assert (kept.created_at, kept.created_at.tzinfo) == (added.created_at, UTC)
    assert kept.created_at.microsecond == 678901


async def test_one_folder_becomes_one_project_whoever_is_first(workspace: Workspace, tmp_path: Path) -> None:
    root = folder(tmp_path)
    adding = [workspace.add_project(LOCAL, root, name=f"pond {number}") for number in range(6)]
    results = await asyncio.gather(*adding, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Conflict"] * 5 + ["Project"]
