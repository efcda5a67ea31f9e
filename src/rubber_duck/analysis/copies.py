"""Private copies of files for ruff: it would follow a link put in a file's place, so it is shown what was analysed."""

from __future__ import annotations

import os
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Final

from rubber_duck.errors import DuckError, Unavailable
from rubber_duck.workspace.paths import Root

_PACKAGE: Final = "__init__.py"
_LOST: Final = "its private copy was lost"
_PATH_BYTES: Final = 1_500
"""The longest path that keeps its folders: the folder of the copies comes on top, and systems take 4,095 at most."""


class Copies:
    """Where the copies of a root's files lie below `folder`, which nobody else can reach.

    A copy is called as its file is, because what ruff says depends on names such as `__init__.py` and on the packages
    that a module lies in. Where it cannot be (a name that is not UTF-8, a very long path, one that differs from
    another in nothing but case), it lies in a folder of its own, in no package.
    """

    def __init__(self, folder: Path, root: Root) -> None:
        self.folder = folder
        self._root = root
        self._top = f"0/{_plain(root.path.name) or 'root'}"
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._made: set[str] = set()

    def place(self, path: str) -> str:
        """The absolute path to which the file is to be copied; its folder is there.

        Should there be no room for the folder, then there is none for the copy either, and writing it says so.
        """
        key = unicodedata.normalize("NFC", path).casefold()
        with suppress(OSError):
            if len(os.fsencode(path)) > _PATH_BYTES or _plain(path) != path or key in self._taken:
                self._names[path] = f"{len(self._names) + 1}/{_plain(os.path.basename(path))}"
                os.makedirs(self.folder / os.path.dirname(self._names[path]))
            else:
                self._taken.add(key)
                self._names[path] = f"{self._top}/{path}"
                self._make(os.path.dirname(path))
        return f"{self.folder}/{self._names[path]}"

    def has(self, path: str) -> bool:
        """Whether a place was asked for."""
        return path in self._names

    def name(self, path: str) -> str:
        """What the file's copy is called, below `folder`."""
        return self._names[path]

    def check(self, path: str, size_bytes: int) -> None:
        """Raise Unavailable unless the copy is there, as large as it should be."""
        try:
            found_bytes = os.stat(self.folder / self._names[path]).st_size
        except OSError as error:
            raise Unavailable(_LOST) from error
        if found_bytes != size_bytes:
            raise Unavailable(_LOST)

    def read(self, path: str) -> bytes:
        """The copy's bytes; raises Unavailable when it is gone."""
        try:
            return (self.folder / self._names[path]).read_bytes()
        except OSError as error:
            raise Unavailable(_LOST) from error

    def release(self, path: str) -> None:
        """Give back the room that the copy takes.

        It stays, empty: that there is an `__init__.py` says what the modules beside it are called.
        """
        with suppress(OSError):  # the whole folder goes away in the end
            os.truncate(self.folder / self._names[path], 0)

    def _make(self, folder: str) -> None:
        """Make a folder of the root's and those above it, each a package here if it is one there."""
        if folder in self._made:
            return
        self._made.add(folder)
        if folder:
            self._make(os.path.dirname(folder))
        there = self.folder / self._top / folder
        os.makedirs(there, exist_ok=True)
        if self._is_file(f"{folder}/{_PACKAGE}" if folder else _PACKAGE):
            (there / _PACKAGE).touch()

    def _is_file(self, path: str) -> bool:
        try:
            return stat.S_ISREG(self._root.status(path).st_mode)
        except DuckError:
            return False


def write_copy(path: bytes, content: bytes) -> None:
    """Write a file's copy to where `Copies.place` said; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as copy:
        copy.write(content)


def _plain(name: str) -> str:
    """The name with `_` for each byte that is not UTF-8, which ruff cannot be told."""
    return "".join("_" if "\udc80" <= character <= "\udcff" else character for character in name)
