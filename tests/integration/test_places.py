"""A report for people names files from where they stand, one for programs from the project's root."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.duck import COMMAND, duck, environment


@pytest.fixture
def pond(tmp_path: Path) -> Path:
    """A project of two folders without anything that marks its root."""
    for folder in ("duck", "lake"):
        (tmp_path / "pond" / folder).mkdir(parents=True)
        (tmp_path / "pond" / folder / "a.py").write_text("import os\n")
    (tmp_path / "pond/lake/binary.py").write_bytes(b"\0")
    return tmp_path / "pond"


def _places(text: str) -> list[str]:
    return re.findall(r"┌─ (\S+):\d+:\d+", text)


def test_one_folder_is_named_from_where_a_person_stands(pond: Path, tmp_path: Path) -> None:
    assert _places(duck("analyze", "duck", home=tmp_path / "home", cwd=pond).stdout) == ["duck/a.py"]
    assert _places(duck("analyze", "pond", home=tmp_path / "home", cwd=tmp_path).stdout) == [
        "pond/duck/a.py",
        "pond/lake/a.py",
    ]


def test_several_paths_are_named_apart(pond: Path, tmp_path: Path) -> None:
    done = duck("analyze", "../duck", ".", home=tmp_path / "home", cwd=pond / "lake")
    assert _places(done.stdout) == ["../duck/a.py", "a.py"]
    assert re.search(r"^ +binary +1 +binary\.py$", done.stdout, re.MULTILINE)


def test_a_file_that_was_refused_is_called_as_it_was_named(pond: Path, tmp_path: Path) -> None:
    done = duck("analyze", "lake/binary.py", home=tmp_path / "home", cwd=pond)
    assert (done.returncode, done.stderr) == (
        2,
        "duck: error: 'lake/binary.py' could not be analysed: holds NUL bytes\n",
    )


def test_an_opened_project_is_named_from_where_a_person_stands(pond: Path, tmp_path: Path) -> None:
    for cwd, place in ((tmp_path, "pond/duck/a.py"), (pond, "duck/a.py"), (pond / "duck", "a.py")):
        assert _places(duck("up", str(pond), home=tmp_path / "home", cwd=cwd).stdout)[0] == place


def test_the_page_of_an_opened_project_names_its_folder_in_full(pond: Path, tmp_path: Path) -> None:
    duck("up", ".", home=tmp_path / "home", cwd=pond)
    [page] = (tmp_path / "home/reports").rglob("report.html")
    assert f'<p class="made">{pond} · RubberDuck' in page.read_text()


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_programs_are_told_paths_from_the_root(form: str, pond: Path, tmp_path: Path) -> None:
    done = duck("analyze", "pond", "--format", form, home=tmp_path / "home", cwd=tmp_path)
    report = json.loads(done.stdout)
    if form == "json":
        paths = [file["path"] for file in report["files"]]
    else:
        paths = [each["location"]["uri"] for each in report["runs"][0]["artifacts"]]
    assert paths == ["duck/a.py", "lake/a.py"]


def _from_a_removed_folder(tmp_path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "-", *COMMAND, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path / "home", **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["analyze"], 1, 0),
        (["up"], 0, 0),
        (["up", "--format", "json"], 0, 0),
        (["projects", "add"], 0, 0),
        (["index"], 0, 1),
    ],
)
def test_a_full_path_needs_no_current_folder(
    arguments: list[str], code: int, told: int, pond: Path, tmp_path: Path
) -> None:
    done = _from_a_removed_folder(tmp_path, *arguments, str(pond))
    assert (done.returncode, done.stderr) == (code, "lake/binary.py: it is not text: it holds NUL bytes\n" * told)
    assert set(_places(done.stdout)) <= {f"{pond}/duck/a.py", f"{pond}/lake/a.py"}


def test_one_file_needs_no_current_folder(pond: Path, tmp_path: Path) -> None:
    for command, code in (("analyze", 1), ("outline", 0), ("imports", 0)):
        done = _from_a_removed_folder(tmp_path, command, str(pond / "duck/a.py"))
        assert (command, done.returncode) == (command, code)
        assert str(pond / "duck/a.py") in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["analyze", "up", "outline", "imports", "index"])
def test_a_relative_path_from_a_removed_folder_is_refused_in_a_sentence(command: str, tmp_path: Path) -> None:
    done = _from_a_removed_folder(tmp_path, command, "a.py")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "duck: error: there is no 'a.py', because the current folder was removed; change to one that is there\n",
    )


def test_what_else_needs_the_removed_folder_is_refused_in_a_sentence(pond: Path, tmp_path: Path) -> None:
    gone = "the current folder was removed; change to one that is there"
    report = _from_a_removed_folder(tmp_path, "analyze", str(pond), "-o", "report.txt")
    assert (report.returncode, gone in report.stderr) == (2, True)
    home = _from_a_removed_folder(tmp_path, "analyze", str(pond), DUCK_HOME="home")
    assert (home.returncode, home.stderr) == (2, f"duck: error: {gone}, and try again\n")
