"""What an edit is: lines to find and lines to put there, a whole file, or a file that goes away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """Where a patch says that its lines stand: at the 1-based `line` of the content whose git blob begins `blob`."""

    line: int
    blob: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the lines `search` by `replace`, each line ending in a line feed.

    `path` is as written; `said_at` the 1-based line of the text where the edit begins.
    """

    path: str
    search: str
    replace: str
    said_at: int = 0
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """`content` is all of the file; `is_new` when it says that there is no such file yet."""

    path: str
    content: str
    said_at: int = 0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """The file goes away if its content is `content`."""

    path: str
    content: str
    said_at: int = 0


Edit = Replace | Whole | Delete


@dataclass(frozen=True, slots=True)
class Misread:
    """Something that looks like an edit and cannot be read as one: the 1-based line of the text, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The edits in a text in their order, and what could not be read."""

    edits: tuple[Edit, ...]
    misread: tuple[Misread, ...] = ()
