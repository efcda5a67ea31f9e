"""Users, keys, memberships, the audit, and one row that says when rights changed; the only SQL of accounts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, delete, insert, select, update
from sqlalchemy.engine import Row

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.user import ApiKey, AuditVerdict, Credential, Entry, Invitation, User
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
    Column("role", Text, nullable=False),
)

passwords: Final = Table(
    "passwords",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Timestamp, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    Column("ended_at", Timestamp),
)

tickets: Final = Table(
    "tickets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
)

invitations: Final = Table(
    "invitations",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE")),
    Column("project_role", Text),
    Column("expires_at", Timestamp, nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Timestamp, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

account_state: Final = Table(
    "account_state",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
"""One row: the version of everybody's rights, and where the audit ends."""


_TICKETS_KEPT: Final = timedelta(minutes=10)


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
    return [_user(row) for row in await tx.execute(select(users).order_by(users.c.name))]


async def read_user(scope: Scope, tx: Transaction, name: str) -> User:
    """Raises NotFound."""
    scope.require(Right.ADMINISTER)
    row = (await tx.execute(select(users).where(users.c.name == name))).first()
    if row is None:
        raise NotFound(f"there is no user called {name!r}; `duck admin user list` lists them")
    return _user(row)


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


async def revoke_key(scope: Scope, tx: Transaction, key_id: str, at: datetime) -> None:
    """Raises NotFound; revoking twice keeps the first time."""
    scope.require(Right.ADMINISTER)
    row = (await tx.execute(select(api_keys.c.revoked_at).where(api_keys.c.id == key_id))).first()
    if row is None:
        raise NotFound(f"there is no key with the id {key_id!r}; `duck admin key list USER` lists them")
    if row.revoked_at is None:
        await tx.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=at))


async def set_membership(scope: Scope, tx: Transaction, project_id: UUID, user: User, role: Role | None) -> None:
    """Give the user a role in the project, or none. Raises Conflict for a project that there is not."""
    scope.require(Right.ADMINISTER)
    mine = (memberships.c.project_id == project_id, memberships.c.user_id == user.id)
    await tx.execute(delete(memberships).where(*mine))
    if role is not None:
        await tx.execute(insert(memberships), {"project_id": project_id, "user_id": user.id, "role": role.value})


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


async def user_of(tx: Transaction, user_id: UUID) -> User | None:
    """The user of that id, for work that goes on without a key."""
    row = (await tx.execute(select(users).where(users.c.id == user_id))).first()
    return None if row is None else _user(row)


async def role_in(tx: Transaction, user_id: UUID, project_id: UUID) -> Role | None:
    """The user's role in a project; None without one."""
    mine = (memberships.c.project_id == project_id, memberships.c.user_id == user_id)
    found = (await tx.execute(select(memberships.c.role).where(*mine))).scalar()
    return None if found is None else Role(found)


async def find_user(tx: Transaction, name: str) -> tuple[User, str | None] | None:
    """A user with the hash of their password, if they have one; before this nobody is known, so there is no scope."""
    statement = select(users, passwords.c.hash).outerjoin(passwords, passwords.c.user_id == users.c.id)
    row = (await tx.execute(statement.where(users.c.name == name))).first()
    return None if row is None else (_user(row), row.hash)


async def has_users(tx: Transaction) -> bool:
    """Whether anybody is there."""
    return (await tx.execute(select(users.c.id).limit(1))).first() is not None


async def set_password(tx: Transaction, user_id: UUID, hashed: str, at: datetime) -> None:
    """Keep the hash of a password in place of the one before."""
    await tx.execute(delete(passwords).where(passwords.c.user_id == user_id))
    await tx.execute(insert(passwords), {"user_id": user_id, "hash": hashed, "changed_at": at})


async def admit(tx: Transaction, user: User, project_id: UUID | None, role: Role | None) -> None:
    """Make a user who was invited, with a role in a project. Raises Conflict when the name is taken."""
    if (await tx.execute(select(users.c.id).where(users.c.name == user.name))).first() is not None:
        raise Conflict(f"there is a user called {user.name!r} already; choose another name")
    await tx.execute(
        insert(users), {"id": user.id, "name": user.name, "role": user.role.value, "created_at": user.created_at}
    )
    if project_id is not None and role is not None:
        await tx.execute(insert(memberships), {"project_id": project_id, "user_id": user.id, "role": role.value})


async def create_session(tx: Transaction, digest: str, user_id: UUID, at: datetime, until: datetime) -> None:
    """Keep a session's hash."""
    values = {"digest": digest, "user_id": user_id, "created_at": at, "expires_at": until}
    await tx.execute(insert(sessions), values)


async def find_session(tx: Transaction, digest: str) -> tuple[User, datetime, datetime | None] | None:
    """The session's user, when it expires, and when it was ended, if it was."""
    statement = select(users, sessions.c.expires_at, sessions.c.ended_at).join(
        sessions, sessions.c.user_id == users.c.id
    )
    row = (await tx.execute(statement.where(sessions.c.digest == digest))).first()
    return None if row is None else (_user(row), row.expires_at, row.ended_at)


