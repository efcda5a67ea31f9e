"""A chunk: the piece of a file that is found, usually one definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MODULE_CODE: Final = "code"
"""The kind of a chunk of code that belongs to no definition, or goes on after the definitions inside of its own."""

SECTION: Final = "section"
"""The kind of a chunk of prose under a heading."""

WINDOW: Final = "text"
"""The kind of a chunk of text that has no structure we know."""

MAX_CHUNKS: Final = 4096
"""Chunks of one file at the most: a chunk's number is its file's times this, plus its own place."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The bytes [start_byte, end_byte) of a file's UTF-8 text, lines `start_line` to `end_line` (1-based, inclusive).

    `kind` is a `SymbolKind`'s value or one of the three above. `name` and `qualified_name` are the symbol's or the
    heading's, `""` for others. `defines` are the names that are declared inside without a chunk of their own.
    """

    kind: str
    name: str
    qualified_name: str
    start_byte: int
    end_byte: int
    start_line: int
    end_line: int
    is_head: bool = True
    signature: str = ""
    doc: str = ""
    defines: tuple[str, ...] = ()
