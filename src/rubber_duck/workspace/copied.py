"""Projects that a server copied, each in a folder of its own below one folder: where they lie, and their end.

Every node of a server has one and the same such folder: a project is one folder, and not one on each node.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from rubber_duck.errors import InvalidSettings, Unavailable
from rubber_duck.settings import Settings
from rubber_duck.settings.home import make_private_folder

_FOLDER: Final = "projects"
_REMOTE: Final = ".duck-remote"
_MARK: Final = ".duck-copies"
"""The file by which a shared folder of copies is known from the empty one in which its disk is mounted."""

_SEEN: Final = "copies.seen"


def folder_of_copies(settings: Settings) -> Path:
    """Where the copies lie."""
    return Path(settings.workspace.copies or os.path.join(settings.home, _FOLDER)).resolve()


def check_folder_of_copies(settings: Settings) -> None:
    """Raises InvalidSettings for a shared folder that is none here: nothing is copied to beside a disk that is away."""
    chosen = settings.workspace.copies
    if chosen and not (os.path.isabs(chosen) and os.path.isdir(chosen)):
        raise InvalidSettings(
            f"workspace.copies: {chosen!r} is no folder here; make it, for the server's user alone, on the disk that "
            "all nodes share, and name it from the top"
        )
    if chosen and _is_away(folder_of_copies(settings), Path(settings.home)):
        raise InvalidSettings(f"workspace.copies: {chosen!r} has not what was in it before: is its disk mounted?")


def _is_away(folder: Path, home: Path) -> bool:
    """Whether what is there is no shared folder of copies, though this node has seen one there, by its mark.

    Where a disk is not mounted there is an empty folder. One that this node sees is remembered in the home folder.
    """
    seen = home / _SEEN
    if (folder / _MARK).is_file():
        make_private_folder(home)
        seen.write_text(os.fspath(folder), encoding="utf-8", errors="surrogateescape")
        return False
    try:
        return seen.read_text(encoding="utf-8", errors="surrogateescape") == os.fspath(folder)
    except FileNotFoundError:
        return False


def made_folder_of_copies(folder: Path, home: Path) -> Path:
    """The folder of copies, made where it lies in the home folder. Raises Unavailable for a shared one that is away."""
    if folder.parent == home.resolve():
        make_private_folder(folder)
    elif not folder.is_dir() or _is_away(folder, home):
        raise Unavailable("the folder in which copies of projects lie is not there now: is its disk mounted?")
    elif not (folder / _MARK).exists():
        (folder / _MARK).touch()
        _is_away(folder, home)
    return folder


def is_copy(folder: Path, root: str) -> bool:
    """Whether a project's folder is one of the copies in `folder`."""
    return Path(root).parent == folder


def remote_file(copy: Path) -> Path:
    """Where it stands which Git remote a copy is of, if it is of one."""
    return copy.parent / f"{copy.name}{_REMOTE}"


def forget_copy(folder: Path, root: str) -> None:
    """Remove one of the copies in `folder`; a folder that is none is left alone."""
    if is_copy(folder, root):
        remote_file(Path(root)).unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
