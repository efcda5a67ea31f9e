"""What a refactoring takes and gives: texts by path, and a refusal in a sentence where meaning could change."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rubber_duck.errors import InvalidInput, Refused

Texts = Mapping[str, str]
"""The project's files that can matter: path (posix, relative to the project) → text."""

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_NAME: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file: a 1-based line, a 1-based column in code points; 0 for a column that was not said."""

    path: str
    line: int
    column: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a file, from a 1-based line and column to another, exclusive; columns 0: whole lines, the last too."""

    path: str
    start_line: int
    end_line: int
    start_column: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True)
class Refactored:
    """The files that change, with their new texts; and what a reader should look at."""

    texts: Texts
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the characters [start, end) of a text."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Splices:
    """Splices of one file, each place at most once."""

    found: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, start: int, end: int, text: str) -> None:
        """Note one; the same place may be noted again with the same text."""
        if self.found.setdefault((start, end), text) != text:
            raise Refused("one place would have to become two different things")

    def applied(self, text: str) -> str:
        """The text with all of them."""
        return spliced(text, (Splice(start, end, new) for (start, end), new in self.found.items()))


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """`text` with every splice; they must not overlap."""
    out, at = [], 0
    for each in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if each.start < at:
            raise Refused("two changes would overlap")
        out += [text[at : each.start], each.text]
        at = each.end
    return "".join([*out, text[at:]])


def line_starts(text: str) -> list[int]:
    """The offset at which each line begins; lines end as Python's do."""
    return [0, *(found.end() for found in _LINE_END.finditer(text))]


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a 1-based line and column; raises InvalidInput behind the end."""
    starts = line_starts(text)
    if not 1 <= line <= len(starts):
        raise InvalidInput(f"line {line} is behind the end: the file has {len(starts)} lines")
    end = starts[line] if line < len(starts) else len(text)
    offset = starts[line - 1] + max(column, 1) - 1
    if offset > end:
        raise InvalidInput(f"column {column} is behind the end of line {line}")
    return offset


def require_identifier(name: str) -> None:
    """Raise InvalidInput for what is no name, or a word that Python keeps for itself."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InvalidInput(f"{name!r} is no name that code may use")


def newline_of(text: str) -> str:
    """How the text ends its lines."""
    found = _LINE_END.search(text)
    return found.group() if found else "\n"


def places(found: Iterable[Spot], most: int = 3) -> str:
    """`a.py:3, b.py:7 and 4 more`."""
    spots = sorted(set(found), key=lambda spot: (spot.path, spot.line, spot.column))
    shown = ", ".join(f"{spot.path}:{spot.line}" for spot in spots[:most])
    return shown + (f" and {len(spots) - most} more" if len(spots) > most else "")
