"""What a scan gives: the project's files, and what is not part of it with the reason."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class LeftOutReason(StrEnum):
    """Why something is not part of the project."""

    IGNORED = "ignored"
    BUILT_IN = "built_in"
    GENERATED = "generated"
    TOO_LARGE = "too_large"
    BINARY = "binary"
    LINK = "link"
    SYMLINK_OUTSIDE = "symlink_outside"
    SYMLINK_LOOP = "symlink_loop"
    BROKEN_LINK = "broken_link"
    SPECIAL_FILE = "special_file"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    IGNORE_FILE = "ignore_file"

    @property
    def is_problem(self) -> bool:
        """Whether a person should hear of it unasked: nobody wanted it left out, and it may hold sources."""
        return self in _PROBLEMS


_PROBLEMS: Final = frozenset(
    {
        LeftOutReason.TOO_LARGE,
        LeftOutReason.UNREADABLE,
        LeftOutReason.TOO_DEEP,
        LeftOutReason.TOO_MANY,
        LeftOutReason.IGNORE_FILE,
    }
)


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A regular file of the project. `path` is relative to the root, with `/`, and surrogate escapes for bytes
    that are not UTF-8. `language` is None for a file that is listed but not analysed.
    """

    path: str
    language: str | None
    size_bytes: int
    mtime_ns: int
    inode: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or a folder with all that is in it, that is not part of the project."""

    path: str
    reason: LeftOutReason
    detail: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found; both lists are sorted by path. `folders` were looked into, the root among them.

    `folder_status` has what each of them, and those that could not be listed, looked like just before, by path; the
    root's path is empty. A listing that was put together of several has none.
    """

    files: tuple[ScannedFile, ...]
    left_out: tuple[LeftOut, ...]
    folders: int
    folder_status: tuple[tuple[str, os.stat_result], ...] = field(default=(), compare=False, repr=False)

    def left_out_counts(self) -> dict[LeftOutReason, int]:
        """How often each reason occurs, in the order of the reasons."""
        counted = Counter(one.reason for one in self.left_out)
        return {reason: counted[reason] for reason in LeftOutReason if counted[reason]}
