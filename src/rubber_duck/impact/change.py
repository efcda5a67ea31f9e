"""What a change is: files, and the lines in them; from paths that a person names, or from a unified diff."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import InvalidInput

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PLACE: Final = re.compile(r"(.+?):(\d+)(?:-(\d+))?")
_ESCAPE: Final = re.compile(r"\\([0-7]{3}|.)")
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines `first` … `last` of a file as it is now, 1-based, both inclusive."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of a change. No `lines`: all of it. `changed_lines`: how many lines were added or removed, if known.

    `was` is the content of a file that was removed, where the diff has it.
    """

    path: str
    lines: tuple[Lines, ...] = ()
    changed_lines: int | None = None
    was: str = ""


def place(written: str) -> tuple[str, Lines | None]:
    """`FILE`, `FILE:LINE` or `FILE:FIRST-LAST` as a path and lines; raises InvalidInput for lines that are none."""
    found = _PLACE.fullmatch(written)
    if found is None:
        return written, None
    first = int(found[2])
    last = int(found[3] or first)
    if not 1 <= first <= last:
        raise InvalidInput(f"{written!r} names no lines: they count from 1, the first before the last")
    return found[1], Lines(first, last)


def joined(changes: Iterable[ChangedFile]) -> tuple[ChangedFile, ...]:
    """One entry a file, sorted by path; naming a whole file beats naming lines of it."""
    by_path: dict[str, ChangedFile] = {}
    for change in changes:
        known = by_path.get(change.path)
        if known is None:
            by_path[change.path] = change
            continue
        counts = [each.changed_lines for each in (known, change) if each.changed_lines is not None]
        lines = (*known.lines, *change.lines) if known.lines and change.lines else ()
        was = known.was or change.was
        by_path[change.path] = ChangedFile(change.path, lines, sum(counts) if counts else None, was)
    return tuple(by_path[path] for path in sorted(by_path))


def parse_diff(text: str) -> tuple[ChangedFile, ...]:
    """The files of a unified diff as it leaves them, and removed ones as they were; git's and plain ones are read.

    Where lines are only removed, the lines around the gap count; of a file that was renamed or copied everything does.
    Raises InvalidInput for a text without a file.
    Format: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
    """
    found: list[ChangedFile] = []
    old = ""
    reading: _Reading | None = None
    for line in text.split("\n"):
        if reading is not None and reading.takes(line):
            continue
        if line.startswith("--- "):
            old = _named(line[4:], "a/")
        elif line.startswith("+++ "):
            found += reading.done() if reading is not None else []
            new = _named(line[4:], "b/")
            reading = _Reading(new or old, is_removed=not new)
        elif line.startswith("rename from "):
            found.append(ChangedFile(_unquoted(line.removeprefix("rename from "))))
        elif line.startswith(("rename to ", "copy to ")):
            found.append(ChangedFile(_unquoted(line.partition(" to ")[2]), (), 0))
    found += reading.done() if reading is not None else []
    if not found and text.strip():
        raise InvalidInput("this is no unified diff: no line begins with `+++ `; give what `git diff` writes")
    return joined(found)


class _Reading:
    """The hunks of one file of a diff, line by line."""

    def __init__(self, path: str, *, is_removed: bool) -> None:
        self._path = path
        self._is_removed = is_removed
        self._gone: list[str] = []
        self._lines: list[Lines] = []
        self._changed = 0
        self._left_old = self._left_new = self._at = 0

    def takes(self, line: str) -> bool:
        """Whether the line belongs to a hunk, which it then counts for."""
        if self._left_old <= 0 and self._left_new <= 0:
            hunk = _HUNK.match(line)
            if hunk is None:
                return False
            self._left_old = int(hunk[2]) if hunk[2] is not None else 1
            self._left_new = int(hunk[4]) if hunk[4] is not None else 1
            self._at = int(hunk[3]) if self._left_new else int(hunk[3]) + 1
            return True
        sign = line[:1]
        if sign == "+":
            self._lines.append(Lines(self._at, self._at))
            self._changed += 1
            self._at, self._left_new = self._at + 1, self._left_new - 1
        elif sign == "-":
            above = max(self._at - 1, 1)
            self._lines += [Lines(above, above), Lines(self._at, self._at)]
            self._gone.append(line[1:] + "\n")
            self._changed += 1
            self._left_old -= 1
        elif sign != "\\":
            self._at, self._left_old, self._left_new = self._at + 1, self._left_old - 1, self._left_new - 1
        return True

    def done(self) -> list[ChangedFile]:
        """The file, when all of it was read."""
        if not self._path:
            return []
        if self._is_removed:
            return [ChangedFile(self._path, (), self._changed, "".join(self._gone))]
        return [ChangedFile(self._path, _merged(self._lines), self._changed)]


def _named(written: str, prefix: str) -> str:
    name = _unquoted(written.partition("\t")[0].rstrip("\r"))
    if name == "/dev/null":
        return ""
    return name.removeprefix(prefix)


def _unquoted(written: str) -> str:
    """A name as git writes it: in quotes, with the bytes that it does not like as octal numbers."""
    written = written.strip()
    if len(written) < 2 or not (written.startswith('"') and written.endswith('"')):
        return written
    content = bytearray()
    at = 1
    while at < len(written) - 1:
        escape = _ESCAPE.match(written, at)
        if escape is None:
            content += written[at].encode("utf-8", "surrogateescape")
            at += 1
        else:
            said = escape[1]
            is_byte = len(said) == 3
            content += bytes((int(said, 8) & 255,)) if is_byte else _CONTROLS.get(said, said).encode()
            at = escape.end()
    return content.decode("utf-8", "surrogateescape")


def _merged(lines: Iterable[Lines]) -> tuple[Lines, ...]:
    merged: list[Lines] = []
    for each in sorted(lines, key=lambda found: (found.first, found.last)):
        if merged and each.first <= merged[-1].last + 1:
            merged[-1] = Lines(merged[-1].first, max(merged[-1].last, each.last))
        else:
            merged.append(each)
    return tuple(merged)
