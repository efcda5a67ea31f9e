"""Folders that only this user reads and that go away: at the end, or, after a crash, when another process makes one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from rubber_duck.errors import Unavailable

MEMORY: Final = "/dev/shm"
"""Where Linux keeps files in memory. Making and removing thousands there takes a tenth of the time or less."""

MEMORY_BYTES: Final = 256 << 20
"""The room there must be in memory; with less, files lie on the disk."""

_PREFIX: Final = "duck-private-"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder of mode 0700; its path is real, it leads over no link.

    It lies in memory where that has room, else in the system's temporary folder; where TMPDIR says if that is set. It
    is locked as long as it is used, so that another process can tell it from one whose process was killed.
    Raises Unavailable when none can be made.
    """
    try:
        places = _places()
        for place in places:
            _sweep(place)
        path, lock = _make(places[0])
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


def _places() -> list[str]:
    """Where such folders may lie, the best place first."""
    temporary = os.path.realpath(tempfile.gettempdir())
    if os.environ.get("TMPDIR"):
        return [temporary]
    try:
        status, room = os.stat(MEMORY), os.statvfs(MEMORY)
    except OSError:
        return [temporary]
    shared = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX and os.access(MEMORY, os.W_OK | os.X_OK)
    if shared and room.f_bavail * room.f_frsize >= MEMORY_BYTES:
        return [os.path.realpath(MEMORY), temporary]
    return [temporary]


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
