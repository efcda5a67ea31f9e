"""The edit engine shows first, writes exactly what was shown, and refuses the rest; undo takes it back."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rubber_duck.call import Call, Parts
from rubber_duck.engines.edit import Edit, EditAnswer, EditRequest
from rubber_duck.engines.undo import Undo, UndoRequest
from rubber_duck.errors import Conflict, Denied, DuckError, InvalidInput, StaleVersion
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.workspace.journal import Journal

ANSWER = """I change two files.

src/a.py
```python
<<<<<<< SEARCH
def f():
    return 1
=======
def f():
    return 2
>>>>>>> REPLACE
```

new.py
```python
<<<<<<< SEARCH
=======
x = 1
>>>>>>> REPLACE
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "duck.toml").write_text("")
    (root / "src" / "a.py").write_text("def f():\n    return 1\n")
    return root


def call(tmp_path: Path, scope: Scope | None = None) -> Call:
    journal = Journal(tmp_path / "home" / "journal", clock=lambda: datetime(2026, 11, 28, tzinfo=UTC))
    return Call(scope or Scope.local(), Parts(Settings(home=str(tmp_path / "home")), {"journal": journal}))


async def edited(tmp_path: Path, folder: Path, text: str, **more: object) -> EditAnswer:
    request = EditRequest(text=text, directory=str(folder), **more)  # type: ignore[arg-type]  # as the test says
    return await Edit().run(request, call(tmp_path))


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def everything(folder: Path) -> list[Path]:
    """Every path below a folder but for RubberDuck's home."""
    return sorted(path for path in folder.rglob("*") if "home" not in path.relative_to(folder).parts)


async def test_a_preview_writes_nothing_and_what_was_shown_is_written(tmp_path: Path, folder: Path) -> None:
    before = contents(folder)
    shown = await edited(tmp_path, folder, ANSWER)
    assert contents(folder) == before
    assert shown.ready
    assert [(each.path, each.change, each.added, each.taken) for each in shown.files] == [
        ("new.py", "made", 1, 0),
        ("src/a.py", "changed", 1, 1),
    ]
    assert shown.files[1].hunks[0].text == "@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"
    done = await edited(tmp_path, folder, ANSWER, approve=shown.digest)
    assert done.written == 1
    assert contents(folder) == {**before, "src/a.py": "def f():\n    return 2\n", "new.py": "x = 1\n"}
    undone = await Undo().run(UndoRequest(directory=str(folder)), call(tmp_path))
    assert (undone.undone, [each.undone for each in undone.entries]) == (1, [True])
    assert contents(folder) == before


async def test_an_approval_holds_only_for_the_very_bytes_that_were_shown(tmp_path: Path, folder: Path) -> None:
    shown = await edited(tmp_path, folder, ANSWER)
    (folder / "src" / "a.py").write_text("def f():\n    return 1\n\n\n# theirs\n")
    before = contents(folder)
    with pytest.raises(StaleVersion):
        await edited(tmp_path, folder, ANSWER, approve=shown.digest)
    with pytest.raises(StaleVersion):
        await edited(tmp_path, folder, ANSWER, approve="0" * 64)
    assert contents(folder) == before


async def test_one_edit_that_cannot_be_placed_keeps_all_from_being_written(tmp_path: Path, folder: Path) -> None:
    text = ANSWER.replace("    return 1", "    return 7")
    shown = await edited(tmp_path, folder, text)
    assert not shown.ready
    assert [each.fate for each in shown.edits] == ["not found", "placed"]
    with pytest.raises(Conflict):
        await edited(tmp_path, folder, text, approve=shown.digest)
    await edited(tmp_path, folder, text, approve=shown.digest, partial=True)
    assert contents(folder)["new.py"] == "x = 1\n"


async def test_an_edit_that_breaks_a_file_is_refused_unless_it_is_wanted(tmp_path: Path, folder: Path) -> None:
    text = ANSWER.replace("    return 2", "    return (")
    shown = await edited(tmp_path, folder, text)
    assert (shown.ready, shown.files[1].broken[:22]) == (False, "it no longer parses: l")
    with pytest.raises(Conflict):
        await edited(tmp_path, folder, text, approve=shown.digest)
    assert (await edited(tmp_path, folder, text, broken=True)).ready


async def test_only_the_chosen_hunks_are_written(tmp_path: Path, folder: Path) -> None:
    shown = await edited(tmp_path, folder, ANSWER, hunks=(1,))
    await edited(tmp_path, folder, ANSWER, hunks=(1,), approve=shown.digest)
    assert contents(folder) == {"duck.toml": "", "src/a.py": "def f():\n    return 1\n", "new.py": "x = 1\n"}
    with pytest.raises(InvalidInput, match="there is no hunk 9"):
        await edited(tmp_path, folder, ANSWER, hunks=(9,))


@pytest.mark.parametrize(
    "path",
    ["../out.py", "/etc/passwd", ".git/hooks/pre-commit", "duck.toml", "src/../../out.py", "node_modules/a/b.js"],
)
async def test_no_edit_leads_out_of_the_project_or_into_what_is_protected(
    tmp_path: Path, folder: Path, path: str
) -> None:
    shown = await edited(tmp_path, folder, ANSWER.replace("new.py", path))
    assert [each.fate for each in shown.edits] == ["placed", "refused"]
    assert not shown.ready


async def test_who_may_only_read_sees_the_preview_and_writes_nothing(tmp_path: Path, folder: Path) -> None:
    reader = Scope(Actor("r", "r"), None, frozenset({Right.FILE_READ}), "0" * 32)
    request = EditRequest(text=ANSWER, directory=str(folder))
    shown = await Edit().run(request, call(tmp_path, reader))
    with pytest.raises(Denied):
        await Edit().run(EditRequest(text=ANSWER, directory=str(folder), approve=shown.digest), call(tmp_path, reader))
    assert "new.py" not in contents(folder)


HOSTILE = [
    *(
        "../out.py",
        "a/../../out.py",
        "/tmp/out.py",
        "..\\out.py",
        "~/out.py/../../../out.py",
        "src/../../project2/x.py",
    ),
    *(
        ".git/hooks/post-checkout",
        ".GIT/config",
        ".git./config",
        ".g\u200dit/config",
        "git~1/config",
        "src/.git/config",
    ),
    *("duck.toml", "src/duck.toml", ".duck/rules.md", ".gitmodules", "ignored/x.py", "kept.secret", "link/x.py"),
    *("\u202eyp.exe", "src/\u2066a.py", "zero\u200bwidth.py", "bell\x07.py"),
    *("a" * 300 + ".py", "/".join("a" * 600), "src/a.py/b.py", ".", "src/", "src//a.py", "nul\0.py"),
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_name_that_a_text_gives_a_file_leads_astray(tmp_path: Path, folder: Path, name: str) -> None:
    (folder / ".gitignore").write_text("ignored/\n*.secret\n")
    (tmp_path / "project2").mkdir()
    (folder / "link").symlink_to(tmp_path / "project2")
    before, around = contents(folder), everything(tmp_path)
    for text in (
        f"{name}\n```\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n```\n",
        f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,1 @@\n+x = 1\n",
    ):
        shown = await edited(tmp_path, folder, text)
        with suppress(DuckError):  # whether it was refused is looked at below
            await edited(tmp_path, folder, text, approve=shown.digest)
    assert contents(folder) == before
    assert everything(tmp_path) == around


@pytest.mark.parametrize("form", ["auto", "whole"])
async def test_no_edit_tells_what_an_ignored_file_holds_or_whether_it_is_there(
    tmp_path: Path, folder: Path, form: str
) -> None:
    (folder / ".gitignore").write_text(".env\n*.secret\n")
    (folder / ".env").write_text("PASSWORD=right\n")
    (folder / "open.py").symlink_to(".env")
    texts = {
        "block": "{name}\n```\n<<<<<<< SEARCH\nPASSWORD={guess}\n=======\nPASSWORD=x\n>>>>>>> REPLACE\n```\n",
        "patch": "--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-PASSWORD={guess}\n+PASSWORD=x\n",
        "removal": "--- a/{name}\n+++ /dev/null\n@@ -1 +0,0 @@\n-PASSWORD={guess}\n",
        "new": "--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+PASSWORD={guess}\n",
    }
    for text in texts.values():
        for name in (".env", "open.py"):
            answers = []
            for guess in ("right", "wrong"):
                shown = await edited(tmp_path, folder, text.format(name=name, guess=guess), form=form)
                answers.append([(each.fate, each.lines, each.why) for each in shown.edits])
                assert "right" not in str(shown).replace("PASSWORD=right", "")
                assert shown.files == ()
            assert answers[0] == answers[1]
        fates = []
        for is_there in (True, False):
            (folder / "kept.secret").unlink(missing_ok=True)
            if is_there:
                (folder / "kept.secret").write_text("PASSWORD=right\n")
            shown = await edited(tmp_path, folder, text.format(name="kept.secret", guess="right"), form=form)
            fates.append([(each.fate, each.lines, each.why) for each in shown.edits])
        assert fates[0] == fates[1]
