"""Runs `duck` as its users do: as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.templates import make_home

COMMAND = [sys.executable, "-P", "-m", "rubber_duck"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's variables without those that change what `duck` shows, and a home folder for it alone."""
    dropped = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "PYTHONUTF8")
    kept = {name: value for name, value in os.environ.items() if name not in dropped and not name.startswith("DUCK_")}
    return kept | {"DUCK_HOME": str(home), "LC_ALL": "C.UTF-8", **more}


def duck(*arguments: str, home: Path, cwd: Path | str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, in a home folder that has a database. `test_private_home.py` begins without."""
    make_home(home)
    streams: dict[str, Any] = {"capture_output": True, "text": True, "encoding": "utf-8", "errors": "surrogateescape"}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(home, **more), cwd=cwd, timeout=120, check=False, **streams
    )
