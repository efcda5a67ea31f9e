"""Reads which lines each test ran from the SQLite file that coverage.py writes with dynamic contexts; never writes it.

Format: https://coverage.readthedocs.io/en/latest/dbschema.html
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final

from rubber_duck.errors import InvalidInput

_MOST_ROWS: Final = 20_000_000
"""More is not read: a file of this size belongs to no code base that is worked on in one piece."""


def lines_by_context(content: bytes) -> Mapping[str, Mapping[str, frozenset[int]]]:
    """Path of a source file as coverage.py saw it → context → the 1-based lines that ran in it.

    `content` is that of the whole file. The empty context, which is everything that ran outside of one, is left out; so
    nothing is found in a file that was written without contexts. Raises InvalidInput for any other file.
    """
    found: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    if not content:
        raise InvalidInput("this is not what coverage.py writes, but an empty file")
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            contexts = {number: name for number, name in connection.execute("SELECT id, context FROM context") if name}
            paths = dict(connection.execute("SELECT id, path FROM file"))
            for path_id, context_id, lines in _rows(connection):
                if context_id in contexts and path_id in paths:
                    found[str(paths[path_id])][str(contexts[context_id])].update(lines)
    except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"this is not what coverage.py writes, or of another version: {error}") from error
    return {
        path: {context: frozenset(lines) for context, lines in by_context.items()} for path, by_context in found.items()
    }


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int, list[int]]]:
    """(file, context, lines): with statements measured one row each, with branches one for each step taken."""
    bits = connection.execute("SELECT file_id, context_id, numbits FROM line_bits LIMIT ?", (_MOST_ROWS,))
    for path, context, numbits in bits:
        yield path, context, [at * 8 + bit for at, byte in enumerate(numbits) for bit in range(8) if byte >> bit & 1]
    steps = connection.execute("SELECT file_id, context_id, fromno, tono FROM arc LIMIT ?", (_MOST_ROWS,))
    for path, context, source, target in steps:
        yield path, context, [line for line in (source, target) if line > 0]  # negative: enters or leaves
