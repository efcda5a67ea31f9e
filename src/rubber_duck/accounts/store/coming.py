"""How people come in: passwords, sessions, tickets, invitations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, Text, delete, insert, select, update

from rubber_duck.accounts.roles import Role
from rubber_duck.accounts.store.people import member, memberships, user_in, users
from rubber_duck.accounts.user import Credential, Invitation, User
from rubber_duck.errors import Conflict
from rubber_duck.storage.columns import Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

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

sign_in_places: Final = Table(
    "sign_in_places",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("network", Text, primary_key=True),
    Column("at", Timestamp, nullable=False),
)
"""Where somebody signed in, and when they did last."""

tickets: Final = Table(
    "tickets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
)

password_resets: Final = Table(
    "password_resets",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("expires_at", Timestamp, nullable=False),
)
"""With what somebody who is a user chooses another password, once: as an invitation does for who is none yet."""

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

_TICKETS_KEPT: Final = timedelta(minutes=10)


async def find_user(tx: Transaction, name: str) -> tuple[User, str | None] | None:
    """A user with the hash of their password, if they have one; before this nobody is known, so there is no scope."""
    statement = select(users, passwords.c.hash).outerjoin(passwords, passwords.c.user_id == users.c.id)
    row = (await tx.execute(statement.where(users.c.name == name))).first()
    return None if row is None else (user_in(row), row.hash)


async def set_password(tx: Transaction, user_id: UUID, hashed: str, at: datetime) -> None:
    """Keep the hash of a password in place of the one before; what could have replaced that one is worth nothing."""
    await tx.execute(delete(password_resets).where(password_resets.c.user_id == user_id))
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
        await tx.execute(insert(memberships), member(project_id, user.id, role))


async def create_session(tx: Transaction, digest: str, user_id: UUID, at: datetime, until: datetime) -> None:
    """Keep a session's hash."""
    values = {"digest": digest, "user_id": user_id, "created_at": at, "expires_at": until}
    await tx.execute(insert(sessions), values)


async def note_place(tx: Transaction, user_id: UUID, network: str, at: datetime, kept: timedelta) -> None:
    """Keep that somebody signed in from there, and forget where they did not for long."""
    mine = sign_in_places.c.user_id == user_id
    over = (sign_in_places.c.at < at - kept) | (sign_in_places.c.network == network)
    await tx.execute(delete(sign_in_places).where(mine, over))
    await tx.execute(insert(sign_in_places), {"user_id": user_id, "network": network, "at": at})


async def came_from(tx: Transaction, name: str, network: str, since: datetime) -> bool:
    """Whether somebody of that name has signed in from a network since a moment."""
    statement = select(sign_in_places.c.at).join(users, users.c.id == sign_in_places.c.user_id)
    here = (users.c.name == name, sign_in_places.c.network == network, sign_in_places.c.at >= since)
    return (await tx.execute(statement.where(*here))).first() is not None


async def find_session(tx: Transaction, digest: str) -> tuple[User, datetime, datetime | None] | None:
    """The session's user, when it expires, and when it was ended, if it was."""
    statement = select(users, sessions.c.expires_at, sessions.c.ended_at).join(
        sessions, sessions.c.user_id == users.c.id
    )
    row = (await tx.execute(statement.where(sessions.c.digest == digest))).first()
    return None if row is None else (user_in(row), row.expires_at, row.ended_at)


async def end_sessions(tx: Transaction, user_id: UUID, at: datetime, *, only: str | None = None) -> int:
    """End a user's sessions, or one of them; how many were open."""
    mine = [sessions.c.user_id == user_id, sessions.c.ended_at.is_(None)]
    if only is not None:
        mine.append(sessions.c.digest == only)
    open_ones = list(await tx.execute(select(sessions.c.digest).where(*mine)))
    await tx.execute(update(sessions).where(*mine).values(ended_at=at))
    return len(open_ones)


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
    """Keep an invitation's hash. Those for whoever comes first are good side by side: each node prints its own."""
    role = invitation.project_role
    values = {"digest": digest, "name": invitation.name, "role": invitation.role.value}
    where = {"project_id": invitation.project_id, "project_role": None if role is None else role.value}
    await tx.execute(insert(invitations), {**values, **where, "expires_at": invitation.expires_at})


async def create_reset(tx: Transaction, digest: str, user_id: UUID, until: datetime) -> None:
    """Keep the hash of what lets a user choose another password, in place of the one before."""
    await tx.execute(delete(password_resets).where(password_resets.c.user_id == user_id))
    await tx.execute(insert(password_resets), {"user_id": user_id, "digest": digest, "expires_at": until})


async def take_reset(tx: Transaction, digest: str) -> tuple[User, datetime] | None:
    """Who chooses another password with it, and until when they may; it is gone then."""
    statement = select(users, password_resets.c.expires_at).join(
        password_resets, password_resets.c.user_id == users.c.id
    )
    row = (await tx.execute(statement.where(password_resets.c.digest == digest))).first()
    if row is None:
        return None
    await tx.execute(delete(password_resets).where(password_resets.c.digest == digest))
    return user_in(row), row.expires_at


async def forget_invitations(tx: Transaction, before: datetime) -> None:
    """Delete those whose time is over."""
    await tx.execute(delete(invitations).where(invitations.c.expires_at < before))


async def close_door(tx: Transaction) -> None:
    """Delete the invitations for whoever comes first."""
    await tx.execute(delete(invitations).where(invitations.c.name == ""))


async def take_invitation(tx: Transaction, digest: str) -> Invitation | None:
    """The invitation, which is gone then."""
    row = (await tx.execute(select(invitations).where(invitations.c.digest == digest).with_for_update())).first()
    if row is None:
        return None
    await tx.execute(delete(invitations).where(invitations.c.digest == digest))
    project_role = None if row.project_role is None else Role(row.project_role)
    return Invitation(row.name, Role(row.role), row.project_id, project_role, row.expires_at)
