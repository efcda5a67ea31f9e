"""`project:PROJECT`: what happens in a project: its files, and work on it, which members start and stop."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.channels.channel import NoPayload, Push, Seat, on
from rubber_duck.engines.placing import placed_run, runs_here
from rubber_duck.engines.workflow import RunView, view
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.server.asking import REQUEST_BYTES, unplaced
from rubber_duck.server.copies import check_here
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.files import content_of
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.topic import Topic
from rubber_duck.server.watching import FilesChanged
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.naming import named
from rubber_duck.workflows.options import StartOptions
from rubber_duck.workflows.workflow import workflows
from rubber_duck.workspace.project import Project as ProjectRow


class Joined(msgspec.Struct, frozen=True):
    """The project that was joined, and what one may do in it."""

    project: str
    name: str
    rights: tuple[str, ...]


class FilesView(msgspec.Struct, frozen=True):
    """Files that were added, changed or removed: the paths of the first, and how many there are."""

    paths: tuple[str, ...]
    count: int


class FilesRequest(msgspec.Struct, frozen=True):
    """A page of the files, behind a path."""

    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class FileView(msgspec.Struct, frozen=True):
    """A file as it was when the project was last analysed."""

    path: str
    language: str
    size_bytes: int


class FilesPage(msgspec.Struct, frozen=True):
    """Files by path; `more` says that there are others behind the last."""

    files: tuple[FileView, ...]
    more: bool


class FileRequest(msgspec.Struct, frozen=True):
    """Which file, by its path from the project's folder."""

    path: Annotated[str, Meta(max_length=4096)]


class JobsRequest(msgspec.Struct, frozen=True):
    """How many of one's newest runs."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class JobsView(msgspec.Struct, frozen=True):
    """Runs of whoever asks, in this project, the newest first."""

    runs: tuple[RunView, ...]


class StartRequest(msgspec.Struct, frozen=True):
    """Which workflow is to run on the project. The request names no folder: the project is that of the topic."""

    workflow: str
    request: dict[str, Any] = {}  # Any: JSON of the workflow's own shape
    key: Annotated[str, Meta(max_length=200)] = ""
    priority: Annotated[int, Meta(ge=1, le=1_000_000)] = 10


class ActRequest(msgspec.Struct, frozen=True):
    """What is to become of a run of one's own."""

    run: Annotated[str, Meta(max_length=300)]
    act: Literal["show", "cancel", "pause", "resume", "retry"] = "show"


class Project(Topic):
    """A project's events. `files` and `job` are pushed to every member; `started` runs are each member's own."""

    name = "project"
    right = Right.PROJECT_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        try:
            self.project = UUID(subject)
            self.charged = str(self.project)
        except ValueError as error:
            raise NotFound(f"there is no project with the id {subject!r}") from error

    async def authorize(self, member: Scope) -> Scope:
        """What the member may do in this project; NotFound without a role in it."""
        scope = await self.desk.accounts.project_scope(self.member.standing, self.project, self.member.trace)
        scope.require(self.right)
        return scope

    async def join(self, params: bytes) -> Joined:
        """The project's name, and what one may do in it."""
        project = await self._row()
        return Joined(str(project.id), project.name, tuple(sorted(self.seat.scope.rights)))

    async def joined(self) -> None:
        """Hear of its files from now on, if one may know them."""
        if Right.FILE_READ in self.seat.scope.rights:
            self.desk.watches.follow(self.project, (await self._row()).root, self._tell)

    async def leave(self) -> None:
        """Hear of them no more."""
        await self.desk.watches.leave(self.project, self._tell)

    @on("files", right=Right.FILE_READ, payload=FilesRequest, cost=RouteClass.READ)
    async def files(self, payload: FilesRequest, push: Push) -> FilesPage:
        """The files by path."""
        listed = await self.desk.app.parts.workspace.files(self._tenant(), await self._row())
        found = [each for each in listed if each.path > payload.after][: payload.limit + 1]
        shown = tuple(FileView(each.path, each.language or "", each.size_bytes) for each in found[: payload.limit])
        return FilesPage(shown, len(found) > payload.limit)

    @on("file", right=Right.FILE_READ, payload=FileRequest, cost=RouteClass.READ)
    async def file(self, payload: FileRequest, push: Push) -> bytes:
        """What a file holds now, as a binary frame; up to 5 MB."""
        return await content_of(self._tenant(), self.desk.app, await self._row(), payload.path)

    @on("jobs", right=Right.WORKFLOW_RUN, payload=JobsRequest, cost=RouteClass.READ)
    async def jobs(self, payload: JobsRequest, push: Push) -> JobsView:
        """One's newest runs in this project."""
        found = await self._durable().runs(self.seat.scope, limit=payload.limit)
        return JobsView(tuple(view(each) for each in found))

    @on("start", right=Right.WORKFLOW_RUN, payload=StartRequest, most_bytes=REQUEST_BYTES, cost=RouteClass.RUN)
    async def start(self, payload: StartRequest, push: Push) -> RunView:
        """Queue a run on this project; the workflow's own right is checked. Its end is told to who started it."""
        root, settings = (await self._row()).root, self.desk.app.settings
        await check_here(root)
        with unplaced(root):
            request = await asyncio.to_thread(placed_run, payload.workflow, payload.request, root, settings)
        options = StartOptions(payload.key, payload.priority, tell=True)
        run_id = await self._durable().start(self.seat.scope, payload.workflow, request, options)
        return view(await self._durable().show(self.seat.scope, run_id))

    @on("job", right=Right.WORKFLOW_RUN, payload=ActRequest, cost=RouteClass.READ)
    async def job(self, payload: ActRequest, push: Push) -> RunView:
        """Show a run of one's own with its steps, or stop it, or let it go on or try again."""
        durable, scope = self._durable(), self.seat.scope
        if payload.act != "show":
            await self.pay(RouteClass.WRITE)
        run_id = await named(durable, scope, payload.run)
        match payload.act:
            case "cancel":
                await durable.cancel(scope, run_id)
            case "pause":
                await durable.pause(scope, run_id)
            case "resume":
                await durable.resume(scope, run_id)
            case "retry":
                await durable.retry(scope, run_id)
            case "show":
                return view(await durable.show(scope, run_id), await durable.steps(scope, run_id))
        return view(await durable.show(scope, run_id))

    @on("workflows", right=Right.PROJECT_READ, cost=RouteClass.READ)
    async def workflows(self, payload: NoPayload, push: Push) -> msgspec.Raw:
        """The names of the workflows that run on a project here."""
        here = [name for name, each in workflows.discover().items() if runs_here(each)]
        return msgspec.Raw(msgspec.json.encode({"workflows": here}))

    def _tell(self, changed: FilesChanged) -> None:
        self.seat.hear("files", FilesView(changed.paths, changed.count))

    async def _row(self) -> ProjectRow:
        return await self.desk.app.parts.workspace.project(self._tenant(), str(self.project))

    def _durable(self) -> Durable:
        return self.desk.app.parts.workflows

    def _tenant(self) -> Scope:
        """The member's rights on what belongs to the installation, as every project of a server does."""
        return self.seat.scope.within(self.project).on_installation()
