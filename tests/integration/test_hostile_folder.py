"""A project's own Python is never imported, though the command runs inside its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "duck": [str(Path(sys.executable).parent / "duck")],
    "python -m": [sys.executable, "-m", "rubber_duck"],
}
NAMES = ("pickle", "socket", "json", "struct", "msgspec", "click", "tree_sitter", "ast", "rich", "sqlalchemy")


@pytest.mark.parametrize(
    ("program", "command"),
    [*(("duck", command) for command in ("analyze", "up", "outline", "doctor", "rules")), ("python -m", "analyze")],
)
def test_modules_in_the_current_folder_are_not_imported(tmp_path: Path, program: str, command: str) -> None:
    project, marker = tmp_path / "project", tmp_path / "imported"
    project.mkdir()
    trap = f"open({str(marker)!r}, 'a').write(__name__)\n"
    for name in NAMES:
        (project / f"{name}.py").write_text(trap)
    if program == "duck":  # `-m` looks for the package itself in the current folder, before anything of ours runs
        (project / "rubber_duck").mkdir()
        (project / "rubber_duck" / "__init__.py").write_text(trap)
    for number in range(4):  # enough source that worker processes are started
        (project / f"big{number}.py").write_text(f"value_{number} = 1\n" * 8_000)
    arguments = {"analyze": ["."], "up": ["."], "outline": ["big0.py"]}.get(command, [])
    environment = {**os.environ, "DUCK_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*COMMANDS[program], command, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode in {0, 1}, marker.exists()) == (True, False), done.stderr
