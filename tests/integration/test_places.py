"""A report for people names files from where they stand, one for programs from the project's root."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.integration.duck import duck


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
