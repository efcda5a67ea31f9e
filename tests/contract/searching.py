"""A project on disk with an index in either database, and what tests ask of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rubber_duck.scope import Scope
from rubber_duck.search.search import Found, Options, Search, Updated, open_search
from rubber_duck.settings import Settings, load
from rubber_duck.storage.database import Database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace
from tests.factories import MOMENT, write_tree


@dataclass(frozen=True)
class Indexed:
    """A folder, the scope of its project, and search over it."""

    folder: Path
    scope: Scope
    search: Search
    settings: Settings

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the folder."""
        write_tree(self.folder, files)

    async def update(self) -> Updated:
        """Bring the index up to date."""
        return await self.search.update(self.scope, Root(self.folder), self.settings, lambda done, total, note: None)

    async def find(self, query: str, **options: object) -> Found:
        """What the query finds, as it was indexed last."""
        return await self.search.find(self.scope, Root(self.folder), query, Options(**options))  # type: ignore[arg-type]

    async def places(self, query: str, **options: object) -> list[str]:
        """`path name` of each hit, or `path:line` where it has no name."""
        found = await self.find(query, **options)
        return [f"{hit.path} {hit.name}" if hit.name else f"{hit.path}:{hit.start_line}" for hit in found.hits]


@asynccontextmanager
async def indexed(database: Database, folder: Path, files: Mapping[str, str | bytes]) -> AsyncIterator[Indexed]:
    """A project of `files`, opened and indexed."""
    os.makedirs(folder, exist_ok=True)
    settings = load({"DUCK_HOME": str(folder.parent / "home"), "DUCK_WORKERS_COUNT": "1"})
    local = Scope.local()
    project = await Workspace(database, clock=lambda: MOMENT).open_project(local, str(folder))
    async with open_search(database, settings, clock=lambda: MOMENT) as search:
        opened = Indexed(folder, local.within(project.id), search, settings)
        opened.write(files)
        await opened.update()
        yield opened
