"""The table of memories, and the only SQL of this slice.

Whose a memory is stands in every query: one's own, in the scope's project or in none, and what is shared in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from rubber_duck.memory.remembered import Kind, Memory
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Key, Timestamp
from rubber_duck.storage.database import Connection
from rubber_duck.storage.metadata import metadata

memories: Final = Table(
    "memories",
    metadata,
    Column("id", Key, primary_key=True),
    Column("actor_id", Text, nullable=False),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE")),
    Column("is_shared", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("used_at", Timestamp, nullable=False),
    Index(None, "actor_id", "project_id"),
    Index(None, "project_id"),
)


def add(scope: Scope, connection: Connection, new: Sequence[Memory]) -> None:
    """Keep memories of the scope's actor, in its project or in none."""
    rows = [_values(scope, each) for each in new]
    if rows:
        connection.execute(insert(memories), rows)


def visible(scope: Scope, connection: Connection) -> list[Memory]:
    """What the scope may recall, oldest first. What others share in a project needs the right to read it."""
    rows = connection.execute(select(memories).where(_seen(scope)).order_by(memories.c.created_at, memories.c.id))
    return [_memory(row) for row in rows]


def own(scope: Scope, connection: Connection, *, everywhere: bool = False) -> list[Memory]:
    """What is the actor's own in exactly the scope's project, or in none without one; or everywhere."""
    rows = connection.execute(
        select(memories).where(*_own(scope, everywhere=everywhere)).order_by(memories.c.created_at, memories.c.id)
    )
    return [_memory(row) for row in rows]


def sessions(scope: Scope, connection: Connection) -> list[tuple[str, int, datetime]]:
    """The actor's own sessions in exactly the scope's project: how many interactions each holds, and since when."""
    columns = memories.c
    statement = (
        select(columns.session, func.count(), func.min(columns.created_at))
        .where(*_own(scope, everywhere=False), columns.kind == Kind.INTERACTION.value)
        .group_by(columns.session)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def waiting(scope: Scope, connection: Connection, before: datetime, most: int) -> list[tuple[str, UUID | None]]:
    """Whose sessions, in which project or in none, hold more than `most` interactions or one made before a moment."""
    scope.require(Right.ADMINISTER)
    columns = memories.c
    statement = (
        select(columns.actor_id, columns.project_id)
        .where(columns.kind == Kind.INTERACTION.value)
        .group_by(columns.actor_id, columns.project_id, columns.session)
        .having(or_(func.count() > most, func.min(columns.created_at) < before))
    )
    found = {(row.actor_id, row.project_id) for row in connection.execute(statement)}
    return sorted(found, key=lambda each: (each[0], str(each[1] or "")))


def sweep(scope: Scope, connection: Connection, before: datetime, departed: Collection[str]) -> int:
    """Delete everybody's interactions made before a moment, and of the departed all that is not shared; how many."""
    scope.require(Right.ADMINISTER)
    columns = memories.c
    old = and_(columns.kind == Kind.INTERACTION.value, columns.created_at < before)
    removed = connection.execute(delete(memories).where(old)).rowcount
    for actor in departed:
        theirs = and_(columns.actor_id == actor, columns.is_shared.is_(False))
        removed += connection.execute(delete(memories).where(theirs)).rowcount
    return removed


def remove(scope: Scope, connection: Connection, ids: Collection[UUID]) -> int:
    """Delete of these what is the actor's own, and what is shared in a project that they maintain; how many."""
    allowed = memories.c.actor_id == scope.actor.id
    if scope.project is not None and Right.PROJECT_WRITE in scope.rights:
        allowed = or_(allowed, and_(memories.c.project_id == scope.project, memories.c.is_shared))
    removed = 0
    for number in ids:
        removed += connection.execute(delete(memories).where(memories.c.id == number, allowed)).rowcount
    return removed


def remove_all(scope: Scope, connection: Connection, *, everywhere: bool) -> int:
    """Delete everything that is the actor's own in the scope's project, or everywhere; how many."""
    return connection.execute(delete(memories).where(*_own(scope, everywhere=everywhere))).rowcount


def use(scope: Scope, connection: Connection, ids: Sequence[UUID], now: datetime) -> None:
    """That these were of use now; only what the scope may see is touched."""
    if ids:
        statement = (
            update(memories)
            .where(memories.c.id == bindparam("which"), _seen(scope))
            .values(uses=memories.c.uses + 1, used_at=bindparam("now"))
        )
        # In one order, or two questions at one moment would wait for each other on PostgreSQL.
        connection.execute(statement, [{"which": each, "now": now} for each in sorted(ids)])


def say_again(scope: Scope, connection: Connection, said: Sequence[tuple[UUID, datetime]], now: datetime) -> None:
    """That these of the actor's own were said again at a moment, each counted; a later moment is theirs now."""
    for number, moment in said:
        mine = and_(memories.c.id == number, memories.c.actor_id == scope.actor.id)
        later = and_(mine, memories.c.created_at < moment)
        connection.execute(update(memories).where(mine).values(uses=memories.c.uses + 1, used_at=now))
        connection.execute(update(memories).where(later).values(created_at=moment))


def rewrite(scope: Scope, connection: Connection, old: UUID, new: Memory) -> None:
    """Put a text in the place of another of the actor's own, under an id of its own: what was read of it is void."""
    values = {"id": new.id, "text": new.text, "answer": new.answer, "terms": " ".join(new.terms)}
    mine = and_(memories.c.id == old, memories.c.actor_id == scope.actor.id)
    connection.execute(update(memories).where(mine).values(**values))


def _own(scope: Scope, *, everywhere: bool) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [memories.c.actor_id == scope.actor.id]
    if not everywhere:
        mine.append(
            memories.c.project_id.is_(None) if scope.project is None else memories.c.project_id == scope.project
        )
    return mine


def _seen(scope: Scope) -> ColumnElement[bool]:
    mine = memories.c.actor_id == scope.actor.id
    if scope.project is None:
        return and_(mine, memories.c.project_id.is_(None))
    in_project = memories.c.project_id == scope.project
    seen = and_(mine, or_(memories.c.project_id.is_(None), in_project))
    if Right.PROJECT_READ not in scope.rights:
        return seen
    return or_(seen, and_(in_project, memories.c.is_shared))


def _values(scope: Scope, memory: Memory) -> dict[str, object]:
    return {
        "id": memory.id,
        "actor_id": scope.actor.id,
        "project_id": scope.project,
        "is_shared": memory.is_shared and scope.project is not None,
        "kind": memory.kind.value,
        "session": memory.session,
        "text": memory.text,
        "answer": memory.answer,
        "terms": " ".join(memory.terms),
        "uses": memory.uses,
        "created_at": memory.created_at,
        "used_at": memory.used_at,
    }


def _memory(row: Row[Any]) -> Memory:  # the row's columns are the table's
    return Memory(
        id=row.id,
        actor=row.actor_id,
        project=row.project_id,
        is_shared=row.is_shared,
        kind=Kind(row.kind),
        session=row.session,
        text=row.text,
        answer=row.answer,
        terms=tuple(row.terms.split()),
        uses=row.uses,
        created_at=row.created_at,
        used_at=row.used_at,
    )
