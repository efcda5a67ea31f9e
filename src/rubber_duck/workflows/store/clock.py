"""The moment, by the database's own clock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, ColumnElement, cast, func

_UNIX_DAY: Final = 2_440_587.5
"""1970, in the days by which SQLite counts."""


def now_ms_of_file() -> ColumnElement[int]:
    """Milliseconds since 1970, for SQLite."""
    return cast((func.julianday("now") - _UNIX_DAY) * 86_400_000, BigInteger)
