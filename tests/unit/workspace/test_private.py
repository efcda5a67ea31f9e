"""A private folder is nobody else's, and goes away even when its process could not see to it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rubber_duck.workspace.private import private_folder

IN_A_PROCESS = "import os, pathlib\nfrom rubber_duck.workspace.private import private_folder\n"


def run(code: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with a temporary folder of its own."""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_only_its_user_may_look_into_it_and_it_goes_away_with_all_it_holds() -> None:
    with private_folder() as folder:
        (folder / "a/b").mkdir(parents=True)
        (folder / "a/b/c.py").write_text("x = 1\n")
        mode = stat.S_IMODE(folder.stat().st_mode)
    assert (mode, folder.exists()) == (0o700, False)


def test_it_goes_away_after_an_error_too() -> None:
    with pytest.raises(RuntimeError, match="stop"), private_folder() as folder:
        raise RuntimeError("stop")
    assert not folder.exists()


def test_its_path_leads_over_no_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    done = run(f"{IN_A_PROCESS}with private_folder() as folder: print(folder.parent)", tmp_path / "link")
    assert done.stdout == f"{(tmp_path / 'real').resolve()}\n"


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    killed = run(
        f"{IN_A_PROCESS}with private_folder() as folder:\n (folder / 'x').mkdir(); os.kill(os.getpid(), 9)", tmp_path
    )
    (left,) = tmp_path.iterdir()
    foreign = tmp_path / "duck-diary"
    foreign.mkdir()
    code = (
        f"{IN_A_PROCESS}import subprocess, sys\n"
        "with private_folder() as mine:\n"
        f" code = {IN_A_PROCESS!r} + 'with private_folder() as other: pass'\n"
        " subprocess.run([sys.executable, '-c', code], check=True)\n"
        " print(mine.exists())\n"
    )
    done = run(code, tmp_path)
    assert (killed.returncode, left.exists(), done.stdout) == (-9, False, "True\n")
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/x.py").write_text("x = 1\n")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "temporary/duck-private-abc").symlink_to(tmp_path / "precious")
    assert run(f"{IN_A_PROCESS}with private_folder(): pass", tmp_path / "temporary").stderr == ""
    assert (tmp_path / "precious/x.py").read_text() == "x = 1\n"


def test_where_none_can_be_made_the_error_says_what_to_do(tmp_path: Path) -> None:
    code = f"import tempfile; tempfile.tempdir = '{tmp_path}/gone'\nwith private_folder(): pass"
    last = run(f"{IN_A_PROCESS}{code}", tmp_path).stderr.splitlines()[-1]
    assert last == (
        "rubber_duck.errors.Unavailable: a temporary folder cannot be made (No such file or directory); "
        "make room, or set TMPDIR to a folder that RubberDuck may write"
    )
