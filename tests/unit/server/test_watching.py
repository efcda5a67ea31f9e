"""Whoever follows a project's files goes on hearing of them, whatever becomes of its duck.toml or its folder."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from pathlib import Path
from uuid import uuid4

from rubber_duck.server.watching import FilesChanged, Watches
from tests.factories import write_tree
from tests.unit.diary import settings_at

WAIT_S = 60.0


class Ear:
    """Hears which files changed."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._new = asyncio.Event()

    def __call__(self, changed: FilesChanged) -> None:
        """Keep the paths."""
        self.paths |= set(changed.paths)
        self._new.set()

    async def hears_of(self, file: Path) -> None:
        """Writes a file until that is heard."""
        async with asyncio.timeout(WAIT_S):
            for number in count():
                if file.name in self.paths:
                    return
                write_tree(file.parent, {file.name: f"eggs = {number}\n"})
                self._new.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._new.wait(), 1.0)


async def test_a_duck_toml_that_is_broken_ends_no_watch(tmp_path: Path) -> None:
    (tmp_path / "known.py").write_text("eggs = 0\n")
    watches, ear, project = Watches(settings_at(tmp_path / "home")), Ear(), uuid4()
    watches.follow(project, str(tmp_path), ear)
    try:
        await ear.hears_of(tmp_path / "first.py")
        (tmp_path / "duck.toml").write_text("quack = [")
        ear.paths.clear()
        await ear.hears_of(tmp_path / "known.py")
        (tmp_path / "duck.toml").unlink()
        await ear.hears_of(tmp_path / "second.py")
    finally:
        await watches.leave(project, ear)


async def test_a_folder_that_cannot_be_watched_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    watches, ear, project = Watches(settings_at(tmp_path / "home"), again_s=0.01), Ear(), uuid4()
    watches.follow(project, str(folder), ear)
    try:
        await asyncio.sleep(0)
        folder.mkdir()
        await ear.hears_of(folder / "egg.py")
    finally:
        await watches.leave(project, ear)
