"""Bad input gets one clear sentence and exit code 2, never a traceback."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.duck import duck
from tests.unit.cli.calling import call
from tests.unit.workspace.privileges import ordinary_user

Prepare = Callable[[Path], None]


def _nothing(folder: Path) -> None:
    """The folder is as it is."""


def _wrote(name: str, content: str) -> Prepare:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def _newer_schema(folder: Path) -> None:
    connection = sqlite3.connect(folder / "home/duck.db")
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.commit()
    connection.close()


CASES: list[tuple[str, list[str], Prepare, dict[str, str], str]] = [
    ("a missing path", ["analyze", "nowhere"], _nothing, {}, "there is no file or folder 'nowhere'"),
    ("a missing project", ["up", "nowhere"], _nothing, {}, "there is no file or folder 'nowhere'"),
    ("a missing file", ["outline", "nowhere.py"], _nothing, {}, "there is no 'nowhere.py'"),
    ("an empty path", ["analyze", ""], _nothing, {}, "'' is not a path"),
    ("no path", ["analyze"], _nothing, {}, "missing argument"),
    ("an unknown rule", ["analyze", ".", "--rule", "sql-injektion"], _nothing, {}, "did you mean 'sql-injection'?"),
    ("an unknown rule's page", ["rules", "sql-injektion"], _nothing, {}, "did you mean 'sql-injection'?"),
    ("an unknown engine", ["engines", "analize"], _nothing, {}, "did you mean 'analyze'?"),
    ("an unknown command", ["analize"], _nothing, {}, "did you mean 'analyze'?"),
    ("an unknown option", ["analyze", ".", "--sevrity"], _nothing, {}, "no such option"),
    ("an unknown project", ["projects", "show", "x"], _nothing, {}, "there is no project 'x'"),
    ("a broken duck.toml", ["rules"], _wrote("home/duck.toml", "[x"), {}, "not valid TOML"),
    ("an unknown key", ["rules"], _wrote("home/duck.toml", "[lgo]\n"), {}, "did you mean 'log'?"),
    ("an unknown variable", ["rules"], _nothing, {"DUCK_LOG_LEVLE": "x"}, "did you mean 'DUCK_LOG_LEVEL'?"),
    ("a broken project", ["analyze", "."], _wrote("duck.toml", "="), {}, "not valid TOML"),
    ("a greedy project", ["up", "."], _wrote("duck.toml", "[log]\n"), {}, "may set only [analysis], [index]"),
    ("a database that is none", ["up", "."], _nothing, {"DUCK_DATABASE_URL": "mysql://h/d"}, "is neither"),
    ("no place for a database", ["up", "."], _nothing, {"DUCK_DATABASE_URL": "sqlite:////proc/no/duck.db"}, "/proc/no"),
    ("no server", ["up", "."], _nothing, {"DUCK_DATABASE_URL": "postgresql://127.0.0.1:1/d"}, "127.0.0.1"),
    ("a database of a newer program", ["up", "."], _newer_schema, {}, "'9999'"),
    ("a home that is a file", ["up", "."], _wrote("file", ""), {"DUCK_HOME": "file"}, "file"),
    ("no folder for the report", ["analyze", ".", "-o", "no/report.html"], _nothing, {}, "there is no"),
    ("a folder as the report", ["analyze", ".", "-o", "home"], _nothing, {}, "is a folder"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "prepare", "more", "said"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_bad_input_is_a_sentence(
    arguments: list[str], prepare: Prepare, more: dict[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "example.py").write_text("x = 1\n")
    prepare(tmp_path)
    if "DUCK_HOME" in more:
        done = duck(*arguments, home=tmp_path / more["DUCK_HOME"], cwd=tmp_path)
    else:
        done = duck(*arguments, home=tmp_path / "home", cwd=tmp_path, **more)
    first, *rest = done.stderr.split("\n")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert first.startswith("duck: error: ")
    assert said in first
    assert rest == [""] or rest[1].startswith("Usage: ")
    assert not list((tmp_path / "home").glob("crash-*"))


@pytest.mark.parametrize("command", ["analyze", "up", "outline"])
def test_what_may_not_be_read_is_a_sentence(command: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.py").write_text("x = 1\n")
    secret.chmod(0)
    path = str(secret / "a.py") if command == "outline" else str(secret)
    with ordinary_user():
        outcome = call(command, path, DUCK_HOME=str(tmp_path / "home"))
    secret.chmod(0o700)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("duck: error: ")
    assert outcome.err.count("\n") == 1
    assert "may not be read" in outcome.err or "does not allow" in outcome.err


def test_a_home_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    (tmp_path / "p").mkdir()
    with ordinary_user():
        outcome = call("up", str(tmp_path / "p"), DUCK_HOME=str(tmp_path / "home"))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("duck: error: ")
    assert "Traceback" not in outcome.err
