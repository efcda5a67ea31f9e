"""Watches the folders of projects that somebody here follows: one watch a project, however many follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.analysis.target import project_settings
from rubber_duck.code.language import detect
from rubber_duck.errors import DuckError
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.scan import in_thread, scan
from rubber_duck.workspace.watch import changed_paths

MOST_PATHS: Final = 200
"""Paths that are named at once; of more only the number is said."""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Files of a project that were added, changed or removed: the paths of the first, and how many there are."""

    paths: tuple[str, ...]
    count: int


Hear = Callable[[FilesChanged], None]


@dataclass(slots=True)
class _Watched:
    task: asyncio.Task[None]
    hearers: list[Hear] = field(default_factory=list)


class Watches:
    """The folders that are watched in this process. Nothing of what is ignored is told."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watched: dict[UUID, _Watched] = {}

    def follow(self, project: UUID, folder: str, hear: Hear) -> None:
        """Let `hear` be told of changes, until `leave`; it must not block."""
        watched = self._watched.get(project)
        if watched is None:
            task = asyncio.create_task(self._watch(project, Root(folder)), name=f"watch {project}")
            watched = self._watched[project] = _Watched(task)
        watched.hearers.append(hear)

    async def leave(self, project: UUID, hear: Hear) -> None:
        """Tell it no more; the last one ends the watch."""
        watched = self._watched.get(project)
        if watched is None or hear not in watched.hearers:
            return
        watched.hearers.remove(hear)
        if not watched.hearers:
            del self._watched[project]
            watched.task.cancel()
            await asyncio.gather(watched.task, return_exceptions=True)

    async def _watch(self, project: UUID, root: Root) -> None:
        try:
            listed = await self._listed(root)
            async with aclosing(changed_paths(root)) as changes:
                async for changed in changes:
                    now = await self._listed(root)
                    told = sorted(display(path) for path in changed & (listed | now))
                    listed = now
                    if told:
                        self._tell(project, FilesChanged(tuple(told[:MOST_PATHS]), len(told)))
        except DuckError as error:  # a folder that is gone, or more folders than the system watches
            telemetry.emit("project.unwatched", project=str(project), error=error.message)

    def _tell(self, project: UUID, changed: FilesChanged) -> None:
        watched = self._watched.get(project)
        for hear in tuple(watched.hearers if watched is not None else ()):
            hear(changed)

    async def _listed(self, root: Root) -> frozenset[str]:
        index = project_settings(root, self._settings).index
        found = await in_thread(lambda stopped: scan(root, index, detect, stopped=stopped))
        return frozenset(file.path for file in found.files)
