"""`code:PROJECT`: run an engine on a project and follow its answer, and see who else is there and where."""

from __future__ import annotations

import secrets
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.channels.channel import NoPayload, Push, Seat, on
from rubber_duck.channels.presence import Person, PresenceDiff
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.server.asking import REQUEST_BYTES, ResumeRequest, RunRequest, answer, placed_in, resume
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.topic import Topic


class Cursor(msgspec.Struct, frozen=True):
    """Where somebody is: a path in the project, 1-based line and column."""

    path: Annotated[str, Meta(max_length=4096)]
    line: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    column: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class CursorOf(msgspec.Struct, frozen=True):
    """Somebody's cursor."""

    person: str
    cursor: Cursor


class Joined(msgspec.Struct, frozen=True):
    """The project that was joined."""

    project: str
    name: str
    rights: tuple[str, ...]


class Code(Topic):
    """Engines on one project, and its members."""

    name = "code"
    right = Right.PROJECT_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        self.device = secrets.token_urlsafe(9)
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
        project = await self.desk.app.parts.workspace.project(self._tenant(), str(self.project))
        return Joined(str(project.id), project.name, tuple(sorted(self.seat.scope.rights)))

    async def joined(self) -> None:
        """Say who is there."""
        actor = self.seat.scope.actor
        metas = {"name": actor.name}
        there = await self.desk.presence.enter(self.seat.topic, actor.id, self.device, metas, self._tell)
        await self.seat.push("presence_state", msgspec.Raw(msgspec.json.encode(there)))

    async def leave(self) -> None:
        """Be there no more."""
        await self.desk.presence.leave(self.seat.topic, self.seat.scope.actor.id, self.device, self._tell)

    @on("run", right=Right.PROJECT_READ, payload=RunRequest, most_bytes=REQUEST_BYTES, cost=RouteClass.RUN)
    async def run(self, payload: RunRequest, push: Push) -> msgspec.Raw:
        """Run an engine; its deltas and progress are pushed, its answer is the reply. The engine's right is checked."""
        tenant = self._tenant()
        project = await self.desk.app.parts.workspace.project(tenant, str(self.project))
        placed = await placed_in(self.desk, project, payload, self.seat.scope, tenant)
        return await answer(self.desk, self.member, self.seat, placed, push)

    @on("resume", right=Right.PROJECT_READ, payload=ResumeRequest, cost=RouteClass.READ)
    async def resume(self, payload: ResumeRequest, push: Push) -> msgspec.Raw:
        """Go on with a stream after a cut; NotFound when it cannot be continued."""
        return await resume(self.desk, self.seat, payload, push)

    @on("cursor", right=Right.FILE_READ, payload=Cursor, cost=RouteClass.SIGNAL)
    async def cursor(self, payload: Cursor, push: Push) -> None:
        """Tell the others where one is."""
        await self.seat.broadcast("cursor", CursorOf(self.seat.scope.actor.id, payload), besides_me=True)

    @on("members", right=Right.PROJECT_READ, cost=RouteClass.READ)
    async def members(self, payload: NoPayload, push: Push) -> msgspec.Raw:
        """Who is there now."""
        there: dict[str, Person] = self.desk.presence.people(self.seat.topic)
        return msgspec.Raw(msgspec.json.encode(there))

    def _tenant(self) -> Scope:
        """The member's rights on what belongs to the installation, as every project of a server does."""
        return self.seat.scope.within(self.project).on_installation()

    def _tell(self, diff: PresenceDiff) -> None:
        self.seat.hear("presence_diff", diff)
