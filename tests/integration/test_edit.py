"""`duck edit` from a model's answer to the disk and back, as a person types it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.integration.duck import COMMAND, duck, environment
from tests.unit.engines.test_edit import ANSWER, contents


def _project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "duck.toml").write_text("")
    (root / "src" / "a.py").write_bytes(b"def f():\r\n    return 1\r\n")
    return root


def test_an_answer_is_shown_then_applied_then_undone(tmp_path: Path) -> None:
    root, home = _project(tmp_path), tmp_path / "home"
    (tmp_path / "answer.md").write_text(ANSWER)
    before = contents(root)
    shown = duck("edit", "../../answer.md", home=home, cwd=root / "src")
    assert shown.returncode == 0
    assert "+    return 2" in shown.stdout
    assert "nothing was written yet" in shown.stderr
    assert contents(root) == before

    with (tmp_path / "answer.md").open("rb") as answer:
        applied = subprocess.run(
            [*COMMAND, "edit", "--apply"],
            env=environment(home),
            cwd=root,
            stdin=answer,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (applied.returncode, "2 files written" in applied.stderr) == (0, True)
    assert (root / "src" / "a.py").read_bytes() == b"def f():\r\n    return 2\r\n"
    again = duck("edit", "--apply", str(tmp_path / "answer.md"), home=home, cwd=root)
    assert (again.returncode, "there already" in again.stderr) == (0, True)

    assert "edit new.py, src/a.py" in duck("undo", "--list", home=home, cwd=root).stdout
    assert duck("undo", home=home, cwd=root).returncode == 0
    assert contents(root) == before
    assert duck("undo", home=home, cwd=root).returncode == 2


def test_what_cannot_be_placed_is_said_and_ends_with_1(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / "answer.md").write_text(ANSWER.replace("return 1", "return 9"))
    done = duck("edit", "--apply", "answer.md", home=tmp_path / "home", cwd=root)
    assert (done.returncode, "not found" in done.stdout, "nothing was written" in done.stderr) == (1, True, True)
    assert not (root / "new.py").exists()


def test_a_text_without_edits_says_so(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / "answer.md").write_text("I would not change anything.")
    done = duck("edit", "answer.md", home=tmp_path / "home", cwd=root)
    assert (done.returncode, "there are no edits" in done.stderr) == (1, True)
