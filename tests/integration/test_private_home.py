"""Whatever RubberDuck keeps can be read by its owner alone."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.factories import write_tree
from tests.integration.duck import COMMAND, environment


def modes(folder: Path) -> dict[str, str]:
    """What is open to others in `folder`, and the folder itself: its path and mode."""
    found = {"": folder.stat().st_mode} | {
        str(Path(place, name).relative_to(folder)): Path(place, name).lstat().st_mode
        for place, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }
    return {path: f"{stat.S_IMODE(mode):o}" for path, mode in found.items() if mode & 0o077}


def carelessly(home: Path, *arguments: str, **more: str) -> None:
    """Run `duck` for somebody who lets everybody read and write what they make."""
    command = ["sh", "-c", 'umask 000; exec "$@"', "sh", *COMMAND, *arguments]
    done = subprocess.run(command, env=environment(home, **more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_after_the_main_job_nothing_in_the_home_is_open_to_others(tmp_path: Path) -> None:
    home = tmp_path / "above/home"
    project = write_tree(tmp_path / "pond", {"a.py": "def f(a):\n    return eval(a)\n"})
    carelessly(home, "up", str(project), DUCK_TELEMETRY_TRACES="file")
    carelessly(home, "migrate", "--seed")

    kept = {path.name for path in home.iterdir()}
    assert {"cache.db", "duck.db", "reports", "traces.jsonl"} <= kept
    assert modes(home) == {}


@pytest.mark.parametrize("name", ["traces.jsonl", "duck.db"])
def test_a_file_of_before_that_is_open_to_others_is_closed(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / name).touch()
    (home / name).chmod(0o644)
    carelessly(home, "projects", "list", DUCK_TELEMETRY_TRACES="file")

    assert modes(home) == {}
