"""Bad input gets one clear sentence and the status 2, never a traceback."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.calling import call
from tests.unit.workspace.privileges import ordinary_user

DEEP = 100_000


def duck(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder`, with a home of its own."""
    environment = {**os.environ, "DUCK_HOME": str(folder / "home"), **variables}
    return subprocess.run(
        [sys.executable, "-m", "rubber_duck", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """The status, and the last line of standard error; a traceback anywhere fails the test."""
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("binary.py", b"\0\1\2\3", "duck: error: 'binary.py' could not be analysed: holds NUL bytes"),
        ("closed.py", b"(" * DEEP + b")" * DEEP, "'closed.py' could not be analysed: the file is nested deeper than"),
        ("open.py", b"[" * DEEP, "'open.py' could not be analysed:"),
        ("open.js", b"[" * DEEP, "'open.js' could not be analysed: more than 10,000 brackets are opened"),
        ("open.ts", b"{" * DEEP, "'open.ts' could not be analysed: more than 10,000 brackets are opened"),
        ("open.ex", b"(" * DEEP, "'open.ex' could not be analysed: more than 10,000 brackets are opened"),
        (
            "utf.py",
            b'x = "\xff\xfe"\n',
            "'utf.py' was not analysed as it is: invalid UTF-8 at byte 5, read as '?': save the file as UTF-8",
        ),
    ],
)
def test_a_named_file_that_cannot_be_analysed(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    status, last = sentence(duck(tmp_path, "analyze", name))
    assert (status, said in last) == (2, True), last


def test_a_named_file_in_no_known_language_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hi\n")
    (tmp_path / "linked.py").symlink_to("README.md")
    why = "could not be analysed: it is in no language that RubberDuck knows"
    assert [sentence(duck(tmp_path, "analyze", name)) for name in ("README.md", "linked.py")] == [
        (2, f"duck: error: 'README.md' {why}")
    ] * 2


def test_in_a_folder_a_file_in_no_known_language_is_not_missed(tmp_path: Path) -> None:
    folder = tmp_path / "pond"
    folder.mkdir()
    (folder / "README.md").write_text("hi\n")
    assert duck(tmp_path, "analyze", "pond").returncode == 0


def test_a_named_file_that_is_no_text_is_outlined_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "utf.py").write_bytes(b'x = "\xff"\n\ndef f(): ...\n')
    done = duck(tmp_path, "outline", "utf.py")
    assert sentence(done) == (
        2,
        "duck: error: 'utf.py' was not outlined as it is: invalid UTF-8 at byte 5, read as '?': save the file as UTF-8",
    )
    assert done.stdout == "1    variable x\n3    def f()\n"


def test_a_file_of_two_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big.py").open("wb") as file:
        file.truncate(200_000_000)
    assert sentence(duck(tmp_path, "analyze", "big.py")) == (
        2,
        "duck: error: 'big.py' could not be analysed: 200,000,000 bytes, the limit is 1,000,000",
    )


def test_the_same_files_in_a_folder_are_left_out_and_the_rest_is_analysed(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\0\1\2\3")
    (tmp_path / "deep.py").write_bytes(b"[" * DEEP + b"]" * DEEP)
    (tmp_path / "good.py").write_text("import os\n")
    done = duck(tmp_path, "analyze", ".")
    assert (done.returncode, done.stderr) == (1, "")
    assert "1 finding in 1 file, 2 left out" in done.stdout


def test_a_file_in_a_folder_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "utf.py").write_bytes(b'x = "\xff"\n')
    done = duck(tmp_path, "analyze", ".")
    assert (done.returncode, done.stderr) == (1, "")
    assert "medium[invalid-encoding] invalid UTF-8 at byte 5, read as '?': save the file as UTF-8" in done.stdout


def test_files_in_a_folder_that_may_not_be_read_are_no_all_clear(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("x = 1\n")
    for number in range(12):
        (tmp_path / f"secret{number:02}").mkdir(mode=0)
    with ordinary_user():
        done = call("analyze", str(tmp_path), DUCK_HOME=str(tmp_path.parent / "home"))
    last = done.out.splitlines()[-1]
    assert (done.code, last) == (2, "No findings in 1 file, 12 left out")
    place = os.path.relpath(tmp_path / "secret00")
    place = min(place, str(tmp_path / "secret00"), key=len)
    first, *_, end = done.err.splitlines()
    assert first == f"duck: error: '{place}' could not be analysed: Permission denied"
    assert (len(done.err.splitlines()), end) == (11, "duck: error: 2 more could not be analysed; the report lists them")


def test_a_missing_path(tmp_path: Path) -> None:
    said = "duck: error: there is no file or folder 'nowhere'"
    assert sentence(duck(tmp_path, "analyze", "nowhere")) == (2, said)


def test_a_broken_duck_toml_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text("[analysis\n")
    status, last = sentence(duck(tmp_path, "analyze", "."))
    assert (status, "duck.toml: not valid TOML" in last) == (2, True), last


def test_a_project_that_wants_to_set_what_it_may_not(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text('[database]\nurl = "sqlite:////etc/x"\n')
    status, last = sentence(duck(tmp_path, "analyze", "."))
    assert (status, "may set only [analysis], [index], [context], not 'database'" in last) == (2, True), last


def test_an_unknown_rule_with_the_nearest_name(tmp_path: Path) -> None:
    status, last = sentence(duck(tmp_path, "analyze", ".", "--rule", "unsafe-evil"))
    assert (status, "there is no rule 'unsafe-evil'; did you mean 'unsafe-eval'" in last) == (2, True), last


@pytest.mark.parametrize("rule", ["ruff/NOPE", "ruff/SIM102", "ruff/F9999", "nothing-*"])
def test_a_rule_that_never_runs_is_no_all_clear(tmp_path: Path, rule: str) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    status, last = sentence(duck(tmp_path, "analyze", ".", "--rule", rule))
    assert (status, f"there is no rule '{rule}'" in last) == (2, True), last


def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    status, last = sentence(duck(tmp_path, "up", ".", DUCK_DATABASE_URL="sqlite:////proc/no/duck.db"))
    assert (status, "sqlite:////proc/no/duck.db cannot be used" in last) == (2, True), last


def test_a_schema_newer_than_the_program(tmp_path: Path) -> None:
    assert duck(tmp_path, "migrate").returncode == 0
    with sqlite3.connect(tmp_path / "home" / "duck.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    status, last = sentence(duck(tmp_path, "up", "."))
    assert (status, "has schema '9999', and this program knows it only up to" in last) == (2, True), last


def test_two_runs_give_the_same_json_to_the_byte(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\neval(input())\n")
    first = duck(tmp_path, "analyze", ".", "--format", "json")
    again = duck(tmp_path, "analyze", ".", "--format", "json")
    fresh = duck(tmp_path, "analyze", ".", "--format", "json", DUCK_HOME=str(tmp_path / "another"))
    assert first.stdout == again.stdout == fresh.stdout != ""
