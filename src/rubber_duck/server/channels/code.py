"""`code:PROJECT`: run an engine on a project and follow its answer, and see who else is there and where."""

from __future__ import annotations

import secrets
from typing import Any, Final
from uuid import UUID

import msgspec

from rubber_duck.call import Delta, Progress
from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.channels.presence import Person, PresenceDiff
from rubber_duck.channels.stream import Say, follow
from rubber_duck.cluster.cluster import Limit
from rubber_duck.engines.engine import Engine
from rubber_duck.errors import Denied, InvalidInput, LimitExceeded, NotFound
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.server.desk import Desk, Member

RUNS: Final = Limit(rate=2.0, burst=20.0)
"""How often one person may run an engine, on all nodes together."""

_PLACES: Final = ("project", "directory", "path", "paths", "root")


class RunRequest(msgspec.Struct, frozen=True):
    """Which engine is asked what. The request says nothing of folders: the project is that of the topic."""

    engine: str
    request: dict[str, Any] = {}  # Any: JSON of the engine's own shape


class ResumeRequest(msgspec.Struct, frozen=True):
    """Which stream goes on, and the first offset that is missing."""

    stream: str
    offset: int


class Cursor(msgspec.Struct, frozen=True):
    """Where somebody is: a path in the project, 1-based line and column."""

    path: str
    line: int
    column: int


class CursorOf(msgspec.Struct, frozen=True):
    """Somebody's cursor."""

    person: str
    cursor: Cursor


class DeltaView(msgspec.Struct, frozen=True):
    """A piece of text."""

    text: str


class ProgressView(msgspec.Struct, frozen=True):
    """How far the work is; `total` 0 when it is not known."""

    done: int
    total: int
    note: str


class Joined(msgspec.Struct, frozen=True):
    """The project that was joined."""

    project: str
    name: str
    rights: tuple[str, ...]


class Code(Channel):
    """Engines on one project, and its members."""

    name = "code"
    right = Right.PROJECT_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject)
        self.desk = desk
        self.member = member
        self.device = secrets.token_urlsafe(9)
        try:
            self.project = UUID(subject)
        except ValueError as error:
            raise NotFound(f"there is no project with the id {subject!r}") from error

    async def authorize(self) -> Scope:
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

    @on("run", right=Right.PROJECT_READ, payload=RunRequest)
    async def run(self, payload: RunRequest, push: Push) -> msgspec.Raw:
        """Run an engine; its deltas and progress are pushed, its answer is the reply. The engine's right is checked."""
        await self._afford()
        request = await self._placed(payload)
        scope = self._tenant()

        async def work(say: Say) -> msgspec.Struct:
            def emit(piece: Delta | Progress) -> None:
                if isinstance(piece, Delta):
                    say("delta", DeltaView(piece.text))
                else:
                    say("progress", ProgressView(piece.done, piece.total, piece.note))

            answer: msgspec.Struct = await self.desk.app.run(payload.engine, request, scope, emit)
            return answer

        stream = self.desk.streams.start(self.seat.scope, work)
        return await follow(self.desk.streams, stream, 0, push)

    @on("resume", right=Right.PROJECT_READ, payload=ResumeRequest)
    async def resume(self, payload: ResumeRequest, push: Push) -> msgspec.Raw:
        """Go on with a stream after a cut; NotFound when it cannot be continued."""
        stream = await self.desk.streams.find(self.seat.scope, payload.stream, payload.offset)
        return await follow(self.desk.streams, stream, payload.offset, push)

    @on("cursor", right=Right.FILE_READ, payload=Cursor)
    async def cursor(self, payload: Cursor, push: Push) -> None:
        """Tell the others where one is."""
        await self.seat.broadcast("cursor", CursorOf(self.seat.scope.actor.id, payload), besides_me=True)

    @on("members", right=Right.PROJECT_READ)
    async def members(self, payload: NoPayload, push: Push) -> msgspec.Raw:
        """Who is there now."""
        there: dict[str, Person] = self.desk.presence.people(self.seat.topic)
        return msgspec.Raw(msgspec.json.encode(there))

    async def _afford(self) -> None:
        """Raises LimitExceeded, and Unavailable while nobody can say how often they ran something."""
        allowance = await self.desk.cluster.allow(f"run:{self.seat.scope.actor.id}", RUNS)
        if not allowance.allowed:
            raise LimitExceeded(f"engines are asked too often; try again in {allowance.retry_after_s:.1f} s")

    async def _placed(self, asked: RunRequest) -> dict[str, Any]:  # Any: as in RunRequest
        """The request with the project's folder in it. Engines that take any folder do not run here."""
        for engine in self.desk.app.roster.answering(asked.engine):
            if not _runs_on_a_server(engine):
                raise Denied(f"the engine {engine.name!r} works on any folder of its machine, so it does not run here")
        named = next((field for field in _PLACES if field in asked.request), None)
        if named is not None:
            raise InvalidInput(f"leave {named!r} out of the request: the project is that of the topic")
        taken = _fields(self.desk.app.roster.answering(asked.engine)[0])
        if "project" not in taken:
            return asked.request
        project = await self.desk.app.parts.workspace.project(self._tenant(), str(self.project))
        given: dict[str, Any] = {"project": project.root, "directory": project.root, "refresh": False}  # Any: as above
        return {name: value for name, value in given.items() if name in taken} | asked.request

    def _tenant(self) -> Scope:
        """The member's rights on what belongs to the installation, as every project of a server does."""
        scope = self.seat.scope
        return Scope(Actor(Actor.local().id, scope.actor.name), self.project, scope.rights, scope.trace)

    def _tell(self, diff: PresenceDiff) -> None:
        self.seat.hear("presence_diff", diff)


def _runs_on_a_server(engine: type[Engine[Any, Any]]) -> bool:  # Any: an engine of any request
    taken = _fields(engine)
    return "path" not in taken and "paths" not in taken and ("project" in taken or engine.right is Right.CATALOG_READ)


def _fields(engine: type[Engine[Any, Any]]) -> frozenset[str]:  # Any: as above
    """The names in its request; none for a union of requests."""
    if not isinstance(engine.request, type):
        return frozenset({"path"})
    return frozenset(field.encode_name for field in msgspec.structs.fields(engine.request))
