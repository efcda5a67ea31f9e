"""The text around a cursor, parsed once, and the small part of it in which a suggestion is looked at.

To parse a whole file for each suggestion takes milliseconds, and five times as long for one that breaks it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final

from rubber_duck.code.code import TextEdit, open_source, reparse
from rubber_duck.code.nearest import nearest
from rubber_duck.code.source import SourceFile

TIMEOUT_S: Final = 0.25

Containers = Mapping[str, tuple[str, str]]
"""Kinds of nodes that hold statements or members, each with what may stand around those alone."""


class Ground:
    """The last text that was parsed of one file, from which one that differs a little is parsed in a moment."""

    def __init__(self) -> None:
        self._file: SourceFile | None = None

    def forget(self) -> None:
        """Keep nothing: somebody works in another file."""
        self._file = None

    def parsed(self, path: str, language: str, text: str) -> SourceFile:
        """The text, parsed. Raises LimitExceeded."""
        content = text.encode("utf-8", "replace")
        known = self._file
        if known is None or known.path != path or known.problems:
            self._file = open_source(path, content, language, timeout_s=TIMEOUT_S)
        elif known.content != content:
            start, end = _same_ends(known.content, content)
            edit = TextEdit(start, len(known.content) - end, content[start : len(content) - end])
            self._file = known = reparse(known, [edit], timeout_s=TIMEOUT_S)
        assert self._file is not None
        return self._file


class Clearing:
    """An empty line in a text that has no problems, and the statements around it."""

    def __init__(self, file: SourceFile, language: str, at_byte: int, containers: Containers) -> None:
        """`at_byte` is where the line is."""
        self._file = file
        self._language = language
        self._at_byte = at_byte
        self._near: tuple[str, str] | None = self._found(containers)
        if self._near is not None and self._problems("".join(self._near)):
            self._near = None  # it cannot stand alone

    def is_whole(self, line: str) -> bool:
        """Whether there is no problem with this in the line's place. Raises LimitExceeded."""
        if self._near is not None:
            return not self._problems(line.join(self._near))
        edit = TextEdit(self._at_byte, self._at_byte, line.encode("utf-8", "replace"))
        return not reparse(self._file, [edit], timeout_s=TIMEOUT_S).problems

    def _found(self, containers: Containers) -> tuple[str, str] | None:
        """What stands before the line and behind it of the statement it is in, or of those beside it."""
        content, at = self._file.content, self._at_byte
        found = nearest(self._file, at, containers)
        if found is None or (found.end_byte - found.start_byte) * 2 > len(content):
            return None
        head, tail = containers[found.container]
        before, behind = content[found.start_byte : at], content[at : found.end_byte]
        return head + before.decode("utf-8", "replace"), behind.decode("utf-8", "replace") + tail

    def _problems(self, text: str) -> int:
        file = open_source(self._file.path, text.encode("utf-8", "replace"), self._language, timeout_s=TIMEOUT_S)
        return len(file.problems)


def _same_ends(old: bytes, new: bytes) -> tuple[int, int]:
    """How many bytes at the start and at the end of two texts are the same; never within a character."""
    most = min(len(old), len(new))
    start = _largest(most, lambda size: old[:size] == new[:size])
    end = _largest(most - start, lambda size: old[len(old) - size :] == new[len(new) - size :])
    while start and (_is_within(old, start) or _is_within(new, start)):
        start -= 1
    while end and (_is_within(old, len(old) - end) or _is_within(new, len(new) - end)):
        end -= 1
    return start, end


def _largest(most: int, is_so: Callable[[int], bool]) -> int:
    """The largest size up to `most` for which it is so; it is for all smaller ones."""
    return bisect_left(range(1, most + 1), True, key=lambda size: not is_so(size))  # what is looked for


def _is_within(text: bytes, at: int) -> bool:
    """Whether a place is within a character of UTF-8."""
    return at < len(text) and text[at] & 0xC0 == 0x80
