"""Conversations and their turns; the only SQL of conversations. The filter by project and person is in each query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from rubber_duck.conversations.conversation import Conversation, Generation, Speaker, Turn
from rubber_duck.errors import InvalidInput, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Json, Key, Timestamp
from rubber_duck.storage.database import Connection, Transaction
from rubber_duck.storage.metadata import metadata

conversations: Final = Table(
    "conversations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Index(None, "project_id", "owner", "updated_at"),
)

conversation_turns: Final = Table(
    "conversation_turns",
    metadata,
    Column("conversation_id", Key, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("speaker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("told", Json, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
)


generations: Final = Table(
    "generations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("edits", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("problems", Json, nullable=False),
    Column("is_sound", Boolean, nullable=False),
    Column("written", Integer, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Index(None, "project_id", "owner", "created_at"),
)


def _project(scope: Scope) -> UUID:
    if scope.project is None:
        raise InvalidInput("a conversation belongs to a project, and none is named")
    return scope.project


def _own(scope: Scope) -> Select[tuple[UUID, str, datetime, datetime, int]]:
    columns = conversations.c
    return (
        select(
            columns.id,
            columns.title,
            columns.created_at,
            columns.updated_at,
            func.count(conversation_turns.c.number).label("turns"),
        )
        .join_from(conversations, conversation_turns, isouter=True)
        .where(columns.project_id == _project(scope), columns.owner == scope.actor.id)
        .group_by(columns.id, columns.title, columns.created_at, columns.updated_at)
        .order_by(columns.updated_at.desc(), columns.id.desc())
    )


async def create(scope: Scope, tx: Transaction, key: UUID, title: str, at: datetime) -> None:
    """A conversation without turns."""
    values = {"id": key, "project_id": _project(scope), "owner": scope.actor.id, "title": title}
    await tx.execute(insert(conversations), {**values, "created_at": at, "updated_at": at})


async def listed(scope: Scope, tx: Transaction, limit: int) -> list[Conversation]:
    """The person's conversations in the project, the latest first."""
    return [Conversation(*row) for row in await tx.execute(_own(scope).limit(limit))]


async def read(scope: Scope, tx: Transaction, key: UUID) -> Conversation:
    """Raises NotFound for one that is not the person's, too."""
    row = (await tx.execute(_own(scope).where(conversations.c.id == key))).first()
    if row is None:
        raise NotFound(f"there is no conversation {str(key)!r} of yours in this project; `duck chat --list` lists them")
    return Conversation(*row)


async def place(tx: Transaction, key: UUID) -> tuple[UUID, str]:
    """The project and the owner's id; raises NotFound. Before this no rights are known, so there is no scope."""
    columns = conversations.c
    row = (await tx.execute(select(columns.project_id, columns.owner).where(columns.id == key))).first()
    if row is None:
        raise NotFound(f"there is no conversation with the id {str(key)!r}")
    return row.project_id, row.owner


async def read_turns(scope: Scope, tx: Transaction, key: UUID) -> list[Turn]:
    """The turns in their order; raises NotFound."""
    await read(scope, tx, key)
    turns = conversation_turns
    rows = await tx.execute(select(turns).where(turns.c.conversation_id == key).order_by(turns.c.number))
    return [
        Turn(row.number, Speaker(row.speaker), row.text, tuple(row.told), row.model, row.created_at) for row in rows
    ]


async def append(scope: Scope, tx: Transaction, key: UUID, turns: tuple[Turn, ...]) -> None:
    """Add turns, whose numbers are given anew; raises NotFound."""
    await tx.execute(select(conversations.c.id).where(conversations.c.id == key).with_for_update())  # one after another
    known = await read(scope, tx, key)
    last = turns[-1].at
    values = [
        {
            "conversation_id": key,
            "number": known.turns + number,
            "speaker": turn.speaker.value,
            "text": turn.text,
            "told": list(turn.told),
            "model": turn.model,
            "created_at": turn.at,
        }
        for number, turn in enumerate(turns, 1)
    ]
    await tx.execute(insert(conversation_turns), values)
    await tx.execute(update(conversations).where(conversations.c.id == key).values(updated_at=last))


def forget(connection: Connection, key: UUID) -> None:
    """Delete a conversation, which may be read, with all that was said."""
    connection.execute(delete(conversation_turns).where(conversation_turns.c.conversation_id == key))
    connection.execute(delete(conversations).where(conversations.c.id == key))


async def forget_before(scope: Scope, tx: Transaction, moment: datetime) -> None:
    """Delete the person's conversations in the project in which nothing was said since `moment`."""
    old = (
        select(conversations.c.id)
        .where(conversations.c.project_id == _project(scope), conversations.c.owner == scope.actor.id)
        .where(conversations.c.updated_at < moment)
    )
    await tx.execute(delete(conversation_turns).where(conversation_turns.c.conversation_id.in_(old)))
    await tx.execute(delete(conversations).where(conversations.c.id.in_(old)))


async def keep_generation(scope: Scope, tx: Transaction, made: Generation) -> None:
    """Keep one."""
    values = {field.name: getattr(made, field.name) for field in fields(made)}
    values |= {"problems": list(made.problems), "project_id": _project(scope), "owner": scope.actor.id}
    await tx.execute(insert(generations), values)


async def listed_generations(scope: Scope, tx: Transaction, limit: int) -> list[Generation]:
    """The person's generations in the project, the latest first."""
    columns = generations.c
    query = (
        select(*(columns[field.name] for field in fields(Generation)))
        .where(columns.project_id == _project(scope), columns.owner == scope.actor.id)
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(limit)
    )
    rows = [row._asdict() for row in await tx.execute(query)]
    return [Generation(**{**row, "problems": tuple(row["problems"])}) for row in rows]


async def mark_written(scope: Scope, tx: Transaction, key: UUID, number: int) -> None:
    """Note the number in the journal under which a generation was written."""
    mine = (generations.c.project_id == _project(scope), generations.c.owner == scope.actor.id)
    await tx.execute(update(generations).where(generations.c.id == key, *mine).values(written=number))


async def forget_generations(scope: Scope, tx: Transaction, before: datetime) -> None:
    """Delete the person's generations in the project that were made before a moment."""
    mine = [generations.c.project_id == _project(scope), generations.c.owner == scope.actor.id]
    await tx.execute(delete(generations).where(*mine, generations.c.created_at < before))


def forget_generation(scope: Scope, connection: Connection, key: UUID) -> None:
    """Delete one of the person's generations in the project."""
    mine = [generations.c.project_id == _project(scope), generations.c.owner == scope.actor.id]
    connection.execute(delete(generations).where(*mine, generations.c.id == key))


def sweep(scope: Scope, connection: Connection, before: datetime, departed: Collection[str]) -> tuple[int, int]:
    """Delete everybody's conversations in which nothing was said, and code that was generated, before a moment.

    Of the departed all of it. How many of each.
    """
    scope.require(Right.ADMINISTER)
    owned = conversations.c.owner.in_(list(departed))
    old = select(conversations.c.id).where(or_(conversations.c.updated_at < before, owned))
    connection.execute(delete(conversation_turns).where(conversation_turns.c.conversation_id.in_(old)))
    said = connection.execute(delete(conversations).where(conversations.c.id.in_(old))).rowcount
    made = or_(generations.c.created_at < before, generations.c.owner.in_(list(departed)))
    return said, connection.execute(delete(generations).where(made)).rowcount
