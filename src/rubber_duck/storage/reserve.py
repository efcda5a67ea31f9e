"""Room beside a database that is kept for when the disk is full: what has begun can end in it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from rubber_duck import telemetry
from rubber_duck.errors import StorageUnavailable

SIZE_BYTES: Final = 4 * 1024 * 1024
"""Enough for the results of steps that run, for signs of life, and for the journal to be written back."""


class Reserve:
    """A file of zeros. When the disk is full it is let go, and nothing new is begun until it can be made again.

    Processes that use one database share one; each notices for itself that the disk is full.
    """

    def __init__(self, database: Path, shown: str) -> None:
        self._place = database.with_name(f"{database.name}.reserve")
        self._shown = shown
        self._is_full = False

    def make(self) -> bool:
        """Take the room; False when there is none."""
        try:
            descriptor = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(descriptor, 0, SIZE_BYTES)
        except OSError:
            self._place.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
        return True

    def require_room(self) -> None:
        """Raise StorageUnavailable while the disk is full. Costs nothing while it is not."""
        if not self._is_full:
            return
        # Twice as much, because what was let go just now is no room yet.
        if self._free_bytes() < 2 * SIZE_BYTES or not self.make():
            raise StorageUnavailable(
                f"the database {self._shown} is only read now: its disk is full; free some space, and it is written "
                "again without a restart"
            )
        self._is_full = False
        telemetry.emit("storage.room", database=self._shown)

    def let_go_after(self, error: BaseException) -> bool:
        """If `error` says that the disk is full, let the room go; whether there was some, so that it may go now."""
        if not _says_full(error):
            return False
        if not self._is_full:
            telemetry.emit("storage.full", database=self._shown)
        self._is_full = True
        try:
            self._place.unlink()
        except OSError:
            return False
        return True

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self._place.parent)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize


def _says_full(error: BaseException) -> bool:
    driver = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(driver, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_FULL
