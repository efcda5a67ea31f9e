"""Open, list, rename, remove and restore projects."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.call import Call
from rubber_duck.code.language import title
from rubber_duck.context.kept import forget
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.settings.home import forget_reports
from rubber_duck.workspace.copied import folder_of_copies, forget_copy
from rubber_duck.workspace.paths import absolute

if TYPE_CHECKING:
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.project import CodeFile, Project

Which = Annotated[
    str, Meta(max_length=4096, description="The project's name, its id or its folder.", extra={"argument": True})
]
Directory = Annotated[
    str,
    Meta(
        description="What a relative path is relative to; empty: the process's own folder.",
        extra={"directory": True},
    ),
]


class AddProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="add"):
    """Open a folder as a project, without analysing it."""

    root: Annotated[
        str, Meta(max_length=4096, description="The project's folder.", extra={"argument": True, "path": True})
    ]
    name: Annotated[
        str, Meta(max_length=200, description="What to call it; empty: as the folder.", extra={"place": False})
    ] = ""
    description: Annotated[str, Meta(max_length=10_000, description="A few words about it.")] = ""
    directory: Directory = ""


class ListProjects(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="list"):
    """List the projects by name."""

    removed: Annotated[bool, Meta(description="Those that were removed and can be restored.")] = False


class ShowProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="show"):
    """Show one project and how many files of which language it has."""

    project: Which
    directory: Directory = ""


class RenameProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="rename"):
    """Give a project another name."""

    project: Which
    name: Annotated[str, Meta(max_length=200, description="The new name.", extra={"argument": True})]
    directory: Directory = ""


class RemoveProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="remove"):
    """Remove a project, which can be undone; its folder is not touched."""

    project: Which
    directory: Directory = ""


class RestoreProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restore"):
    """Bring a removed project back."""

    project: Which
    directory: Directory = ""


class PurgeProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="purge"):
    """Forget a removed project and all that is kept of it, for good, a server's copy too; another folder stays."""

    project: Which
    directory: Directory = ""


ProjectsRequest = (
    AddProject | ListProjects | ShowProject | RenameProject | RemoveProject | RestoreProject | PurgeProject
)


class FilesView(msgspec.Struct, frozen=True):
    """How many files of one language there are; `title` is how people write its name, both empty for other files."""

    language: str
    title: str
    files: int


class ProjectView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A project. Moments are UTC, ISO 8601. `files`, most frequent language first, are there only for a single project.

    `present` says whether its folder is still there; `removed_at` is there only for a removed project.
    """

    id: str
    name: str
    root: str
    present: bool
    description: str
    version: int
    created_at: str
    updated_at: str
    removed_at: str = ""
    files: tuple[FilesView, ...] | None = None


class ProjectsAnswer(msgspec.Struct, frozen=True):
    """The project that was asked for or changed, or all of them by name."""

    projects: tuple[ProjectView, ...]


@engines.add
class Projects(Engine[Any, ProjectsAnswer]):  # Any: a union has no class that could stand here
    """Open, list, rename, remove and restore projects.

    Each request needs its own right beside the one to read: to create, to write, to purge.
    """

    name: ClassVar[str] = "projects"
    request = ProjectsRequest
    answer = ProjectsAnswer
    right = Right.PROJECT_READ
    needs = ("workspace",)
    timeout_s = 60.0

    async def run(self, request: ProjectsRequest, call: Call) -> ProjectsAnswer:
        """Do what is asked; raises Denied, UnknownName, NotFound, Conflict, InvalidInput or InvalidPath."""
        workspace, scope = call.parts.workspace, call.scope
        match request:
            case ListProjects(removed):
                return _answer(*await workspace.projects(scope, deleted=removed))
            case ShowProject():
                project = await workspace.project(scope, await _which(request, call))
                return ProjectsAnswer((_view(project, await workspace.files(scope, project)),))
            case AddProject(root, name, description, directory):
                folder = absolute(root, directory)
                return _answer(await workspace.add_project(scope, folder, name=name, description=description))
            case RenameProject(name=name):
                return _answer(await workspace.rename(scope, await _which(request, call), name))
            case RemoveProject():
                return _answer(await workspace.remove(scope, await _which(request, call)))
            case RestoreProject():
                return _answer(await workspace.restore(scope, await _which(request, call, removed=True)))
            case PurgeProject():
                project = await workspace.purge(scope, await _which(request, call, removed=True))
                await asyncio.to_thread(_forget, call.settings, scope.within(project.id), project)
                return _answer(project)


def _forget(settings: Settings, scope: Scope, project: Project) -> None:
    """What is kept of a purged project outside the database, such as what models were told, reports, and a copy."""
    from rubber_duck.ngram import ngram  # noqa: PLC0415  # numpy: only a purge pays

    forget(settings, scope)
    ngram.forget(settings, Path(project.root))
    forget_copy(folder_of_copies(settings), project.root)
    forget_reports(Path(settings.home), project.id)


async def _which(
    request: ShowProject | RenameProject | RemoveProject | RestoreProject | PurgeProject,
    call: Call,
    *,
    removed: bool = False,
) -> str:
    """The project as the workspace finds it: a name or an id as it stands, a folder by its full path."""
    which = request.project
    known = await call.parts.workspace.projects(call.scope, deleted=removed)
    if any(which in {each.name, str(each.id)} for each in known):
        return which
    folder = _real(which, request.directory)
    return folder if any(each.root == folder for each in known) else which


def _real(path: str, directory: str) -> str:
    """The full path of a folder that need not be there any more; empty for what is no path."""
    if not path or "\0" in path:
        return ""
    try:
        return os.path.realpath(absolute(path, directory))
    except NotFound:
        return ""  # it was relative to a folder that is gone; a name it may be still


def _answer(*projects: Project) -> ProjectsAnswer:
    return ProjectsAnswer(tuple(map(_view, projects)))


def _view(project: Project, files: Sequence[CodeFile] | None = None) -> ProjectView:
    return ProjectView(
        id=str(project.id),
        name=project.name,
        root=project.root,
        present=os.path.isdir(project.root),
        description=project.description,
        version=project.version,
        created_at=project.created_at.isoformat(),
        updated_at=project.updated_at.isoformat(),
        removed_at="" if project.deleted_at is None else project.deleted_at.isoformat(),
        files=None if files is None else _counted(files),
    )


def _counted(files: Sequence[CodeFile]) -> tuple[FilesView, ...]:
    counted = Counter(file.language or "" for file in files)
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(FilesView(language, title(language), number) for language, number in ordered)
