"""The imports engine follows imports through the whole project, and names files as the one who asks finds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.call import Progress
from rubber_duck.engines.imports import ImportsAnswer, ImportsView, ImportView
from rubber_duck.errors import NotFound
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree

TREE = {
    "pond/__init__.py": "",
    "pond/duck.py": "import os\n\nfrom pond import lake\n",
    "pond/lake.py": "def deep():\n    from pond.duck import wet\n    return wet\n",
    "web/index.ts": 'import { feed } from "./feed";\nimport react from "react";\n',
    "web/feed.ts": "export const feed = 1;\n",
    ".gitignore": "old/\n",
    "old/a.py": "import pond\n",
    ".git/HEAD": "",
}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """An application that can follow imports, and a project."""
    write_tree(tmp_path / "p", TREE)
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_PROFILE": "test"})
    async with open_app(settings, for_engines=["imports"]) as opened:
        yield opened


async def _ask(app: App, path: str, directory: Path) -> ImportsAnswer:
    answer = await app.run("imports", {"path": path, "directory": str(directory)}, Scope.local())
    assert isinstance(answer, ImportsAnswer)
    return answer


async def test_a_file_is_told_what_it_imports_and_what_imports_it(app: App, tmp_path: Path) -> None:
    assert await _ask(app, "duck.py", tmp_path / "p/pond") == ImportsAnswer(
        is_file=True,
        files=(
            ImportsView(
                path="duck.py",
                imports=(ImportView("lake.py", 3),),
                imported_by=(ImportView("lake.py", 2),),
                outside=("os",),
            ),
        ),
        circles=(("duck.py", "lake.py"),),
    )


async def test_a_folder_is_told_file_by_file(app: App, tmp_path: Path) -> None:
    assert await _ask(app, "p/web", tmp_path) == ImportsAnswer(
        is_file=False,
        files=(
            ImportsView(path="p/web/feed.ts", imports=(), imported_by=(ImportView("p/web/index.ts", 1),), outside=()),
            ImportsView(
                path="p/web/index.ts", imports=(ImportView("p/web/feed.ts", 1),), imported_by=(), outside=("react",)
            ),
        ),
        circles=(),
    )


async def test_the_whole_project_and_an_empty_folder_have_their_answers(app: App, tmp_path: Path) -> None:
    (tmp_path / "p/empty").mkdir()
    whole = await _ask(app, ".", tmp_path / "p")
    assert [each.path for each in whole.files] == [
        "pond/__init__.py",
        "pond/duck.py",
        "pond/lake.py",
        "web/feed.ts",
        "web/index.ts",
    ]
    assert await _ask(app, "empty", tmp_path / "p") == ImportsAnswer(is_file=False, files=(), circles=())


@pytest.mark.parametrize("path", ["old/a.py", ".gitignore"])
async def test_a_file_that_is_not_looked_at_is_said(app: App, tmp_path: Path, path: str) -> None:
    with pytest.raises(NotFound, match=f"'{path}' is not among the project's files: it is ignored, or in no language"):
        await _ask(app, path, tmp_path / "p")


async def test_how_far_it_is_is_told(app: App, tmp_path: Path) -> None:
    notes: list[str] = []
    request = {"path": str(tmp_path / "p")}
    await app.run(
        "imports",
        request,
        Scope.local(),
        lambda piece: notes.append(piece.note) if isinstance(piece, Progress) else None,
    )
    assert list(dict.fromkeys(notes)) == ["looking at the files", "analysing", "following the imports"]
