"""What the Makefile does on a fresh machine, tried with a Python that only writes down what it is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Stands in for .venv/bin/python: the Makefile is what is tried here, not pip.
RECORDER = '#!/bin/sh\nprintf "%s|" "$PWD" "$@" >> "{log}"\necho >> "{log}"\n'


class Clone:
    """A folder with the Makefile and the locks, whose virtual environment writes down how it is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.log = folder / "log"
        shutil.copytree(ROOT / "requirements", self.folder / "requirements")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)

    def with_environment(self) -> Clone:
        """As after the first start, as far as the folder `.venv` goes."""
        python = self.folder / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(RECORDER.format(log=self.log))
        python.chmod(0o755)
        return self

    def make(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run make there; the command's own variables do not reach it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(
            ["make", *arguments],
            cwd=cwd or self.folder,
            env=kept | {"PWD": str(cwd or self.folder), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[list[str]]:
        """What the Python was asked: the folder it was started in, then its arguments."""
        return [line.rstrip("|").split("|") for line in self.log.read_text().splitlines()]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A fresh one."""
    return Clone(tmp_path)


def test_make_alone_lists_the_commands(clone: Clone) -> None:
    done = clone.make()
    listed = [line.split()[1] for line in done.stdout.splitlines()]
    assert {"run", "test", "check", "format", "bench", "soak", "docs", "clean"} <= set(listed)


def test_run_without_a_project_says_what_is_missing(clone: Clone) -> None:
    done = clone.make("run")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "Say which code base to open: make run PROJECT=path/to/it"
    assert not (clone.folder / ".venv").exists()


def test_a_python_that_is_too_old_is_refused_with_a_sentence(clone: Clone) -> None:
    done = clone.make("run", "PROJECT=.", "PYTHON=false")
    assert done.returncode == 2
    assert done.stderr.startswith("RubberDuck needs Python 3.11, 3.12 or 3.13; false is not one.")


def test_a_second_start_installs_nothing(clone: Clone) -> None:
    clone.with_environment().make("run", "PROJECT=.")
    first = len(clone.calls())
    clone.make("run", "PROJECT=.")
    assert [call for call in clone.calls() if "pip" in call]
    assert clone.calls()[first:] == [[str(clone.folder), "-P", "-m", "rubber_duck", "up", "."]]


def test_run_installs_what_users_need_and_no_more(clone: Clone) -> None:
    clone.with_environment().make("run", "PROJECT=.")
    locks = [argument for call in clone.calls() for argument in call if argument.startswith("requirements/")]
    assert locks == ["requirements/run.txt"]


def test_what_is_installed_is_checked_by_hash(clone: Clone) -> None:
    clone.with_environment().make("run", "PROJECT=.")
    (locked,) = (call for call in clone.calls() if "requirements/run.txt" in call)
    assert "--require-hashes" in locked


@pytest.mark.parametrize(
    "options",
    [(), ("-s",), ("-C", "clone"), ("-s", "-C", "clone"), ("-sCclone",), ("--no-print-directory", "--directory=clone")],
)
def test_a_relative_project_is_meant_from_where_make_was_called(clone: Clone, options: tuple[str, ...]) -> None:
    clone.with_environment()
    caller = clone.folder.parent if "clone" in "".join(options) else clone.folder
    clone.make(*options, "run", "PROJECT=some where", cwd=caller)
    assert clone.calls()[-1] == [str(caller), "-P", "-m", "rubber_duck", "up", "some where"]


def test_a_tilde_is_the_home_folder(clone: Clone) -> None:
    clone.with_environment().make("run", "PROJECT=~/code")
    assert clone.calls()[-1][-1] == str(Path.home() / "code")


def test_a_dollar_in_the_path_is_a_dollar(clone: Clone) -> None:
    named = "/a/$(shell touch pwned)$HOME$(touch x)$"
    clone.with_environment().make("run", f"PROJECT={named}")
    assert clone.calls()[-1][-1] == named
    assert not (clone.folder / "pwned").exists()


def test_a_clone_that_was_moved_installs_the_project_again(clone: Clone) -> None:
    clone.with_environment().make("run", "PROJECT=.")
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    clone.log.unlink()
    clone.make("run", "PROJECT=.")
    assert [call for call in clone.calls() if "-e" in call]
