"""Where a server's projects come from: a folder below the administrator's roots, a Git remote, an uploaded archive."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied, InvalidInput, LimitExceeded, Unavailable
from rubber_duck.settings import Settings
from rubber_duck.workspace.archive import unpack
from rubber_duck.workspace.copied import (
    check_folder_of_copies,
    folder_of_copies,
    forget_copy,
    is_copy,
    made_folder_of_copies,
    remote_file,
)
from rubber_duck.workspace.paths import display
from rubber_duck.workspace.remote import Access, Changing, checked_remote, clone, fetch

UPLOAD_BYTES: Final = 100_000_000


def folder_below(folder: str, roots: Sequence[str]) -> str:
    """The real path of a folder below one of the roots. Raises Denied, also for one that is not there."""
    real = os.path.realpath(folder)
    below = any(real.startswith(os.path.realpath(root) + os.sep) for root in roots)
    if not os.path.isabs(folder) or not below or not os.path.isdir(real):
        raise Denied(f"'{display(folder)}' is no folder below one of those in workspace.roots")
    return real


async def check_here(root: str) -> None:
    """Raises Unavailable on a node that has not a project's folder."""
    if not await asyncio.to_thread(os.path.isdir, root):
        raise Unavailable(
            "this node has not the folder of the project: every node needs it at the same path, on a disk that they "
            "share (workspace.roots, workspace.copies)"
        )


class Copies:
    """Projects that the server has copied, each in a folder of its own."""

    def __init__(self, settings: Settings) -> None:
        """Of the settings, those of `workspace`. Raises InvalidSettings for a shared folder that is not there."""
        check_folder_of_copies(settings)
        self._home = Path(settings.home)
        self._folder = folder_of_copies(settings)
        self.roots = settings.workspace.roots
        self._settings = settings.workspace

    def own_folder(self, folder: str) -> str:
        """The real path of a folder that may be opened as a project where it lies. May block on the disk.

        Raises Denied, also for a copy: that is a project already, and goes away with it.
        """
        real = folder_below(folder, self.roots)
        if self._folder in (Path(real), *Path(real).parents) or Path(real) in self._folder.parents:
            raise Denied(f"'{display(folder)}' belongs to the copies that the server made of other projects")
        return real

    def has_remote(self, root: str) -> bool:
        """Whether a project's folder is a copy of a Git remote."""
        return is_copy(self._folder, root) and remote_file(Path(root)).is_file()

    async def clone(self, remote: str, key: str) -> str:
        """The folder of a new copy of a remote. Raises InvalidInput, Denied, Unavailable."""
        source = checked_remote(remote, self.roots)
        folder = self._new(key)
        try:
            await clone(source, folder, await asyncio.to_thread(Access.to, source, self._settings))
            remote_file(folder).write_text(source, encoding="utf-8")
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, True)
            raise
        return os.fspath(folder)

    async def check_remote(self, root: str) -> None:
        """Raises InvalidInput for a project that is no copy of a remote, Unavailable where its folder is not."""
        await check_here(root)
        if not self.has_remote(root):
            raise InvalidInput("this project was not copied from a Git remote")

    async def fetch(self, root: str, changing: Changing, *, discard: bool = False) -> None:
        """Bring a copy up to date; `changing` is awaited before its files change.

        Raises InvalidInput for a project that is none of a remote, Conflict for one in which somebody changed
        something, unless that is to be discarded.
        """
        await self.check_remote(root)
        source = checked_remote(remote_file(Path(root)).read_text(encoding="utf-8"), self.roots)
        access = await asyncio.to_thread(Access.to, source, self._settings)
        await fetch(source, Path(root), access, changing, discard=discard)

    async def receive(self, pieces: AsyncIterator[bytes], key: str) -> str:
        """The folder of what an uploaded archive holds. Raises InvalidInput, LimitExceeded."""
        folder = self._new(key)
        with tempfile.NamedTemporaryFile(dir=folder.parent, prefix="upload-") as file:
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
        await asyncio.to_thread(forget_copy, self._folder, root)

    def _new(self, key: str) -> Path:
        return made_folder_of_copies(self._folder, self._home) / key
