"""Users, keys, and roles in projects."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    Table,
    Text,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    table,
    update,
)
from sqlalchemy.engine import Row

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import ApiKey, User
from rubber_duck.errors import Conflict, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Json, Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

users: Final = Table(
    "users",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("disabled_at", Timestamp),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("rights", Json),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp),
    Column("revoked_at", Timestamp),
)

key_makers: Final = Table(
    "key_makers",
    metadata,
    Column("key_id", Text, ForeignKey("api_keys.id"), primary_key=True),
    Column("made_with", Text, ForeignKey("api_keys.id"), nullable=False),
)
"""With which key a key was made; one that a session or an administrator made is not here."""

memberships: Final = Table(
    "memberships",
    metadata,
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("role", Text, nullable=False),
)
"""Roles in projects, and on single things in them: `resource` is "" for the whole project."""

_WHOLE: Final = memberships.c.resource == ""

_KEYS: Final = select(api_keys, key_makers.c.made_with).outerjoin(key_makers, key_makers.c.key_id == api_keys.c.id)

_PROJECTS: Final = table("projects", column("id", Key), column("deleted_at", Timestamp))
_THERE: Final = exists().where(_PROJECTS.c.id == memberships.c.project_id, _PROJECTS.c.deleted_at.is_(None))
"""In a project that was not removed: in one that was, nobody has a role until it is restored."""


async def disabled_before(scope: Scope, tx: Transaction, before: datetime) -> tuple[str, ...]:
    """The ids of the users who were disabled before a moment, as text."""
    scope.require(Right.ADMINISTER)
    rows = await tx.execute(select(users.c.id).where(users.c.disabled_at < before))
    return tuple(str(row.id) for row in rows)


async def create_user(scope: Scope, tx: Transaction, user: User) -> None:
    """Raises Conflict when the name is taken."""
    scope.require(Right.ADMINISTER)
    if (await tx.execute(select(users.c.id).where(users.c.name == user.name))).first() is not None:
        raise Conflict(f"there is a user called {user.name!r} already; choose another name")
    await tx.execute(
        insert(users), {"id": user.id, "name": user.name, "role": user.role.value, "created_at": user.created_at}
    )


async def list_users(scope: Scope, tx: Transaction) -> list[User]:
    """Every user by name, the disabled ones too."""
    scope.require(Right.ADMINISTER)
    return [user_in(row) for row in await tx.execute(select(users).order_by(users.c.name))]


async def read_user(scope: Scope, tx: Transaction, name: str) -> User:
    """Raises NotFound."""
    scope.require(Right.ADMINISTER)
    row = (await tx.execute(select(users).where(users.c.name == name))).first()
    if row is None:
        raise NotFound(f"there is no user called {name!r}; `duck admin user list` lists them")
    return user_in(row)


async def set_disabled(scope: Scope, tx: Transaction, user: User, at: datetime | None) -> None:
    """Disable a user, or enable with None."""
    scope.require(Right.ADMINISTER)
    await tx.execute(update(users).where(users.c.id == user.id).values(disabled_at=at))


async def create_key(scope: Scope, tx: Transaction, key: ApiKey, digest: str) -> None:
    """Keep the hash of somebody's key."""
    scope.require(Right.ADMINISTER)
    await insert_key(tx, key, digest)


async def insert_key(tx: Transaction, key: ApiKey, digest: str) -> None:
    """Keep the hash of one's own key."""
    rights = None if key.rights is None else sorted(right.value for right in key.rights)
    values = {"id": key.id, "user_id": key.user_id, "label": key.label, "digest": digest, "rights": rights}
    await tx.execute(insert(api_keys), {**values, "created_at": key.created_at, "expires_at": key.expires_at})
    if key.made_with:
        await tx.execute(insert(key_makers), {"key_id": key.id, "made_with": key.made_with})


async def list_keys(scope: Scope, tx: Transaction, user: User) -> list[ApiKey]:
    """The user's keys, oldest first."""
    scope.require(Right.ADMINISTER)
    return await own_keys(tx, user.id)


async def revoke_key(scope: Scope, tx: Transaction, key_id: str, at: datetime) -> UUID:
    """Whose it was. Raises NotFound; revoking twice keeps the first time."""
    scope.require(Right.ADMINISTER)
    row = (await tx.execute(select(api_keys.c.revoked_at, api_keys.c.user_id).where(api_keys.c.id == key_id))).first()
    if row is None:
        raise NotFound(f"there is no key with the id {key_id!r}; `duck admin key list USER` lists them")
    if row.revoked_at is None:
        await tx.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=at))
    owner: UUID = row.user_id
    return owner


async def set_membership(scope: Scope, tx: Transaction, project_id: UUID, user: User, role: Role | None) -> None:
    """Give the user a role in the project; or none, nor on anything in it. Raises Conflict for no such project."""
    scope.require(Right.ADMINISTER)
    mine = [memberships.c.project_id == project_id, memberships.c.user_id == user.id]
    await tx.execute(delete(memberships).where(*mine, *([] if role is None else [_WHOLE])))
    if role is not None:
        await tx.execute(insert(memberships), member(project_id, user.id, role))


async def set_role_on(tx: Transaction, project_id: UUID, user: User, resource: str, role: Role | None) -> None:
    """Give a member of the project a role on one thing in it, or none."""
    mine = (memberships.c.project_id == project_id, memberships.c.user_id == user.id)
    await tx.execute(delete(memberships).where(*mine, memberships.c.resource == resource))
    if role is not None:
        await tx.execute(insert(memberships), member(project_id, user.id, role, resource))


