"""What a person is told to type works where they stand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rubber_duck.cli.program import Started, quoted
from tests.unit.cli.calling import Script, call


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a virtual environment that has the console script and a Python."""
    scripts = tmp_path / "clone/.venv/bin"
    scripts.mkdir(parents=True)
    for name in ("duck", "python"):
        (scripts / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (scripts / name).chmod(0o755)
    (tmp_path / "clone/src").mkdir()
    return tmp_path / "clone"


@pytest.mark.parametrize(
    ("script", "directory", "path", "typed"),
    [
        (".venv/bin/duck", ".", "/usr/bin", ".venv/bin/duck"),
        ("CLONE/.venv/bin/duck", ".", "/usr/bin", ".venv/bin/duck"),
        ("CLONE/.venv/bin/duck", "src", "/usr/bin", "../.venv/bin/duck"),
        ("CLONE/.venv/bin/duck", ".", "/usr/bin:CLONE/.venv/bin", "duck"),
        ("./duck", ".venv/bin", "/usr/bin", "./duck"),
        ("CLONE/.venv/bin/duck", "/usr/share", "/usr/bin", "CLONE/.venv/bin/duck"),
        ("CLONE/src/rubber_duck/__main__.py", ".", "/usr/bin", ".venv/bin/duck"),
        ("-m", ".", "/usr/bin", ".venv/bin/duck"),
    ],
)
def test_the_program_is_called_as_it_was(script: str, directory: str, path: str, typed: str, clone: Path) -> None:
    words = [each.replace("CLONE", str(clone)) for each in (script, path, typed)]
    start = Started(words[0], str(clone / ".venv/bin/python"), str(clone / directory), {"PATH": words[1]})
    assert start.command() == words[2]
    said = subprocess.run(
        f"{start.command()} up",
        shell=True,
        cwd=start.directory,
        env={"PATH": words[1]},
        capture_output=True,
        check=True,
    )
    assert said.stdout == b"duck up\n"


def test_without_a_script_it_is_a_module_of_python(clone: Path) -> None:
    (clone / ".venv/bin/duck").unlink()
    start = Started("x/__main__.py", str(clone / ".venv/bin/python"), str(clone), {})
    assert start.command() == ".venv/bin/python -m rubber_duck"


def test_another_duck_on_the_path_is_not_this_one(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "duck").write_text("#!/bin/sh\n")
    (tmp_path / "duck").chmod(0o755)
    start = Started(str(clone / ".venv/bin/duck"), "python", str(clone), {"PATH": str(tmp_path)})
    assert start.command() == ".venv/bin/duck"


def test_a_folder_with_a_space_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b/duck").write_text("")
    (tmp_path / "a b/duck").chmod(0o755)
    assert Started("a b/duck", "python", str(tmp_path), {}).command() == "'a b/duck'"


@pytest.mark.parametrize("name", ["a'b\\c\nd", "\x1b[31m1", "\udcff7\u202e", "\u200bé"])
def test_a_strange_word_is_on_one_line_and_a_shell_reads_it_as_it_is(name: str) -> None:
    assert quoted(name).isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted(name)}"], capture_output=True, check=True)
    assert done.stdout == os.fsencode(name)


def test_mistakes_and_help_name_the_program_as_it_was_called() -> None:
    script = Script(error=None, payload={"engines": []})
    assert "Begin with `./duck up PROJECT`." in call("--help", program="./duck").out
    assert "Try `./duck analyze --help`." in call("analyze", program="./duck").err
    assert "`./duck engines NAME`" in call("engines", script=script, program="./duck").out
