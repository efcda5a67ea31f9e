"""The column types that tables are declared with; each keeps its value unchanged on SQLite and on PostgreSQL.

Beside these, `sqlalchemy.Text`, `Integer`, `BigInteger`, `Boolean` and `LargeBinary` are used as they are.
A row that is soft-deleted frees its name through a partial unique index:

    Index(None, "owner", "name", unique=True, sqlite_where=LIVING, postgresql_where=LIVING)
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, Text, Uuid, text
from sqlalchemy.types import TypeDecorator, TypeEngine

from rubber_duck.errors import InvalidInput

LIVING: Final = text("deleted_at IS NULL")
"""The condition of a partial index over rows that are not soft-deleted."""


class Key(Uuid[UUID]):
    """A `uuid.UUID`, made by `storage.keys.new_key`."""

    cache_ok = True


class Json(JSON):
    """A JSON value (dict, list, str, int, float, bool); Python's None is NULL. Not-a-number is refused."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)


class Timestamp(TypeDecorator[datetime]):
    """A moment: an aware `datetime`, read back in UTC, to the microsecond. A naive one is InvalidInput."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvalidInput(f"{value.isoformat()!r} names no time zone: a stored moment needs one")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else value.replace(tzinfo=UTC)


class PathText(TypeDecorator[str]):
    """A file name or path as `os.fsdecode` gives it: bytes that are not UTF-8 survive.

    Stored as valid text: such a byte (U+DC80 to U+DCFF) is U+FFFD and its two hexadecimal digits, U+FFFD itself
    is U+FFFD and `00`. Ordered by code point on both databases, whatever the server's language.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or value.isascii():
            return value
        return _UNSTORABLE.sub(_escape, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or "\ufffd" not in value:
            return value
        return _ESCAPED.sub(_unescape, value)


CODE_POINT_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text ordered by code point on both databases, whatever the server's language."""


def to_json(value: object) -> str:
    """The text a JSON column stores: ASCII, so that no database stumbles over a character.

    InvalidInput for what JSON has not: sets, dates, not-a-number, infinity, circles.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"a value cannot be stored as JSON: {error}") from error


_UNSTORABLE: Final = re.compile("[\udc80-\udcff\ufffd]")
_ESCAPED: Final = re.compile("\ufffd([0-9a-f]{2})")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\ufffd00" if code == 0xFFFD else f"\ufffd{code - 0xDC00:02x}"


def _unescape(match: re.Match[str]) -> str:
    byte = int(match[1], 16)
    return chr(0xDC00 + byte) if byte else "\ufffd"
