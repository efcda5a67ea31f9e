"""Opens, lists, changes and removes projects, and keeps their lists of files: the front of this slice."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from rubber_duck.errors import Conflict, InvalidInput, UnknownName
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.database import Database, Transaction
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace import store
from rubber_duck.workspace.paths import Root, display
from rubber_duck.workspace.project import (
    Changes,
    CodeFile,
    Json,
    Project,
    ScanEntry,
    checked_configuration,
    checked_description,
    checked_name,
    name_for,
)

__all__ = ["Changes", "CodeFile", "Project", "ScanEntry", "Workspace"]


Changed = Callable[[Scope, Transaction, UUID, str, datetime], Awaitable[None]]
"""What else is done, in the same transaction, when something becomes of a project: the word says what."""

Also = Callable[[Transaction, Project], Awaitable[None]]
"""What else is done in the transaction that makes a project."""


async def _nobody_hears(*_: object) -> None:
    """Nothing else is done."""


class Workspace:
    """A person's projects. Each method is one transaction; `which` is a project's name, its id or its folder.

    Another actor's project is UnknownName, as if it were not there.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        make_key: Callable[[], UUID] = new_key,
        changed: Changed = _nobody_hears,
    ) -> None:
        """`clock` gives aware moments; `changed` is called whenever a project is opened, changed or goes away."""
        self._database = database
        self._clock = clock
        self._make_key = make_key
        self._changed = changed

    async def add_project(
        self, scope: Scope, root: str, *, name: str = "", description: str = "", also: Also = _nobody_hears
    ) -> Project:
        """Open the folder `root` as a project; without a `name` it gets the folder's, with a number if need be.

        `also` is done in the same transaction.
        Raises Conflict when the name is taken or the folder is open already, InvalidInput, InvalidPath, NotFound.
        """
        scope.require(Right.PROJECT_CREATE)
        folder = _folder(root)
        wanted = checked_name(name) if name else ""
        description = checked_description(description)
        async with self._database.begin() as tx:
            project = await self._add(scope, tx, folder, (wanted, description))
            await also(tx, project)
            return project

    async def open_project(self, scope: Scope, root: str) -> Project:
        """The living project of the folder `root`, made when there is none. Raises as `add_project`."""
        scope.require(Right.PROJECT_CREATE)
        return await self.project_at(scope, root)

    async def project_at(self, scope: Scope, root: str) -> Project:
        """As `open_project`, for work that somebody else's right began: only making a project takes the right to."""
        folder = _folder(root)
        try:
            return await self._open(scope, folder)
        except Conflict:
            return await self._open(scope, folder)  # somebody else was adding it at the same moment

    async def projects(self, scope: Scope, *, deleted: bool = False) -> list[Project]:
        """The living projects by name, or the removed ones with `deleted`."""
        async with self._database.begin(write=False) as tx:
            return await store.list_projects(scope, tx, deleted=deleted)

    async def project(self, scope: Scope, which: str) -> Project:
        """One living project; raises UnknownName, which says the nearest name."""
        async with self._database.begin(write=False) as tx:
            return await _find(scope, tx, which)

    async def rename(self, scope: Scope, which: str, name: str) -> Project:
        """Raises Conflict when the name is taken, InvalidInput when it cannot be one."""
        wanted = checked_name(name)
        return await self._change(scope, which, "rename", lambda project: replace(project, name=wanted))

    async def describe(self, scope: Scope, which: str, description: str) -> Project:
        """Replace the description; raises InvalidInput."""
        text = checked_description(description)
        return await self._change(scope, which, "describe", lambda project: replace(project, description=text))

    async def configure(self, scope: Scope, which: str, configuration: Mapping[str, Json]) -> Project:
        """Replace the configuration; raises InvalidInput unless it is JSON."""
        checked = checked_configuration(configuration)
        return await self._change(scope, which, "configure", lambda project: replace(project, configuration=checked))

    async def fetching(self, scope: Scope, project: Project) -> None:
        """Say that a project's files are about to be those of its remote; what is said stands before they are."""
        scope.require(Right.PROJECT_WRITE)
        async with self._database.begin() as tx:
            await self._changed(scope, tx, project.id, "fetch", self._clock())

    async def remove(self, scope: Scope, which: str) -> Project:
        """Remove a project, which `restore` undoes; its folder is not touched."""
        at = self._clock()
        async with self._database.begin() as tx:
            removed = await store.soft_delete_project(scope, tx, await _find(scope, tx, which), at)
            await self._changed(scope, tx, removed.id, "remove", at)
            return removed

    async def restore(self, scope: Scope, which: str) -> Project:
        """Bring a removed project back; Conflict when its name or folder is in use, or the name is ambiguous."""
        at = self._clock()
        async with self._database.begin() as tx:
            restored = await store.restore_project(scope, tx, await _find(scope, tx, which, deleted=True), at)
            await self._changed(scope, tx, restored.id, "restore", at)
            return restored

    async def purge(self, scope: Scope, which: str) -> Project:
        """Forget a removed project and all that is kept of it, for good; its folder is not touched."""
        scope.require(Right.PROJECT_PURGE)
        async with self._database.begin() as tx:
            project = await _find(scope, tx, which, deleted=True)
            await self._changed(scope, tx, project.id, "purge", self._clock())
            await store.purge_project(scope, tx, project.id)
            return project

    async def files(self, scope: Scope, project: Project, *, deleted: bool = False) -> list[CodeFile]:
        """The project's living files by path, or the removed ones with `deleted`."""
        async with self._database.begin(write=False) as tx:
            return await store.list_files(scope, tx, project.id, deleted=deleted)

    async def record_scan(self, scope: Scope, project: Project, entries: Iterable[ScanEntry]) -> Changes:
        """Make the project's files equal to `entries`, in one transaction.

        What vanished is soft-deleted, what came back counts as added and has its old id. Raises NotFound when the
        project was removed, InvalidInput for a path given twice.
        """
        record = partial(
            store.record_files, scope=scope, project_id=project.id, entries=list(entries), at=self._clock()
        )
        return await self._database.run(record)

    async def _open(self, scope: Scope, folder: str) -> Project:
        async with self._database.begin() as tx:
            for project in await store.list_projects(scope, tx):
                if project.root == folder:
                    return project
            return await self._add(scope, tx, folder, ("", ""))

    async def _add(self, scope: Scope, tx: Transaction, folder: str, said: tuple[str, str]) -> Project:
        """`said` is the name, or nothing, and the description."""
        name, description = said
        if not name:
            taken = {project.name for project in await store.list_projects(scope, tx)}
            name = name_for(os.path.basename(folder) or folder, taken)
        now = self._clock()
        project = Project(self._make_key(), scope.owner, name, folder, description, {}, 1, now, now)
        await store.create_project(scope, tx, project)
        await self._changed(scope, tx, project.id, "open", now)
        return project

    async def _change(self, scope: Scope, which: str, action: str, change: Callable[[Project], Project]) -> Project:
        at = self._clock()
        async with self._database.begin() as tx:
            changed = await store.change_project(scope, tx, change(await _find(scope, tx, which)), at)
            await self._changed(scope, tx, changed.id, action, at)
            return changed


