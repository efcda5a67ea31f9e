"""The engine `projects` does what each of its requests says, with the right that it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.engines.projects import FilesView, ProjectsAnswer, ProjectView
from rubber_duck.errors import Conflict, Denied, InvalidInput, NotFound, UnknownName
from rubber_duck.ngram.ngram import Cursor, open_ngram
from rubber_duck.ngram.shelf import Shelf
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import IndexSettings, load
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.project import ScanEntry
from tests.factories import write_tree
from tests.unit.ngram.models import SHOP


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """The application as the command line opens it, over a database of its own."""
    async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["projects"]) as opened:
        yield opened


async def _ask(app: App, kind: str, scope: Scope | None = None, **fields: Any) -> ProjectsAnswer:
    answer: ProjectsAnswer = await app.run("projects", {"type": kind, **fields}, scope or Scope.local())
    return answer


async def _one(app: App, kind: str, **fields: Any) -> ProjectView:
    [project] = (await _ask(app, kind, **fields)).projects
    return project


async def test_a_project_is_added_listed_and_shown(app: App, tmp_path: Path) -> None:
    (tmp_path / "pond").mkdir()
    added = await _one(app, "add", root="pond", directory=str(tmp_path), description="Wet.")
    assert (added.name, added.root, added.present, added.description) == ("pond", str(tmp_path / "pond"), True, "Wet.")
    assert (await _ask(app, "list")).projects == (added,)
    assert (await _one(app, "show", project="pond")).files == ()
    assert await _one(app, "show", project=added.id) == await _one(app, "show", project="pond")


async def test_a_shown_project_counts_its_files_by_language(app: App, tmp_path: Path) -> None:
    added = await _one(app, "add", root=str(tmp_path))
    workspace, scope = app.parts.workspace, Scope.local()
    project = await workspace.project(scope, added.id)
    entries = [ScanEntry(path, language, "0" * 32, 1) for path, language in
               (("a.py", "python"), ("b.py", "python"), ("c.ex", "elixir"), ("d", None))]  # fmt: skip
    await workspace.record_scan(scope.within(project.id), project, entries)
    assert (await _one(app, "show", project=added.name)).files == (
        FilesView("python", "Python", 2),
        FilesView("", "", 1),
        FilesView("elixir", "Elixir", 1),
    )


async def test_a_project_is_named_by_its_folder_too(app: App, tmp_path: Path) -> None:
    (tmp_path / "pond").mkdir()
    added = await _one(app, "add", root="pond", directory=str(tmp_path), name="Water")
    for folder in ("pond/", "./pond", str(tmp_path / "pond")):
        assert (await _one(app, "show", project=folder, directory=str(tmp_path))).id == added.id
    assert (await _one(app, "rename", project=".", name="W", directory=added.root)).name == "W"
    removed = await _one(app, "remove", project="pond", directory=str(tmp_path))
    assert (await _one(app, "restore", project="pond", directory=str(tmp_path))).id == removed.id == added.id


async def test_a_name_comes_before_a_folder_that_is_called_so(app: App, tmp_path: Path) -> None:
    for folder in ("pond", "lake"):
        (tmp_path / folder).mkdir()
    lake = await _one(app, "add", root="lake", directory=str(tmp_path), name="pond")
    await _one(app, "add", root="pond", directory=str(tmp_path), name="water")
    assert (await _one(app, "show", project="pond", directory=str(tmp_path))).id == lake.id


async def test_of_several_removed_projects_of_one_folder_the_id_says_which(app: App, tmp_path: Path) -> None:
    for name in ("a", "b"):
        await _one(app, "add", root=str(tmp_path), name=name)
        await _one(app, "remove", project=name)
    with pytest.raises(Conflict, match=r"2 removed projects lie in .*; say which by its id"):
        await _one(app, "restore", project=str(tmp_path))


async def test_the_topmost_folder_is_called_by_its_path(app: App) -> None:
    added = await _one(app, "add", root="/")
    assert (added.name, (await _one(app, "remove", project="/")).id) == ("/", added.id)


async def test_renaming_removing_and_restoring_count_as_changes(app: App, tmp_path: Path) -> None:
    added = await _one(app, "add", root=str(tmp_path), name="a")
    renamed = await _one(app, "rename", project="a", name="b")
    removed = await _one(app, "remove", project="b")
    assert (renamed.name, removed.removed_at != "") == ("b", True)
    assert (await _ask(app, "list")).projects == ()
    assert (await _ask(app, "list", removed=True)).projects == (removed,)
    restored = await _one(app, "restore", project="b")
    assert [each.version for each in (added, renamed, removed, restored)] == [1, 2, 3, 4]
    assert restored.removed_at == ""


async def test_a_purged_project_is_gone(app: App, tmp_path: Path) -> None:
    await _ask(app, "add", root=str(tmp_path), name="a")
    with pytest.raises(UnknownName):
        await _ask(app, "purge", project="a")
    await _ask(app, "remove", project="a")
    await _ask(app, "purge", project="a")
    assert (await _ask(app, "list", removed=True)).projects == ()


async def test_of_a_purged_project_a_servers_copy_goes_and_any_other_folder_stays(app: App, tmp_path: Path) -> None:
    folders = {"copy": Path(app.settings.home) / "projects/one", "other": tmp_path / "one"}
    for name, folder in folders.items():
        write_tree(folder, {"a.py": "x = 1\n"})
        await _ask(app, "add", root=str(folder), name=name)
        await _ask(app, "remove", project=name)
        assert folder.is_dir()
        await _ask(app, "purge", project=name)
    assert [folder.is_dir() for folder in folders.values()] == [False, True]


async def test_reports_on_a_purged_project_are_deleted(app: App, tmp_path: Path) -> None:
    kept = []
    for name in ("pond", "lake"):
        project = (await _one(app, "add", root=str(write_tree(tmp_path / name, {"a.py": ""})), name=name)).id
        reports = Path(app.settings.home) / "reports"
        kept.append([reports / project / "run.html", reports / f"{name}-{project[-8:]}" / "report.html"])
        for page in kept[-1]:
            page.parent.mkdir(parents=True)
            page.write_text("")
    await _ask(app, "remove", project="pond")
    assert [page.exists() for page in kept[0]] == [True, True]
    await _ask(app, "purge", project="pond")
    assert [[page.exists() for page in pages] for pages in kept] == [[False, False], [True, True]]


async def test_what_completion_learnt_of_a_purged_project_is_deleted(app: App, tmp_path: Path) -> None:
    models = tmp_path / "home/ngram"
    for name in ("pond", "lake"):
        folder = write_tree(tmp_path / name, SHOP)
        await _ask(app, "add", root=str(folder))
        async with open_ngram(app.settings) as ngram:
            await ngram.complete(Root(folder), IndexSettings(), Cursor("a.py", "python", "x = ", ""), count=1)
    assert len([*models.glob("*/*.model")]) == 2
    await _ask(app, "remove", project="pond")
    await _ask(app, "purge", project="pond")
    (left,) = models.glob("*/*.model")
    assert left == Shelf(models).path(tmp_path / "lake", "python")


async def test_a_folder_that_went_away_is_said(app: App, tmp_path: Path) -> None:
    (tmp_path / "pond").mkdir()
    await _ask(app, "add", root=str(tmp_path / "pond"))
    (tmp_path / "pond").rmdir()
    assert (await _one(app, "show", project="pond")).present is False


async def test_what_cannot_be_done_is_said(app: App, tmp_path: Path) -> None:
    await _ask(app, "add", root=str(tmp_path), name="pond")
    with pytest.raises(Conflict):
        await _ask(app, "add", root=str(tmp_path))
    with pytest.raises(UnknownName, match="did you mean 'pond'"):
        await _ask(app, "show", project="pnod")
    with pytest.raises(NotFound):
        await _ask(app, "add", root=str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput):
        await _ask(app, "rename", project="pond", name="")
    with pytest.raises(InvalidInput, match="is not valid"):
        await _ask(app, "paint", project="pond")


@pytest.mark.parametrize(
    ("kind", "fields", "right"),
    [
        ("list", {}, Right.PROJECT_READ),
        ("add", {"root": "/"}, Right.PROJECT_CREATE),
        ("rename", {"project": "a", "name": "b"}, Right.PROJECT_WRITE),
        ("remove", {"project": "a"}, Right.PROJECT_WRITE),
        ("restore", {"project": "gone"}, Right.PROJECT_WRITE),
        ("purge", {"project": "gone"}, Right.PROJECT_PURGE),
    ],
)
async def test_each_request_needs_its_right(
    kind: str, fields: dict[str, Any], right: Right, app: App, tmp_path: Path
) -> None:
    for name in ("a", "gone"):
        (tmp_path / name).mkdir()
        await _ask(app, "add", root=str(tmp_path / name), name=name)
    await _ask(app, "remove", project="gone")
    lesser = replace(Scope.local(), rights=frozenset(Right) - {right})
    with pytest.raises(Denied, match=right.value):
        await _ask(app, kind, lesser, **fields)


async def test_another_persons_projects_are_not_there(app: App, tmp_path: Path) -> None:
    added = await _one(app, "add", root=str(tmp_path), name="mine")
    other = replace(Scope.local(), actor=Actor("other", "other"))
    assert (await _ask(app, "list", other)).projects == ()
    for which in ("mine", added.id):
        with pytest.raises(UnknownName):
            await _ask(app, "show", other, project=which)
