"""Reads whole files out of a text: a code block with the file's name above it, on its fence, or in its first line.

Only a block that says its file's name and nothing else counts: prose around a snippet does not make it a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rubber_duck.code.edits.edit import Misread, Reading, Whole
from rubber_duck.code.edits.names import fence, path_in, path_in_comment

_PROSE: Final = frozenset({"", "text", "txt", "console", "shell", "sh", "bash", "diff", "output", "plaintext"})
_WORD: Final = re.compile(r"[\w+#.-]*")


def read_wholes(lines: Sequence[str]) -> Reading:
    """The files in `lines`, which have no line ends. A block that is not closed is misread: the text broke off."""
    wholes: list[Whole] = []
    misread: list[Misread] = []
    at = 0
    while at < len(lines):
        opened = fence(lines[at])
        if opened is None:
            at += 1
            continue
        end = _end(lines, at, opened[0])
        path, first = _named(lines, at, opened[1])
        if path and end is None:
            misread.append(Misread(at + 1, "the code block is not closed: the text may have been broken off"))
        elif path and end is not None:
            wholes.append(Whole(path, "".join(f"{line}\n" for line in lines[first:end]), at + 1))
        at = len(lines) if end is None else end + 1
    return Reading(tuple(wholes), tuple(misread))


def _end(lines: Sequence[str], opened: int, mark: str) -> int | None:
    """The closing fence: of the same kind, at least as long, with nothing behind it; blocks inside it are passed over.

    In a Markdown file a model often forgets the longer fence, so an inner block that is opened with a language is
    closed before the outer one.
    """
    inside = 0
    for number in range(opened + 1, len(lines)):
        found = fence(lines[number])
        if found is None or found[0][0] != mark[0] or len(found[0]) < len(mark):
            continue
        if found[1]:
            inside += 1
        elif inside:
            inside -= 1
        else:
            return number
    return None


def _named(lines: Sequence[str], opened: int, said: str) -> tuple[str, int]:
    """The file's name, and the line that its content begins with; "" when the block is no file."""
    on_fence = path_in(lines[opened])
    if on_fence:
        return on_fence, opened + 1
    above = opened - 1
    if above >= 0 and not lines[above].strip():
        above -= 1
    if above >= 0 and fence(lines[above]) is None:
        found = path_in(lines[above])
        if found:
            return found, opened + 1
    word = _WORD.match(said)
    if opened + 1 < len(lines) and (word is None or word[0].lower() not in _PROSE):
        found = path_in_comment(lines[opened + 1])
        if found and ("/" in found or "\\" in found):
            return found, opened + 1
    return "", opened + 1
