"""Folders that only this user reads and that go away: at the end, or, after a crash, when another process makes one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from rubber_duck.errors import Unavailable

_PREFIX: Final = "duck-private-"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder of mode 0700 below the system's temporary folder; its path is real, it leads over no link.

    It is locked as long as it is used, so that another process can tell it from one whose process was killed.
    Raises Unavailable when none can be made.
    """
    try:
        temporary = os.path.realpath(tempfile.gettempdir())
        _sweep(temporary)
        path, lock = _make(temporary)
    except OSError as error:
        raise Unavailable(
            f"a temporary folder cannot be made ({error.strerror or error}); make room, or set TMPDIR to a folder "
            "that RubberDuck may write"
        ) from error
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)  # what cannot be removed now is swept later
        os.close(lock)


def _make(temporary: str) -> tuple[str, int]:
    """A new folder and its lock; once more when another process took it for one that was left, and removes it."""
    while True:
        path = tempfile.mkdtemp(prefix=_PREFIX, dir=temporary)
        folder = os.open(path, _FOLDER)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            continue
        except OSError:
            return path, folder  # this file system knows no locks, so nobody sweeps here
        if os.path.isdir(path):
            return path, folder
        os.close(folder)


@cache
def _sweep(temporary: str) -> None:
    """Remove what killed processes of this user left behind, once in the life of this process."""
    with os.scandir(temporary) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
    for path in found:
        with suppress(OSError):  # a link, somebody else's, in use, or gone by now
            folder = os.open(path, _FOLDER)
            try:
                if os.fstat(folder).st_uid == os.geteuid():
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(folder)
