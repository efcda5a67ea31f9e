"""The impact engine takes places, a diff or what git says, and answers with paths as the asker finds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.engines.impact import ChangedView, ImpactAnswer
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from rubber_duck.workspace.programs import find_program, run_program
from tests.factories import write_tree

TREE = {
    "pyproject.toml": "",
    "pond/duck.py": "def quack():\n    return 1\n",
    "tests/test_duck.py": "from pond.duck import quack\n\n\ndef test_quack():\n    assert quack() == 1\n",
}
DIFF = "--- a/pond/duck.py\n+++ b/pond/duck.py\n@@ -2 +2 @@\n-    return 0\n+    return 1\n"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """An application that can tell what a change touches, and a project."""
    write_tree(tmp_path / "p", TREE)
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_PROFILE": "test"})
    async with open_app(settings, for_engines=["impact"]) as opened:
        yield opened


async def _ask(app: App, directory: Path, **request: object) -> ImpactAnswer:
    answer = await app.run("impact", {"directory": str(directory), **request}, Scope.local())
    assert isinstance(answer, ImpactAnswer)
    return answer


async def test_a_place_and_a_diff_that_mean_the_same_have_the_same_answer(app: App, tmp_path: Path) -> None:
    by_place = await _ask(app, tmp_path / "p/pond", paths=["duck.py:2"])
    by_diff = await _ask(app, tmp_path / "p/pond", diff=DIFF)
    assert by_place.changed == by_diff.changed == (ChangedView("duck.py", "quack", 1),)
    assert [each.name for each in by_place.tests] == ["tests/test_duck.py::test_quack"]
    assert (by_place.tests, by_place.callers, by_place.importers) == (by_diff.tests, by_diff.callers, by_diff.importers)
    assert by_place.tests[0].path == "../tests/test_duck.py"


async def test_missing_evidence_is_said(app: App, tmp_path: Path) -> None:
    (tmp_path / "p/.coverage").write_bytes(b"quack")
    answer = await _ask(app, tmp_path / "p", paths=["pond/duck.py"])
    assert [each.partition(":")[0] for each in answer.notes] == ["without history", "without coverage"]


async def test_what_is_not_committed_is_the_change_when_nothing_is_named(app: App, tmp_path: Path) -> None:
    root = tmp_path / "p"
    with pytest.raises(NotFound, match="no git repository"):
        await _ask(app, root)
    names = ("-c", "user.name=duck", "-c", "user.email=duck@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        await run_program([find_program("git") or "git", *names, *arguments], cwd=root)
    assert (await _ask(app, root)).changed == ()
    (root / "pond/duck.py").write_text("def quack():\n    return 2\n")
    assert (await _ask(app, root)).changed == (ChangedView("pond/duck.py", "quack", 1),)
    write_tree(root, {"tests/test_new.py": "def test_new():\n    pass\n", "data.bin": "x", ".gitignore": "built.py\n"})
    write_tree(
        root, {"built.py": "x = 1\n", "node_modules/a.js": "x()\n", "kept.py": "x\n", ".duckignore": "kept.py\n"}
    )
    new = await _ask(app, root)
    assert [each.name for each in new.changed] == ["quack", "", "test_new"]
    assert ("tests/test_new.py::test_new", "changed") in [(each.name, each.reasons[0].kind) for each in new.tests]
    assert new.unknown == ()


async def test_the_tests_of_a_file_that_was_only_renamed_are_run(app: App, tmp_path: Path) -> None:
    root = tmp_path / "p"
    (root / "tests/test_duck.py").rename(root / "tests/test_goose.py")
    diff = "diff --git a/tests/test_duck.py b/tests/test_goose.py\nsimilarity index 100%\n"
    diff += "rename from tests/test_duck.py\nrename to tests/test_goose.py\n"
    answer = await _ask(app, root, diff=diff)
    assert [(each.name, each.reasons[0].kind) for each in answer.tests] == [
        ("tests/test_goose.py::test_quack", "changed")
    ]


async def test_what_cannot_be_a_change_is_refused(app: App, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="either paths or a diff"):
        await _ask(app, tmp_path / "p", paths=["pond/duck.py"], diff=DIFF)
    with pytest.raises(InvalidInput, match="is a folder"):
        await _ask(app, tmp_path / "p", paths=["pond"])
    with pytest.raises(NotFound, match=r"no file or folder 'pond/goose.py'"):
        await _ask(app, tmp_path / "p", paths=["pond/goose.py:3"])