async def _find(scope: Scope, tx: Transaction, which: str, *, deleted: bool = False) -> Project:
    """The project of that id, name or absolute folder, in this order; UnknownName, or Conflict for several.

    The id comes first: who may name their project cannot have it stand for another one.
    """
    known = await store.list_projects(scope, tx, deleted=deleted)
    named = [project for project in known if project.name == which]
    identified = [project for project in known if str(project.id) == which]
    named = identified or named or [project for project in known if project.root == which]
    if len(named) > 1:
        ids = ", ".join(str(project.id) for project in named)
        where = "are called" if named[0].name == which else "lie in"
        raise Conflict(f"{len(named)} removed projects {where} '{display(which)}'; say which by its id: {ids}")
    if named:
        return named[0]
    kind = "removed project" if deleted else "project"
    raise UnknownName.among(kind, which, [project.name for project in known], hint=_hint(known, deleted=deleted))


def _hint(known: Sequence[Project], *, deleted: bool) -> str:
    if deleted:
        return "`duck projects list --removed` lists them" if known else "none was removed"
    return "`duck projects list` lists them" if known else "none is open yet; `duck up FOLDER` opens one"


def _folder(root: str) -> str:
    """The real path of an absolute, existing folder."""
    if not os.path.isabs(root):
        raise InvalidInput(f"'{display(root)}' is not absolute: a project's folder is named from the top")
    return os.fspath(Root(root).path)
