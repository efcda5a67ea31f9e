"""The tables of the outbox: boxes with their counters, and letters; the only SQL of channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from rubber_duck.storage.columns import Json, Timestamp
from rubber_duck.storage.metadata import metadata

boxes: Final = Table(
    "outbox_boxes",
    metadata,
    Column("box", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("acknowledged", BigInteger, nullable=False),
)

letters: Final = Table(
    "outbox_letters",
    metadata,
    Column("box", Text, nullable=False),
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    PrimaryKeyConstraint("box", "number"),
    UniqueConstraint("box", "key"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter to be kept. Of two with one key, in one box, only the first is."""

    key: str
    event: str
    payload: dict[str, Any]  # Any: JSON
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that is kept: its number in the box, from 1, and whether its member has seen it."""

    number: int
    event: str
    payload: dict[str, Any]  # Any: JSON
    created_at: datetime
    is_seen: bool


def add_letter(connection: Connection, box: str, letter: Draft, *, most: int) -> int | None:
    """Keep a letter as the last of its box, and forget what is too old or too much; None when its key is there."""
    _lock(connection, box)
    connection.execute(delete(letters).where(letters.c.box == box, letters.c.expires_at <= letter.created_at))
    same = (letters.c.box == box) & (letters.c.key == letter.key)
    if connection.execute(select(letters.c.number).where(same)).first() is not None:
        return None
    connection.execute(update(boxes).where(boxes.c.box == box).values(last=boxes.c.last + 1))
    number = int(connection.execute(select(boxes.c.last).where(boxes.c.box == box)).scalar_one())
    connection.execute(
        insert(letters).values(
            box=box,
            number=number,
            key=letter.key,
            event=letter.event,
            payload=letter.payload,
            created_at=letter.created_at,
            expires_at=letter.expires_at,
        )
    )
    connection.execute(delete(letters).where(letters.c.box == box, letters.c.number <= number - most))
    return number


def waiting(connection: Connection, box: str, after: int, now: datetime) -> tuple[Sequence[Letter], int, int]:
    """What was not acknowledged, behind `after`, oldest first; up to which number all was; the last number given."""
    last, acknowledged = _counters(connection, box)
    unseen = letters.c.number > max(after, acknowledged)
    rows = connection.execute(_shown().where(_kept(box, now), unseen).order_by(letters.c.number)).all()
    found = [_letter(row, acknowledged) for row in rows]
    return found, acknowledged, last


def newest(connection: Connection, box: str, limit: int, now: datetime) -> Sequence[Letter]:
    """The newest letters, newest first."""
    _, acknowledged = _counters(connection, box)
    rows = connection.execute(_shown().where(_kept(box, now)).order_by(letters.c.number.desc()).limit(limit)).all()
    return [_letter(row, acknowledged) for row in rows]


def letter(connection: Connection, box: str, key: str, now: datetime) -> Letter | None:
    """One letter."""
    _, acknowledged = _counters(connection, box)
    row = connection.execute(_shown().where(_kept(box, now), letters.c.key == key)).first()
    return None if row is None else _letter(row, acknowledged)


def acknowledge(connection: Connection, box: str, number: int) -> int:
    """Move what was seen up to `number`, never back and never beyond the last; what was seen until now."""
    _lock(connection, box)
    last, acknowledged = _counters(connection, box)
    seen = max(acknowledged, min(number, last))
    connection.execute(update(boxes).where(boxes.c.box == box).values(acknowledged=seen))
    return seen


def _lock(connection: Connection, box: str) -> None:
    """Make the box if need be, and let nobody else change it until this transaction ends."""
    held = update(boxes).where(boxes.c.box == box).values(last=boxes.c.last)
    if connection.execute(held).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(boxes).values(box=box, last=0, acknowledged=0))
    except IntegrityError:  # another process made it meanwhile
        connection.execute(held)


def _counters(connection: Connection, box: str) -> tuple[int, int]:
    row = connection.execute(select(boxes.c.last, boxes.c.acknowledged).where(boxes.c.box == box)).first()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _kept(box: str, now: datetime) -> ColumnElement[bool]:
    return (letters.c.box == box) & (letters.c.expires_at > now)


def _letter(row: Any, acknowledged: int) -> Letter:  # Any: a row of `_shown`
    return Letter(row.number, row.event, row.payload, row.created_at, row.number <= acknowledged)


def _shown() -> Any:  # Any: a select of these columns
    return select(letters.c.number, letters.c.event, letters.c.payload, letters.c.created_at)
