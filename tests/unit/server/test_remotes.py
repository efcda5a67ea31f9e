"""Copies of remotes are brought up to date though another process does the same at that moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from msgspec.structs import replace

from rubber_duck.cluster.cluster import Lease
from rubber_duck.cluster.local import LocalCluster
from rubber_duck.errors import Unavailable
from rubber_duck.scope import Scope
from rubber_duck.server.copies import Copies
from rubber_duck.server.remotes import Remotes
from rubber_duck.settings import Settings
from rubber_duck.workspace.project import Project
from rubber_duck.workspace.remote import Changing
from rubber_duck.workspace.workspace import Workspace


class Shelf(Workspace):
    """One project."""

    def __init__(self, project: Project) -> None:
        self.project_there = project

    async def project(self, scope: Scope, which: str) -> Project:
        """The one."""
        return self.project_there


class Fetched(Copies):
    """Says that it was fetched, and may fail first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(replace(Settings(), home=str(folder)))
        self.times = asyncio.Queue[int]()
        self.failures = 0
        self._count = 0

    async def fetch(self, root: str, changing: Changing, *, discard: bool = False) -> None:
        """Count."""
        self._count += 1
        self.times.put_nowait(self._count)
        if self._count <= self.failures:
            raise Unavailable("the remote is away")


class Asked(LocalCluster):
    """Tells of each try for a lease."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = asyncio.Queue[bool]()
        self.is_lost = False

    async def lease(self, key: str, *, for_s: float) -> Lease | None:
        """As in one process, or lost."""
        if self.is_lost:
            self.tries.put_nowait(False)
            raise Unavailable("Redis is gone")
        found = await super().lease(key, for_s=for_s)
        self.tries.put_nowait(found is not None)
        return found


class Town:
    """A project that is a copy, and whoever brings it up to date."""

    def __init__(self, folder: Path) -> None:
        now = datetime(2026, 11, 1, tzinfo=UTC)
        self.id = uuid4()
        self.cluster, self.copies = Asked(), Fetched(folder)
        shelf = Shelf(project_at(self.id, str(folder), now))
        self.remotes = Remotes(shelf, self.copies, self.cluster, every_s=0, again_s=0.01)

    async def fetched(self) -> int:
        """How often it was, after the next time."""
        async with asyncio.timeout(20):
            return await self.copies.times.get()

    async def tried(self) -> bool:
        """Whether the next try for a lease had it."""
        async with asyncio.timeout(20):
            return await self.cluster.tries.get()


def project_at(key: UUID, root: str, now: datetime) -> Project:
    """A project."""
    return Project(key, "local", "shop", root, "", {}, 1, now, now)


async def test_what_was_pushed_while_another_process_fetched_is_fetched_after_it(tmp_path: Path) -> None:
    town = Town(tmp_path)
    held = await town.cluster.lease(f"fetch:{town.id}", for_s=600)
    assert held is not None
    assert await town.tried()
    working = asyncio.create_task(town.remotes.work())
    assert town.remotes.want(town.id)
    assert [await town.tried(), await town.tried()] == [False, False]
    assert town.copies.times.empty()
    await held.release()
    assert await town.fetched() == 1
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_without_redis_it_is_fetched_all_the_same(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.cluster.is_lost = True
    working = asyncio.create_task(town.remotes.work())
    town.remotes.want(town.id)
    assert await town.fetched() == 1
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_one_that_fails_lets_go_of_its_lease(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.copies.failures = 1
    working = asyncio.create_task(town.remotes.work())
    town.remotes.want(town.id)
    assert await town.fetched() == 1
    town.remotes.want(town.id)
    assert await town.fetched() == 2
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