async def end_sessions(tx: Transaction, user_id: UUID, at: datetime, *, only: str | None = None) -> int:
    """End a user's sessions, or one of them; how many were open."""
    mine = [sessions.c.user_id == user_id, sessions.c.ended_at.is_(None)]
    if only is not None:
        mine.append(sessions.c.digest == only)
    open_ones = list(await tx.execute(select(sessions.c.digest).where(*mine)))
    await tx.execute(update(sessions).where(*mine).values(ended_at=at))
    return len(open_ones)


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


async def create_ticket(tx: Transaction, digest: str, user_id: UUID, credential: Credential, until: datetime) -> None:
    """Keep a ticket's hash, and forget those that are over."""
    await tx.execute(delete(tickets).where(tickets.c.expires_at < until - _TICKETS_KEPT))
    values = {"digest": digest, "user_id": user_id, "kind": credential.kind.value, "credential": credential.id}
    await tx.execute(insert(tickets), {**values, "expires_at": until})


async def take_ticket(tx: Transaction, digest: str) -> tuple[str, str, datetime] | None:
    """The kind and id of the ticket's credential, and when the ticket expires. It is gone then: of two who take it at
    the same moment only one has it."""
    row = (await tx.execute(select(tickets).where(tickets.c.digest == digest).with_for_update())).first()
    if row is None:
        return None
    await tx.execute(delete(tickets).where(tickets.c.digest == digest))
    return row.kind, row.credential, row.expires_at


async def create_invitation(tx: Transaction, digest: str, invitation: Invitation) -> None:
    """Keep an invitation's hash; one for whoever comes first takes the place of the one before."""
    if not invitation.name:
        await tx.execute(delete(invitations).where(invitations.c.name == ""))
    role = invitation.project_role
    values = {"digest": digest, "name": invitation.name, "role": invitation.role.value}
    where = {"project_id": invitation.project_id, "project_role": None if role is None else role.value}
    await tx.execute(insert(invitations), {**values, **where, "expires_at": invitation.expires_at})


async def take_invitation(tx: Transaction, digest: str) -> Invitation | None:
    """The invitation, which is gone then."""
    row = (await tx.execute(select(invitations).where(invitations.c.digest == digest).with_for_update())).first()
    if row is None:
        return None
    await tx.execute(delete(invitations).where(invitations.c.digest == digest))
    project_role = None if row.project_role is None else Role(row.project_role)
    return Invitation(row.name, Role(row.role), row.project_id, project_role, row.expires_at)


async def roles_of(tx: Transaction, user_id: UUID) -> dict[UUID, Role]:
    """The user's role in each project where they have one."""
    found = await tx.execute(
        select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user_id)
    )
    return {row.project_id: Role(row.role) for row in found}


async def record(tx: Transaction, scope: Scope, action: str, subject: str, at: datetime, *, moves: bool = True) -> None:
    """Add to the audit, in the transaction of what is recorded; with `moves`, say that rights changed."""
    head = (await tx.execute(select(account_state).with_for_update())).one()
    entry = Entry(head.entries + 1, at, f"{scope.actor.name} ({scope.actor.id})", action, subject, "")
    digest = _digest(entry, head.digest)
    values = {"number": entry.number, "at": at, "actor": entry.actor, "action": action, "subject": subject}
    await tx.execute(insert(audit), {**values, "digest": digest})
    await tx.execute(
        update(account_state).values(version=head.version + int(moves), entries=entry.number, digest=digest)
    )


async def version(tx: Transaction) -> int:
    """A number that moves with every change of anybody's rights."""
    found: int = (await tx.execute(select(account_state.c.version))).scalar()
    return found


async def list_audit(scope: Scope, tx: Transaction, most: int) -> list[Entry]:
    """The last entries, newest first."""
    scope.require(Right.ADMINISTER)
    statement = select(audit).order_by(audit.c.number.desc()).limit(most)
    return [Entry(**row._mapping) for row in await tx.execute(statement)]


async def verify_audit(scope: Scope, tx: Transaction) -> AuditVerdict:
    """Whether no entry was changed, taken out or cut off at the end."""
    scope.require(Right.ADMINISTER)
    head = (await tx.execute(select(account_state))).one()
    digest, number = "", 0
    for row in await tx.execute(select(audit).order_by(audit.c.number)):
        entry = Entry(**row._mapping)
        number += 1
        if entry.number != number:
            return AuditVerdict(number - 1, f"entry {number} is missing")
        digest = _digest(entry, digest)
        if digest != entry.digest:
            return AuditVerdict(number - 1, f"entry {number} was changed")
    if (number, digest) != (head.entries, head.digest):
        return AuditVerdict(number, f"the audit had {head.entries} entries, and ends after {number}")
    return AuditVerdict(number, "")


def _digest(entry: Entry, before: str) -> str:
    content = [before, entry.number, entry.at.isoformat(), entry.actor, entry.action, entry.subject]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _user(row: Row[Any]) -> User:  # the row's columns are the table's
    return User(row.id, row.name, Role(row.role), row.created_at, row.disabled_at)


def _key(row: Row[Any]) -> ApiKey:  # as above
    rights = None if row.rights is None else frozenset(map(Right, row.rights))
    return ApiKey(row.id, row.user_id, row.label, rights, row.created_at, row.expires_at, row.revoked_at)
