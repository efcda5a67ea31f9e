"""Index a project for searching, tell what is indexed, or keep an index up to date while files change."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.analysis.target import existing, project_settings, shown_root, target
from rubber_duck.call import Call, Delta, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.workspace.paths import Root, display

if TYPE_CHECKING:
    from rubber_duck.search.search import IndexStatus, Updated
    from rubber_duck.workspace.project import Project

Folder = Annotated[
    str,
    Meta(max_length=4096, description="The project's folder, or one in it.", extra={"argument": True, "path": True}),
]
Directory = Annotated[
    str,
    Meta(
        max_length=4096,
        description="What a relative path is relative to; empty: the process's own folder.",
        extra={"directory": True},
    ),
]


class UpdateIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="update"):
    """Bring the index of a project up to date; it is opened and made when there is none."""

    path: Folder
    directory: Directory = ""


class ShowIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="status"):
    """Tell what is indexed of a project, what failed and why, its size and its age."""

    path: Folder
    directory: Directory = ""
    left_out: Annotated[bool, Meta(description="Look what is left out now, and list it by path, with the reasons.")] = (
        False
    )


class WatchIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="watch"):
    """Bring the index up to date, and again whenever files change, until interrupted."""

    path: Folder
    directory: Directory = ""


IndexRequest = UpdateIndex | ShowIndex | WatchIndex


class IndexChanges(msgspec.Struct, frozen=True):
    """What an update did: numbers of files."""

    added: int
    changed: int
    removed: int
    unchanged: int
    duration_ms: int


class FailedFile(msgspec.Struct, frozen=True):
    """A file that cannot be found, or not as it should be, and why."""

    path: str
    reason: str


class LeftOutPath(msgspec.Struct, frozen=True):
    """A file or folder that is no part of the project; `detail` says what makes it so, e.g. the pattern."""

    path: str
    reason: str
    detail: str


class VectorsView(msgspec.Struct, frozen=True):
    """Of how many pieces it is known what they mean, by which embeddings model.

    `problem` says why the model did not answer last time; empty when it did.
    """

    model: str
    chunks: int
    problem: str = ""


class IndexAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an index: files that can be found, pieces they were cut into, distinct words, bytes of source.

    `left_out` counts what is not indexed, by reason. Moments are ISO 8601; `updated_at` is None while the first build
    is not complete. `changes` is what this request did, None when it only asked. `left_out_paths` are there when they
    were asked for, `vectors` where an embeddings model is, or was, configured.
    """

    project: str
    root: str
    files: int
    chunks: int
    words: int
    size_bytes: int
    languages: dict[str, int]
    failed: tuple[FailedFile, ...]
    left_out: dict[str, int]
    created_at: str
    updated_at: str | None
    changes: IndexChanges | None = None
    left_out_paths: tuple[LeftOutPath, ...] = ()
    vectors: VectorsView | None = None


@engines.add
class Index(Engine[IndexRequest, IndexAnswer]):
    """Index a project for searching, tell what is indexed, or keep an index up to date while files change.

    Only what has changed is read again. Interrupted at any moment, the next update goes on from there.
    """

    name: ClassVar[str] = "index"
    request: ClassVar[Any] = IndexRequest  # Any: a union is no type
    answer = IndexAnswer
    right = Right.FILE_READ
    needs = ("workspace", "search")
    timeout_s = 30 * 24 * 3600.0

    async def run(self, request: IndexRequest, call: Call) -> IndexAnswer:
        """The state of the index after the request; raises NotFound, Denied or InvalidSettings."""
        if isinstance(request, ShowIndex):
            project, scope = await known_project(call, request.path, request.directory)
            answer = _answer(project, await call.parts.search.status(scope), None)
            return await _with_left_out(call, project, answer) if request.left_out else answer
        root = await nearest_root(call, request.path, request.directory)
        project, scope, updated = await update_index(call, root)
        if isinstance(request, WatchIndex):
            shown = shown_root(root.path, request.directory)
            await _watch(call, root, f"{project.name}: {_told(updated)}; watching {shown}\n")
        return _answer(project, await call.parts.search.status(scope), updated)


