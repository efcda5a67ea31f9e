"""The border where the databases' own errors become ours; nothing above storage sees a foreign exception."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DataError as RefusedValue
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from rubber_duck.errors import (
    Conflict,
    DuckError,
    InvalidInput,
    SchemaMismatch,
    StaleVersion,
    StorageUnavailable,
    normalize,
)

_SQLITE: Final[dict[int, str]] = {
    sqlite3.SQLITE_BUSY: "another process has held its lock for too long; try again",
    sqlite3.SQLITE_LOCKED: "another process has held its lock for too long; try again",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "it cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path and the permissions of its folder",
    sqlite3.SQLITE_FULL: "there is no space left; free some and try again",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; check it and its free space",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup, or move it away to begin anew",
    sqlite3.SQLITE_NOTADB: "the file is damaged or not a database; restore a backup, or move it away to begin anew",
    sqlite3.SQLITE_INTERRUPT: "the statement was cancelled",
}
"""What SQLite's primary result codes mean to a person (sqlite.org/rescode.html)."""

_POSTGRESQL: Final[dict[str, str]] = {
    "08": "the server does not answer",
    "28": "the server refused the user or the password",
    "3D": "there is no such database on the server; create it first",
    "42501": "the user may not do this on the server; grant the right",
    "53100": "the server's disk is full",
    "53": "the server is out of memory or connections",
    "57014": "the statement was cancelled",
    "57": "the server is shutting down",
    "58": "the server's system failed",
    "25P03": "it ended a transaction in which nothing was asked for too long",
    "25006": "the server accepts no writes: it is a standby, or the transaction only reads",
}
"""What classes of SQLSTATE mean to a person (PostgreSQL documentation, appendix A); the longest match holds."""

_UNREADABLE: Final = "it holds a value that cannot be read; restore a backup, or move it away to begin anew"

_TRY_AGAIN: Final = frozenset({"40001", "40P01"})
_NOT_NULL_OR_CHECK: Final = frozenset({"23502", "23514"})


def translated(error: BaseException, shown: str) -> DuckError:
    """The DuckError for what a driver, SQLAlchemy or the system raised at the database `shown`.

    `error` becomes its cause. Messages name constraints but never values: rows may hold secrets.
    """
    if isinstance(error, DuckError):
        return error
    known = _translate(error, shown)
    known.__cause__ = error
    return known


def unavailable(shown: str, reason: str) -> StorageUnavailable:
    """The StorageUnavailable that says so of the database `shown`."""
    return StorageUnavailable(f"the database {shown} cannot be used: {reason}")


def _translate(error: BaseException, shown: str) -> DuckError:
    match error:
        case IntegrityError():
            return _violated(error)
        case RefusedValue():
            return InvalidInput(f"the database refused a value: {_first_line(error.orig)}")
        case DBAPIError(orig=BaseException() as original):
            return from_driver(original, shown)
        case StatementError(orig=DuckError() as original):
            return original
        case StatementError(orig=BaseException() as original):
            return InvalidInput(f"a value cannot be stored: {_first_line(original)}")
        case SQLAlchemyError():
            return DuckError(f"a statement is wrong: {_first_line(error)}")
        case UnicodeEncodeError() | OverflowError():
            return InvalidInput(f"a value cannot be stored: {_first_line(error)}")
        case ValueError() | TypeError():  # of what was read: SQLAlchemy wraps what a value to store raises
            return unavailable(shown, _UNREADABLE)
        case OSError():
            return unavailable(shown, error.strerror or str(error))
        case _:
            return (
                from_driver(error, shown) if _sqlstate(error) or isinstance(error, sqlite3.Error) else normalize(error)
            )


def from_driver(error: BaseException, shown: str) -> DuckError:
    """The DuckError for an error of sqlite3 or psycopg itself, at the database `shown`."""
    state = _sqlstate(error)
    if state in _TRY_AGAIN:
        return StaleVersion("somebody else changed the same rows at the same time; try again")
    if state.startswith("42") and state != "42501":
        return _wrong_statement(error, shown)
    for length in (5, 2):
        if (reason := _POSTGRESQL.get(state[:length])) is not None:
            return unavailable(shown, f"{reason} ({_first_line(error)})")
    if isinstance(error, sqlite3.OperationalError) and "Could not decode to UTF-8" in str(error):
        return unavailable(shown, _UNREADABLE)
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int) and (reason := _SQLITE.get(code & 0xFF)) is not None:
        return unavailable(shown, reason)
    if isinstance(error, sqlite3.OperationalError) and code == sqlite3.SQLITE_ERROR:
        return _wrong_statement(error, shown)
    return unavailable(shown, _first_line(error))


def _violated(error: IntegrityError) -> DuckError:
    original = error.orig
    state = _sqlstate(original)
    code = getattr(original, "sqlite_errorcode", None)
    constraint = _constraint(original)
    if state == "23505" or code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return Conflict(f"it exists already: {constraint} must be unique")
    if state == "23503" or code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return Conflict(f"it belongs to something that does not exist, or is still in use{_named(constraint)}")
    return InvalidInput(f"the database refused a value: {constraint or _first_line(original)}")


def _wrong_statement(error: BaseException, shown: str) -> DuckError:
    if _sqlstate(error) in ("42P01", "42703") or "no such table" in str(error) or "no such column" in str(error):
        return SchemaMismatch(
            f"the database {shown} lacks a table or column ({_first_line(error)}); run `duck migrate`"
        )
    return DuckError(f"a statement is wrong: {_first_line(error)}")


def _sqlstate(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _constraint(error: BaseException | None) -> str:
    """The violated constraint's name, or SQLite's list of columns."""
    named = getattr(getattr(error, "diag", None), "constraint_name", None)
    if isinstance(named, str):
        return named
    return str(error).partition("constraint failed: ")[2] if isinstance(error, sqlite3.Error) else ""


def _named(constraint: str) -> str:
    return f" ({constraint})" if constraint else ""


def _first_line(error: BaseException | None) -> str:
    """The first line of a driver's message; further lines show rows and values."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip()
