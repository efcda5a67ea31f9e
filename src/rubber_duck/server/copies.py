"""Where a server's projects come from: a folder below the administrator's roots, a Git remote, an uploaded archive."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied, InvalidInput, LimitExceeded
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.archive import unpack
from rubber_duck.workspace.paths import display
from rubber_duck.workspace.remote import checked_remote, clone, fetch

UPLOAD_BYTES: Final = 100_000_000
_REMOTE: Final = ".duck-remote"


def folder_below(folder: str, roots: Sequence[str]) -> str:
    """The real path of a folder below one of the roots. Raises Denied, also for one that is not there."""
    real = os.path.realpath(folder)
    below = any(real.startswith(os.path.realpath(root) + os.sep) for root in roots)
    if not os.path.isabs(folder) or not below or not os.path.isdir(real):
        raise Denied(f"'{display(folder)}' is no folder below one of those in workspace.roots")
    return real


class Copies:
    """Projects that the server has copied, each in a folder of its own below the home folder."""

    def __init__(self, home: Path, roots: Sequence[str]) -> None:
        self._folder = home / "projects"
        self.roots = tuple(roots)

    def holds(self, root: str) -> bool:
        """Whether a project's folder is such a copy."""
        return Path(root).parent == self._folder.resolve()

    def has_remote(self, root: str) -> bool:
        """Whether a project's folder is a copy of a Git remote."""
        return self.holds(root) and self._remember(Path(root)).is_file()

    async def clone(self, remote: str, key: str) -> str:
        """The folder of a new copy of a remote. Raises InvalidInput, Denied, Unavailable."""
        source = checked_remote(remote, self.roots)
        folder = self._new(key)
        try:
            await clone(source, folder)
            self._remember(folder).write_text(source, encoding="utf-8")
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, True)
            raise
        return os.fspath(folder)

    async def check_remote(self, root: str) -> None:
        """Raises InvalidInput for a project that is no copy of a remote."""
        if not self.has_remote(root):
            raise InvalidInput("this project was not copied from a Git remote")

    async def fetch(self, root: str) -> None:
        """Bring a copy up to date. Raises InvalidInput for a project that is none of a remote."""
        await self.check_remote(root)
        remembered = self._remember(Path(root))
        await fetch(checked_remote(remembered.read_text(encoding="utf-8"), self.roots), Path(root))

    async def receive(self, pieces: AsyncIterator[bytes], key: str) -> str:
        """The folder of what an uploaded archive holds. Raises InvalidInput, LimitExceeded."""
        folder = self._new(key)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="upload-") as file:
            size = 0
            async for piece in pieces:
                size += len(piece)
                if size > UPLOAD_BYTES:
                    raise LimitExceeded(f"an archive has at most {UPLOAD_BYTES:,} bytes")
                file.write(piece)
            file.flush()
            folder.mkdir(mode=0o700)
            try:
                await asyncio.to_thread(unpack, Path(file.name), folder)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, folder, True)
                raise
        return os.fspath(folder)

    async def forget(self, root: str) -> None:
        """Remove a copy; a folder that is none is left alone."""
        if self.holds(root):
            self._remember(Path(root)).unlink(missing_ok=True)
            await asyncio.to_thread(shutil.rmtree, root, True)

    def _new(self, key: str) -> Path:
        make_private_folder(self._folder)
        return self._folder.resolve() / key

    def _remember(self, folder: Path) -> Path:
        return folder.parent / f"{folder.name}{_REMOTE}"
