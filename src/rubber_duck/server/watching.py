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
from rubber_duck.errors import InvalidInput, normalize
from rubber_duck.settings import Settings
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.scan import in_thread, scan
from rubber_duck.workspace.watch import changed_paths

MOST_PATHS: Final = 200
"""Paths that are named at once; of more only the number is said."""

AGAIN_S: Final = 30.0
"""Seconds until a folder that cannot be watched is tried again."""


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
    """The folders that are watched in this process. Nothing of what is ignored is told.

    One that cannot be watched is tried again after `again_s` seconds, for as long as anybody follows it.
    """

    def __init__(self, settings: Settings, *, again_s: float = AGAIN_S) -> None:
        self._settings = settings
        self._again_s = again_s
        self._watched: dict[UUID, _Watched] = {}

    def follow(self, project: UUID, folder: str, hear: Hear) -> None:
        """Let `hear` be told of changes, until `leave`; it must not block."""
        watched = self._watched.get(project)
        if watched is None:
            task = asyncio.create_task(self._watch(project, folder), name=f"watch {project}")
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

    async def _watch(self, project: UUID, folder: str) -> None:
        listed: frozenset[str] | None = None
        while True:
            try:
                root = Root(folder)
                if listed is None:
                    listed = await self._listed(project, root, frozenset())
                async with aclosing(changed_paths(root)) as changes:
                    async for changed in changes:  # first none, when the watch begins
                        now = await self._listed(project, root, listed)
                        self._tell(project, (changed & (listed | now)) | (listed ^ now))
                        listed = now
            except Exception as error:  # noqa: BLE001  # whatever it is, it is told, and those who follow go on hearing
                telemetry.emit("project.unwatched", project=str(project), error=normalize(error).message)
            await asyncio.sleep(self._again_s)

    def _tell(self, project: UUID, paths: frozenset[str]) -> None:
        watched = self._watched.get(project)
        if watched is None or not paths:
            return
        told = sorted(map(display, paths))
        for hear in tuple(watched.hearers):
            hear(FilesChanged(tuple(told[:MOST_PATHS]), len(told)))

    async def _listed(self, project: UUID, root: Root, known: frozenset[str]) -> frozenset[str]:
        """The project's files; those that were known, while its duck.toml cannot be understood."""
        try:
            index = (await asyncio.to_thread(project_settings, root, self._settings)).index
        except InvalidInput as error:
            telemetry.emit("project.unlisted", project=str(project), error=error.message)
            return known
        found = await in_thread(lambda stopped: scan(root, index, detect, stopped=stopped))
        return frozenset(file.path for file in found.files)
