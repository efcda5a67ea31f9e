"""The moment by the database's own clock, in milliseconds, whichever database it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement


class NowMs(ColumnElement[int]):
    """Milliseconds since 1970; in a transaction on a server, those of its beginning."""

    type = BigInteger()
    inherit_cache = True


@compiles(NowMs, "sqlite")
def _of_file(element: NowMs, compiler: Any, **_: Any) -> str:  # Any: SQLAlchemy's
    """SQLite counts days, and 1970 is so many of them."""
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)"


@compiles(NowMs, "postgresql")
def _of_server(element: NowMs, compiler: Any, **_: Any) -> str:  # Any: as above
    return "CAST(EXTRACT(epoch FROM now()) * 1000 AS BIGINT)"
