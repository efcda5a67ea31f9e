"""What concerns one person, over HTTP and the socket alike: their keys, and the projects in which they have a role."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import ApiKey
from rubber_duck.errors import UnknownName
from rubber_duck.scope import Right
from rubber_duck.server.desk import Desk, Member, installation


class SignedOut(msgspec.Struct, frozen=True):
    """How many sessions and keys were ended."""

    sessions: int
    keys: int


class KeyWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made. `rights` null: all that one has; `days` null: as long as what one came with."""

    label: Annotated[str, Meta(max_length=200)] = ""
    rights: Annotated[tuple[str, ...], Meta(max_length=50)] | None = None
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class KeyMade(msgspec.Struct, frozen=True):
    """A key that was just made: it is shown once."""

    id: str
    key: str


class KeyView(msgspec.Struct, frozen=True):
    """What is known of a key; moments are UTC, ISO 8601, "" for never.

    `made_with` is the id of the key with which it was made, "" for none: with that one it is revoked.
    """

    id: str
    label: str
    rights: tuple[str, ...] | None
    created_at: str
    expires_at: str
    revoked_at: str
    made_with: str = ""


class KeysView(msgspec.Struct, frozen=True):
    """One's own keys, oldest first."""

    keys: tuple[KeyView, ...]


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


def rights_of(names: tuple[str, ...] | None) -> frozenset[Right] | None:
    """The rights of these names; None for all. Raises UnknownName."""
    if names is None:
        return None
    known = {right.value for right in Right}
    for name in names:
        if name not in known:
            raise UnknownName.among("right", name, known)
    return frozenset(map(Right, names))


def role_of(name: str) -> Role:
    """The role of that name. Raises UnknownName."""
    if name not in set(Role):
        raise UnknownName.among("role", name, [each.value for each in Role])
    return Role(name)


def key_view(key: ApiKey) -> KeyView:
    """What may be shown of a key."""
    rights = None if key.rights is None else tuple(sorted(key.rights))
    created, expires, revoked = map(_moment, (key.created_at, key.expires_at, key.revoked_at))
    return KeyView(key.id, key.label, rights, created, expires, revoked, key.made_with)


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


async def projects_of(desk: Desk, member: Member) -> ProjectsOf:
    """The projects in which a member has a role, by name, with the rights of the role alone."""
    roles = await desk.accounts.roles(member.standing)
    return ProjectsOf(
        tuple(
            ProjectOf(str(each.id), each.name, each.description, roles[each.id].value, each.updated_at.isoformat())
            for each in await desk.app.parts.workspace.projects(installation(member.trace))
            if each.id in roles
        )
    )
