"""What a search finds: places in files, and why each is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonKind(StrEnum):
    """Why a chunk was found."""

    DECLARES = "declares"
    NAME = "name"
    ARGUMENTS = "arguments"
    DOCUMENTATION = "documentation"
    COMMENT = "comment"
    BODY = "body"
    PATH = "path"
    RELATED = "related"
    MEANING = "meaning"
    PHRASE = "phrase"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the words of the query (or those related to them) that it is about."""

    kind: ReasonKind
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its 1-based number, its text, and the spans in it, in code points, of what was looked for."""

    number: int
    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found.

    - `path` is relative to the root. `kind` is a symbol's kind, `code`, `section` or `text`; `name` the qualified one.
    - lines are 1-based and inclusive, bytes [start_byte, end_byte) count in the file's UTF-8 text.
    - `score` orders hits of one search and means nothing beside another's. `is_last`: a test, or generated.
    - `lines` are those that show best why it was found; none, and `is_outdated`, when the file has changed since.
    """

    path: str
    language: str
    kind: str
    name: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    score: float
    is_last: bool
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one search, best first. `unknown` are words that stand nowhere in the project.

    `is_complete` is false when the time for reading files was over before all that could match had been read.
    `without_meaning` says why an embeddings model that is configured did not help; empty when it did, or none is.
    """

    hits: tuple[Hit, ...]
    unknown: tuple[str, ...]
    is_complete: bool = True
    without_meaning: str = ""
