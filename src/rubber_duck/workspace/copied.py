"""Projects that a server copied, each in a folder of its own below the home folder: where they lie, and their end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_FOLDER: Final = "projects"
_REMOTE: Final = ".duck-remote"


def folder_of_copies(home: Path) -> Path:
    """Where the copies lie."""
    return (home / _FOLDER).resolve()


def is_copy(home: Path, root: str) -> bool:
    """Whether a project's folder is such a copy."""
    return Path(root).parent == folder_of_copies(home)


def remote_file(folder: Path) -> Path:
    """Where it stands which Git remote a copy is of, if it is of one."""
    return folder.parent / f"{folder.name}{_REMOTE}"


def forget_copy(home: Path, root: str) -> None:
    """Remove a copy; a folder that is none is left alone."""
    if is_copy(home, root):
        remote_file(Path(root)).unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
