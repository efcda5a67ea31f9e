"""Users, keys, and roles in projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, Text, delete, insert, select, update
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


async def list_keys(scope: Scope, tx: Transaction, user: User) -> list[ApiKey]:
    """The user's keys, oldest first."""
    scope.require(Right.ADMINISTER)
    statement = select(api_keys).where(api_keys.c.user_id == user.id).order_by(api_keys.c.created_at, api_keys.c.id)
    return [_key(row) for row in await tx.execute(statement)]


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
    """The key with its user and its digest: before this nobody is known, so there is no scope."""
    statement = select(
        api_keys, users.c.name, users.c.role, users.c.disabled_at, users.c.created_at.label("since")
    ).join(users, users.c.id == api_keys.c.user_id)
    row = (await tx.execute(statement.where(api_keys.c.id == key_id))).first()
    if row is None:
        return None
    user = User(row.user_id, row.name, Role(row.role), row.since, row.disabled_at)
    return user, _key(row), row.digest


async def take_turn(tx: Transaction, user_id: UUID) -> None:
    """Let a user's devices that write at the same moment come one after the other, until the transaction ends."""
    await tx.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


async def user_of(tx: Transaction, user_id: UUID) -> User | None:
    """The user of that id, for work that goes on without a key."""
    row = (await tx.execute(select(users).where(users.c.id == user_id))).first()
    return None if row is None else user_in(row)


async def role_in(tx: Transaction, user_id: UUID, project_id: UUID, resource: str = "") -> Role | None:
    """The user's role in a project, or on one thing in it; None without one."""
    mine = (
        memberships.c.project_id == project_id,
        memberships.c.user_id == user_id,
        memberships.c.resource == resource,
    )
    found = (await tx.execute(select(memberships.c.role).where(*mine))).scalar()
    return None if found is None else Role(found)


async def roles_of(tx: Transaction, user_id: UUID) -> dict[UUID, Role]:
    """The user's role in each project where they have one."""
    found = await tx.execute(
        select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user_id, _WHOLE)
    )
    return {row.project_id: Role(row.role) for row in found}


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
    """A user's keys, oldest first."""
    statement = select(api_keys).where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at, api_keys.c.id)
    return [_key(row) for row in await tx.execute(statement)]


def user_in(row: Row[Any]) -> User:  # the row's columns are the table's
    """The user in a row."""
    return User(row.id, row.name, Role(row.role), row.created_at, row.disabled_at)


def _key(row: Row[Any]) -> ApiKey:  # as above
    rights = None if row.rights is None else frozenset(map(Right, row.rights))
    return ApiKey(row.id, row.user_id, row.label, rights, row.created_at, row.expires_at, row.revoked_at)