async def _with_left_out(call: Call, project: Project, answer: IndexAnswer) -> IndexAnswer:
    root = Root(project.root)
    listed = await call.parts.search.left_out(root, project_settings(root, call.settings).index)
    paths = tuple(LeftOutPath(display(path), reason, display(detail)) for path, reason, detail in listed)
    return msgspec.structs.replace(answer, left_out_paths=paths)


async def nearest_root(call: Call, path: str, directory: str) -> Root:
    """The root of the opened project that `path` is or lies in, or else the one it looks to belong to.

    Raises NotFound, Denied or InvalidInput.
    """
    absolute = existing(path or ".", directory)
    roots = {project.root for project in await call.parts.workspace.projects(call.scope)}
    for folder in (Path(absolute), *Path(absolute).parents):
        if os.fspath(folder) in roots:
            return Root(folder)
    return target([absolute], directory, call.settings).root


async def known_project(call: Call, path: str, directory: str) -> tuple[Project, Scope]:
    """The opened project that the folder `path` is or lies in, and the scope narrowed to it; raises NotFound."""
    root = os.fspath((await nearest_root(call, path, directory)).path)
    for project in await call.parts.workspace.projects(call.scope):
        if project.root == root:
            return project, call.scope.within(project.id)
    raise NotFound(f"the folder '{display(root)}' is no opened project; run: duck index FOLDER")


async def update_index(call: Call, root: Root, *, only: Collection[str] = ()) -> tuple[Project, Scope, Updated]:
    """Open the project of `root` and bring its index up to date, telling how far it is.

    `only` are the paths that may have changed, where that is known.
    """

    def progress(done: int, total: int, note: str) -> None:
        call.emit(Progress(done, total, note))

    project = await call.parts.workspace.open_project(call.scope, os.fspath(root.path))
    scope = call.scope.within(project.id)
    settings = project_settings(root, call.settings)
    return project, scope, await call.parts.search.update(scope, root, settings, progress, only=only)


async def _watch(call: Call, root: Root, begun: str) -> None:
    """Say `begun` once there is a watch; everything is then looked at again, for what changed before that."""
    from rubber_duck.workspace.watch import changed_paths  # noqa: PLC0415  # a library that only watching needs

    async with aclosing(changed_paths(root)) as changes:
        async for paths in changes:
            if not paths:
                call.emit(Delta(begun))
            _, _, updated = await update_index(call, root, only=paths)
            if updated.added or updated.changed or updated.removed:
                call.emit(Delta(f"{_told(updated)}\n"))


def _told(updated: Updated) -> str:
    moved = [(updated.added, "added"), (updated.changed, "changed"), (updated.removed, "removed")]
    said = ", ".join(f"{count:,} {word}" for count, word in moved if count) or "nothing has changed"
    return f"{said} ({updated.duration_s * 1000:.0f} ms)"


def changes(updated: Updated) -> IndexChanges:
    """The numbers of an update, as they are answered."""
    duration_ms = round(updated.duration_s * 1000)
    return IndexChanges(updated.added, updated.changed, updated.removed, updated.unchanged, duration_ms)


def _answer(project: Project, status: IndexStatus, updated: Updated | None) -> IndexAnswer:
    said = status.embedded
    return IndexAnswer(
        project=project.name,
        root=display(project.root),
        files=status.files,
        chunks=status.chunks,
        words=status.words,
        size_bytes=status.size_bytes,
        languages=status.by_language,
        failed=tuple(FailedFile(display(file.path), file.problem) for file in status.failed),
        left_out=status.left_out,
        created_at=status.created_at.isoformat(),
        updated_at=None if status.updated_at is None else status.updated_at.isoformat(),
        changes=None if updated is None else changes(updated),
        vectors=VectorsView(said.model, said.chunks, said.problem) if said.model or said.problem else None,
    )
