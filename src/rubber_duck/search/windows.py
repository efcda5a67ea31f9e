"""Cuts text into chunks: prose by its headings, everything else by lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from rubber_duck.search.chunk import SECTION, WINDOW, Chunk

WINDOW_BYTES: Final = 2_400
"""About how long a chunk of text is."""

_LINE_SLACK: Final = 4
"""A window ends at the last empty line of its last quarter, if there is one."""

_ATX = re.compile(rb"(#{1,6})[ \t]+(\S[^\n]*?)[ \t#]*\r?$")
_UNDERLINE = re.compile(rb"([=\-~^\"'`:.*+#_])\1{2,}[ \t]*\r?$")
_FENCE = re.compile(rb"[ \t]*(```|~~~)")


def cut_text(content: bytes) -> list[Chunk]:
    """Windows of about `WINDOW_BYTES`, in order; nothing for blank text."""
    lines = _line_starts(content)
    return [
        _chunk(content, lines, (start, end))
        for start, end in cut_lines(content, 0, len(content), WINDOW_BYTES)
        if content[start:end].strip()
    ]


def cut_prose(content: bytes) -> list[Chunk]:
    """One chunk for each heading with its text (Markdown's `#`, or a line underlined), long ones as several."""
    lines = _line_starts(content)
    chunks: list[Chunk] = []
    path: list[tuple[int, str]] = []
    headings = list(_headings(content, lines))
    bounds = [start for start, _, _ in headings] + [len(content)]
    if bounds[0] > 0:
        headings.insert(0, (0, 0, ""))
        bounds.insert(0, 0)
    for (start, level, title), end in zip(headings, bounds[1:], strict=True):
        while path and path[-1][0] >= level:
            path.pop()
        if title:
            path.append((level, title))
        names = (title, " > ".join(each for _, each in path))
        for number, span in enumerate(cut_lines(content, start, end, WINDOW_BYTES)):
            if content[span[0] : span[1]].strip():
                chunks.append(_chunk(content, lines, span, names=names, is_head=number == 0))
    return chunks


def cut_lines(content: bytes, start: int, end: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """[start, end) as spans of at most `size_bytes` that end with a line, if possible with an empty one.

    They are about equally long. A line longer than that is cut between two blanks, or where it must be, but never
    inside a character.
    """
    pieces = -(-(end - start) // size_bytes)
    while end - start > size_bytes:
        limit = start + min(size_bytes, (end - start) // max(1, pieces) + size_bytes // (2 * _LINE_SLACK))
        pieces -= 1
        late = limit - size_bytes // _LINE_SLACK
        cut = content.rfind(b"\n\n", late, limit) + 1
        if cut <= 0:
            cut = content.rfind(b"\n", start, limit)
        if cut <= start:
            cut = content.rfind(b" ", late, limit)
        cut = cut + 1 if cut > start else _boundary(content, limit, start)
        yield start, cut
        start = cut
    if end > start:
        yield start, end


def trimmed(content: bytes, start: int, end: int) -> tuple[int, int]:
    """[start, end) without the blanks at both ends; the text in it may not be blank."""
    text = content[start:end]
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


def _boundary(content: bytes, at: int, start: int) -> int:
    """Where to cut a line without blanks: after the last character that is in no word, or after a whole one."""
    for back in range(at, max(start, at - 200), -1):
        if content[back - 1] < 128 and not chr(content[back - 1]).isalnum() and content[back - 1] != 0x5F:
            return back
    while at > start + 1 and content[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _headings(content: bytes, lines: list[int]) -> Iterator[tuple[int, int, str]]:
    """(start, level, title) of each heading outside of fenced code; of underlines, the first kind is level 1."""
    levels: dict[bytes, int] = {}
    fence = b""
    previous: tuple[int, bytes] | None = None
    for start, end in zip(lines, [*lines[1:], len(content)], strict=True):
        line = content[start:end].rstrip(b"\n")
        opened = _FENCE.match(line)
        if opened and (opened[1] == fence if fence else not _underlines(line, previous)):
            fence = b"" if fence else opened[1]
        if fence:
            previous = None
            continue
        title = _ATX.match(line[:400])
        if title:
            yield start, len(title[1]), title[2].decode("utf-8", "replace")
            previous = None
            continue
        under = _UNDERLINE.match(line[:400])
        if under and previous is not None and _underlines(line, previous):
            level = levels.setdefault(under[1], len(levels) + 1)
            yield previous[0], level, previous[1].strip().decode("utf-8", "replace")
            previous = None
            continue
        is_title = 0 < len(line) < 200 and not line[:1].isspace() and not under
        previous = (start, line) if is_title else None


def _underlines(line: bytes, previous: tuple[int, bytes] | None) -> bool:
    """Whether the line underlines the one before, which may be a title."""
    if previous is None or not _UNDERLINE.match(line[:400]):
        return False
    return len(line.strip()) >= len(previous[1].strip().decode("utf-8", "replace"))


def _chunk(
    content: bytes,
    lines: list[int],
    span: tuple[int, int],
    *,
    names: tuple[str, str] = ("", ""),
    is_head: bool = True,
) -> Chunk:
    start, end = trimmed(content, *span)
    return Chunk(
        kind=SECTION if names[1] else WINDOW,
        name=names[0],
        qualified_name=names[1],
        start_byte=start,
        end_byte=end,
        start_line=bisect_right(lines, start),
        end_line=bisect_right(lines, end - 1),
        is_head=is_head,
    )


def _line_starts(content: bytes) -> list[int]:
    starts = [0, *accumulate(len(line) + 1 for line in content.split(b"\n"))][:-1]
    return starts[:-1] if len(starts) > 1 and content.endswith(b"\n") else starts
