"""`cli:me`: what a command line needs beside a project: who one is, which projects there are, engines without one."""

from __future__ import annotations

from typing import Final

import msgspec

from rubber_duck import __version__
from rubber_duck.channels.channel import Channel, NoPayload, Push, Seat, on
from rubber_duck.errors import NotFound
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.server.asking import ResumeRequest, RunRequest, afford, answer, resume
from rubber_duck.server.desk import Desk, Member
from rubber_duck.server.placing import without_place

ME: Final = "me"


class Hello(msgspec.Struct, frozen=True):
    """Who one is on this server, with which rights, and which version it has. `key` is the id of the key."""

    person: str
    role: str
    rights: tuple[str, ...]
    key: str
    expires_at: str
    version: str


class ProjectOf(msgspec.Struct, frozen=True):
    """A project in which one has a role. Moments are UTC, ISO 8601."""

    id: str
    name: str
    description: str
    role: str
    updated_at: str


class ProjectsOf(msgspec.Struct, frozen=True):
    """The projects by name."""

    projects: tuple[ProjectOf, ...]


class Cli(Channel):
    """What concerns one person and no single project. There is one subject: `cli:me`."""

    name = "cli"
    right = Right.CATALOG_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject)
        self.desk = desk
        self.member = member
        if subject != ME:
            raise NotFound("the topic of a command line is 'cli:me'")

    async def join(self, params: bytes) -> Hello:
        """Who one is."""
        user, key = self.member.standing.user, self.member.standing.key
        until = "" if key.expires_at is None else key.expires_at.isoformat()
        return Hello(user.name, user.role.value, tuple(sorted(self.seat.scope.rights)), key.id, until, __version__)

    @on("projects", right=Right.CATALOG_READ)
    async def projects(self, payload: NoPayload, push: Push) -> ProjectsOf:
        """The projects in which one has a role, by name."""
        return await projects_of(self.desk, self.member)

    @on("run", right=Right.CATALOG_READ, payload=RunRequest)
    async def run(self, payload: RunRequest, push: Push) -> msgspec.Raw:
        """Run an engine that works on no project; pushes and the reply are as in `code:PROJECT`."""
        await afford(self.desk, self.seat)
        for engine in self.desk.app.roster.answering(payload.engine):
            self.seat.scope.require(engine.right)
            without_place(engine, payload.request)
        return await answer(self.desk, self.seat, payload, self.seat.scope, push)

    @on("resume", right=Right.CATALOG_READ, payload=ResumeRequest)
    async def resume(self, payload: ResumeRequest, push: Push) -> msgspec.Raw:
        """Go on with a stream after a cut; NotFound when it cannot be continued."""
        return await resume(self.desk, self.seat, payload, push)


async def projects_of(desk: Desk, member: Member) -> ProjectsOf:
    """The projects in which a member has a role, by name, with the rights of the role alone."""
    roles = await desk.accounts.roles(member.standing)
    installation = Scope(Actor.local(), None, frozenset({Right.PROJECT_READ}), member.trace)
    return ProjectsOf(
        tuple(
            ProjectOf(str(each.id), each.name, each.description, roles[each.id].value, each.updated_at.isoformat())
            for each in await desk.app.parts.workspace.projects(installation)
            if each.id in roles
        )
    )
