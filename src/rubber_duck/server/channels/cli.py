"""`cli:me`: what a command line needs beside a project: who one is, which projects there are, engines without one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from rubber_duck import __version__
from rubber_duck.accounts.roles import Role
from rubber_duck.channels.channel import NoPayload, Push, Seat, on
from rubber_duck.engines.placing import without_place
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right
from rubber_duck.server.asking import REQUEST_BYTES, Placed, ResumeRequest, RunRequest, answer, resume
from rubber_duck.server.desk import Desk, Member, installation
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.own import (
    KeyMade,
    KeysView,
    KeyWish,
    ProjectsOf,
    SignedOut,
    key_view,
    projects_of,
    rights_of,
    role_of,
)
from rubber_duck.server.topic import Topic

ME: Final = "me"


class Hello(msgspec.Struct, frozen=True):
    """Who one is on this server, with which rights, and which version it has. `key` is the id of the key."""

    person: str
    role: str
    rights: tuple[str, ...]
    key: str
    expires_at: str
    version: str


class KeyNamed(msgspec.Struct, frozen=True):
    """Which key."""

    id: str


class Invite(msgspec.Struct, frozen=True):
    """Who is to come, with which role in which project, by its name or id; as an administrator of the server or not."""

    name: str
    project: str = ""
    role: str = "member"
    administrator: bool = False


class Invited(msgspec.Struct, frozen=True):
    """An invitation: it is shown once."""

    invitation: str


class Reset(msgspec.Struct, frozen=True):
    """Who forgot their password."""

    name: str


class RoleSet(msgspec.Struct, frozen=True):
    """Which role somebody has in a project, by its name or id: owner, maintainer, member, viewer, or none."""

    project: str
    name: str
    role: str


class SignOut(msgspec.Struct, frozen=True):
    """Whether keys end too."""

    keys: bool = False


class Cli(Topic):
    """What concerns one person and no single project. There is one subject: `cli:me`."""

    name = "cli"
    right = Right.CATALOG_READ

    def __init__(self, seat: Seat, subject: str, desk: Desk, member: Member) -> None:
        super().__init__(seat, subject, desk, member)
        if subject != ME:
            raise NotFound("the topic of a command line is 'cli:me'")

    async def join(self, params: bytes) -> Hello:
        """Who one is."""
        user, key = self.member.standing.user, self.member.standing.credential
        until = "" if key.expires_at is None else key.expires_at.isoformat()
        return Hello(user.name, user.role.value, tuple(sorted(self.seat.scope.rights)), key.id, until, __version__)

    @on("projects", right=Right.CATALOG_READ, cost=RouteClass.READ)
    async def projects(self, payload: NoPayload, push: Push) -> ProjectsOf:
        """The projects in which one has a role, by name."""
        return await projects_of(self.desk, self.member)

    @on("run", right=Right.CATALOG_READ, payload=RunRequest, most_bytes=REQUEST_BYTES, cost=RouteClass.RUN)
    async def run(self, payload: RunRequest, push: Push) -> msgspec.Raw:
        """Run an engine that works on no project; pushes and the reply are as in `code:PROJECT`."""
        among = self.desk.app.roster.answering(payload.engine)
        for engine in among:
            self.seat.scope.require(engine.right)
            without_place(engine, payload.request)
        placed = Placed(payload, self.seat.scope, None, among[0].right)
        return await answer(self.desk, self.member, self.seat, placed, push)

    @on("resume", right=Right.CATALOG_READ, payload=ResumeRequest, cost=RouteClass.READ)
    async def resume(self, payload: ResumeRequest, push: Push) -> msgspec.Raw:
        """Go on with a stream after a cut; NotFound when it cannot be continued."""
        return await resume(self.desk, self.seat, payload, push)

    @on("keys", right=Right.ACCOUNT_OWN, cost=RouteClass.READ)
    async def keys(self, payload: NoPayload, push: Push) -> KeysView:
        """One's own keys."""
        return KeysView(tuple(key_view(each) for each in await self.desk.signing_in.keys(self.member.standing)))

    @on("key_add", right=Right.ACCOUNT_OWN, payload=KeyWish, cost=RouteClass.WRITE)
    async def key_add(self, payload: KeyWish, push: Push) -> KeyMade:
        """Make a key for oneself."""
        rights = rights_of(payload.rights)
        made = await self.desk.signing_in.add_key(
            self.member.standing, label=payload.label, rights=rights, days=payload.days
        )
        return KeyMade(made.id, made.text)

    @on("key_rotate", right=Right.ACCOUNT_OWN, payload=KeyNamed, cost=RouteClass.WRITE)
    async def key_rotate(self, payload: KeyNamed, push: Push) -> KeyMade:
        """A new key like that one, which is good for another hour."""
        made = await self.desk.signing_in.rotate_key(self.member.standing, payload.id)
        return KeyMade(made.id, made.text)

    @on("key_revoke", right=Right.ACCOUNT_OWN, payload=KeyNamed, cost=RouteClass.WRITE)
    async def key_revoke(self, payload: KeyNamed, push: Push) -> None:
        """End a key of one's own."""
        await self.desk.signing_in.revoke_key(self.member.standing, payload.id)

    @on("invite", right=Right.ADMINISTER, payload=Invite, cost=RouteClass.WRITE)
    async def invite(self, payload: Invite, push: Push) -> Invited:
        """Invite somebody, with a role in a project if one is named."""
        project = None
        if payload.project:
            project = (await self._project(payload.project), role_of(payload.role))
        made = await self.desk.signing_in.invite(
            self.seat.scope, payload.name, Role.ADMINISTRATOR if payload.administrator else Role.PERSON, project=project
        )
        return Invited(made.text)

    @on("reset", right=Right.ADMINISTER, payload=Reset, cost=RouteClass.WRITE)
    async def reset(self, payload: Reset, push: Push) -> Invited:
        """Let a user who forgot their password choose another one."""
        return Invited((await self.desk.accounts.reset_password(self.seat.scope, payload.name)).text)

    @on("role_set", right=Right.ADMINISTER, payload=RoleSet, cost=RouteClass.WRITE)
    async def role_set(self, payload: RoleSet, push: Push) -> None:
        """Give somebody a role in a project, or none."""
        role = None if payload.role == "none" else role_of(payload.role)
        await self.desk.accounts.set_role(self.seat.scope, await self._project(payload.project), payload.name, role)

    async def _project(self, which: str) -> UUID:
        """The project of that name or id."""
        found = await self.desk.app.parts.workspace.project(installation(self.member.trace), which)
        return found.id

    @on("sign_out", right=Right.ACCOUNT_OWN, payload=SignOut, cost=RouteClass.WRITE)
    async def sign_out(self, payload: SignOut, push: Push) -> SignedOut:
        """End every session of one's own, and every key if that is wanted."""
        return SignedOut(*await self.desk.signing_in.sign_out_everywhere(self.member.standing, keys=payload.keys))
