"""`duck check` runs a project's tests on a copy: with a model's edits, and without touching the project."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.integration.duck import duck

BROKEN = "def test_f():\n    from a import f\n    open('made', 'w').write('x')\n    assert f() == 2\n"
EDITS = "a.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n"


def test_a_test_fails_on_the_project_and_passes_on_a_copy_with_the_edits(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "duck.toml").write_text("")
    (root / "a.py").write_text("def f():\n    return 1\n")
    (root / "test_a.py").write_text(BROKEN)
    (tmp_path / "answer.md").write_text(EDITS)
    before = {path.name: path.read_bytes() for path in root.iterdir()}

    failed = duck("check", "--read", sys.prefix, home=tmp_path / "home", cwd=root)
    assert (failed.returncode, "1 failed" in failed.stdout) == (1, True), failed
    more = ("--read", sys.prefix, "--edits", "../answer.md", "--json")
    passed = duck("check", *more, home=tmp_path / "home", cwd=root)
    answer = json.loads(passed.stdout)
    assert (passed.returncode, answer["passed"], answer["ended"], answer["code"], answer["files"]) == (
        0,
        True,
        "exit",
        0,
        3,
    )
    assert "1 passed" in answer["output"]
    assert {path.name: path.read_bytes() for path in root.iterdir()} == before


def test_a_command_of_ones_own_is_run_and_its_status_told(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text("")
    done = duck("check", "--", "sh", "-c", "echo hello; exit 3", home=tmp_path / "home", cwd=tmp_path)
    assert (done.returncode, done.stdout, "it ended with 3" in done.stderr) == (1, "hello\n", True)


def test_doctor_says_whether_commands_can_be_run(tmp_path: Path) -> None:
    checks = json.loads(duck("doctor", "--json", home=tmp_path / "home").stdout)
    assert [each["state"] for each in checks if each["check"] == "sandbox"] == ["well"]
