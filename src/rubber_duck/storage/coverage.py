"""Reads which lines each test ran from the SQLite file that coverage.py writes with dynamic contexts; never writes it.

Format: https://coverage.readthedocs.io/en/latest/dbschema.html
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from rubber_duck.errors import InvalidInput

_MOST_LINES: Final = 10_000_000
"""More lines of the wanted files, counted once for each context that ran them, are refused."""

_LONGEST_BYTES: Final = 1 << 20
"""Of one value in the file, such as the lines of one source file, a bit each."""

_STEP: Final = 1_000_000
_MOST_STEPS: Final = 2_000
"""What SQLite may do, in steps of so many of its instructions: half a minute. A file may hold an endless query."""


_TABLES: Final = frozenset({"context", "file", "line_bits", "arc"})


@dataclass(frozen=True, slots=True)
class Recording:
    """What coverage.py recorded: all `contexts`, and path of a source file → context → the 1-based lines that ran.

    Paths are as coverage.py saw them.
    """

    contexts: frozenset[str] = frozenset()
    lines: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)


def read_recording(content: bytes, is_wanted: Callable[[str], bool]) -> Recording:
    """What a whole file of that content holds of the source files whose paths are wanted.

    The empty context, which is everything that ran outside of one, is left out; so nothing is found in a file that was
    written without contexts. Raises InvalidInput for any other file, and for one that would take too long.
    """
    if not content:
        raise InvalidInput("this is not what coverage.py writes, but an empty file")
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            _guard(connection)
            contexts = {number: name for number, name in connection.execute("SELECT id, context FROM context") if name}
            paths = {
                number: path for number, path in connection.execute("SELECT id, path FROM file") if is_wanted(str(path))
            }
            lines = _lines(connection, contexts, paths)
    except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"this is not what coverage.py writes, or of another version: {error}") from error
    return Recording(frozenset(map(str, contexts.values())), lines)


def _guard(connection: sqlite3.Connection) -> None:
    """Let nothing that stands in the file run for long, or take much memory."""
    steps = 0

    def is_too_long() -> bool:
        nonlocal steps
        steps += 1
        return steps > _MOST_STEPS

    connection.set_progress_handler(is_too_long, _STEP)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    made = connection.execute("SELECT lower(name), type, sql FROM sqlite_master").fetchall()
    for name, kind, sql in made:
        if name in _TABLES and (kind != "table" or "VIRTUAL" in str(sql).upper()):
            raise ValueError("it holds views where tables belong")


def _lines(
    connection: sqlite3.Connection, contexts: Mapping[int, str], paths: Mapping[int, str]
) -> Mapping[str, Mapping[str, frozenset[int]]]:
    found: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    read = 0
    for number, path in paths.items():
        for context, lines in _rows(connection, number):
            if context in contexts:
                found[path][str(contexts[context])].update(lines)
                read += len(lines)
            if read > _MOST_LINES:
                raise ValueError("it records more lines than a code base has")
    return {
        path: {context: frozenset(lines) for context, lines in by_context.items()} for path, by_context in found.items()
    }


def _rows(connection: sqlite3.Connection, path: int) -> Iterator[tuple[int, list[int]]]:
    """(context, lines) of one file: with statements measured one row each, with branches one for each step taken."""
    bits = connection.execute("SELECT context_id, numbits FROM line_bits WHERE file_id = ?", (path,))
    for context, numbits in bits:
        yield context, [at * 8 + bit for at, byte in enumerate(numbits) for bit in range(8) if byte >> bit & 1]
    steps = connection.execute("SELECT context_id, fromno, tono FROM arc WHERE file_id = ?", (path,))
    for context, source, target in steps:
        yield context, [line for line in (source, target) if line > 0]  # negative: enters or leaves