def member(project_id: UUID, user_id: UUID, role: Role, resource: str = "") -> dict[str, object]:
    """The row of a membership."""
    return {"project_id": project_id, "user_id": user_id, "resource": resource, "role": role.value}


async def find_key(tx: Transaction, key_id: str) -> tuple[User, ApiKey, str] | None:
    """The key with its user and its digest: before this nobody is known, so there is no scope.

    It is revoked, too, when the key with which it was made is, or the one with which that was made.
    """
    columns = (users.c.name, users.c.role, users.c.disabled_at, users.c.created_at.label("since"))
    statement = _KEYS.add_columns(*columns).join(users, users.c.id == api_keys.c.user_id)
    row = (await tx.execute(statement.where(api_keys.c.id == key_id))).first()
    if row is None:
        return None
    user, key = User(row.user_id, row.name, Role(row.role), row.since, row.disabled_at), _key(row)
    if key.made_with:
        key = replace(key, revoked_at=key.revoked_at or (await _line_of(tx, key.made_with))[0])
    return user, key, row.digest


async def line_length(tx: Transaction, key_id: str) -> int:
    """A key, the one with which it was made, the one with which that was made, and so on: how many there are."""
    return (await _line_of(tx, key_id))[1]


async def _line_of(tx: Transaction, key_id: str) -> tuple[datetime | None, int]:
    """When the first of a key and those it comes from was revoked, if one was; and how many they are."""
    line = select(literal(key_id, Text).label("id")).cte("line", recursive=True)
    line = line.union_all(select(key_makers.c.made_with).join(line, key_makers.c.key_id == line.c.id))
    found = select(func.min(api_keys.c.revoked_at), func.count()).join(line, line.c.id == api_keys.c.id)
    row = (await tx.execute(found)).one()
    return row[0], row[1]


async def take_turn(tx: Transaction, user_id: UUID) -> None:
    """Let a user's devices that write at the same moment come one after the other, until the transaction ends."""
    await tx.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


async def user_of(tx: Transaction, user_id: UUID) -> User | None:
    """The user of that id, for work that goes on without a key."""
    row = (await tx.execute(select(users).where(users.c.id == user_id))).first()
    return None if row is None else user_in(row)


async def role_in(tx: Transaction, user_id: UUID, project_id: UUID, resource: str = "") -> Role | None:
    """The user's role in a project, or on one thing in it; None without one, and in a project that was removed."""
    mine = (
        memberships.c.project_id == project_id,
        memberships.c.user_id == user_id,
        memberships.c.resource == resource,
        _THERE,
    )
    found = (await tx.execute(select(memberships.c.role).where(*mine))).scalar()
    return None if found is None else Role(found)


async def roles_of(tx: Transaction, user_id: UUID) -> dict[UUID, Role]:
    """The user's role in each project where they have one."""
    found = await tx.execute(
        select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user_id, _WHOLE, _THERE)
    )
    return {row.project_id: Role(row.role) for row in found}


async def members_of(tx: Transaction, project_id: UUID) -> list[UUID]:
    """Who has a role in a project, removed or not."""
    found = await tx.execute(select(memberships.c.user_id).where(memberships.c.project_id == project_id, _WHOLE))
    return [row.user_id for row in found]


async def has_users(tx: Transaction) -> bool:
    """Whether anybody is there."""
    return (await tx.execute(select(users.c.id).limit(1))).first() is not None


async def end_keys(tx: Transaction, user_id: UUID, at: datetime) -> int:
    """Revoke every key of a user; how many there were."""
    mine = (api_keys.c.user_id == user_id, api_keys.c.revoked_at.is_(None))
    valid = list(await tx.execute(select(api_keys.c.id).where(*mine)))
    await tx.execute(update(api_keys).where(*mine).values(revoked_at=at))
    return len(valid)


async def end_own_key(tx: Transaction, user_id: UUID, key_id: str, at: datetime, *, revoked: bool) -> None:
    """Revoke a key of a user now, or let it expire at a moment. Raises NotFound."""
    mine = (api_keys.c.user_id == user_id, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    if (await tx.execute(select(api_keys.c.id).where(*mine))).first() is None:
        raise NotFound(f"you have no valid key with the id {key_id!r}; `duck auth keys` lists them")
    ending = {"revoked_at": at} if revoked else {"expires_at": at}
    await tx.execute(update(api_keys).where(*mine).values(**ending))


async def own_keys(tx: Transaction, user_id: UUID) -> list[ApiKey]:
    """A user's keys, oldest first; what was made with a revoked one is revoked."""
    statement = _KEYS.where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at, api_keys.c.id)
    keys = {row.id: _key(row) for row in await tx.execute(statement)}

    def revoked_at(key: ApiKey) -> datetime | None:
        while key.revoked_at is None and key.made_with:
            key = keys[key.made_with]
        return key.revoked_at

    return [replace(each, revoked_at=revoked_at(each)) for each in keys.values()]


def user_in(row: Row[Any]) -> User:  # the row's columns are the table's
    """The user in a row."""
    return User(row.id, row.name, Role(row.role), row.created_at, row.disabled_at)


def _key(row: Row[Any]) -> ApiKey:  # as above
    rights = None if row.rights is None else frozenset(map(Right, row.rights))
    moments = (row.created_at, row.expires_at, row.revoked_at)
    return ApiKey(row.id, row.user_id, row.label, rights, *moments, row.made_with or "")
