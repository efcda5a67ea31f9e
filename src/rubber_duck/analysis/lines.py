"""The lines of a text by number, and the byte offset of a row and column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate
from typing import Final

from rubber_duck.analysis.finding import Finding

EXCERPT_LINES: Final = 3
"""Lines of a finding that spans several which are kept for showing."""

EXCERPT_CHARACTERS: Final = 1_000
"""Characters of a longer line that are kept for showing."""

SHOWN_OF_HIDDEN: Final = 4
"""Characters of a hidden place that are shown, so that people know which it is."""

_NO_BREAK: Final = re.compile(r"[^\r\n]")


class Lines:
    """`content` (UTF-8) cut at `\\n`, `\\r\\n` and `\\r`, as editors and ruff do."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0, *accumulate(map(len, self._content.splitlines(keepends=True)))]  # bytes are cut at these three
        if len(starts) > 1 and not self._content.endswith((b"\n", b"\r")):
            starts.pop()
        return starts

    def line(self, number: int) -> str:
        """The text of the 1-based line without its break; empty beyond the end."""
        return self._bytes(number).decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff")

    def byte_offset(self, row: int, column: int) -> int:
        """The offset of a 1-based row and column, columns counted in code points; clipped to the text."""
        if not 1 <= row <= len(self._starts):
            return len(self._content)
        before = self._bytes(row).decode("utf-8", "replace")[: column - 1]
        return self._starts[row - 1] + len(before.encode("utf-8", "replace"))

    def excerpt(self, findings: Iterable[Finding]) -> dict[int, str]:
        """The lines that the findings start on, and up to EXCERPT_LINES of those they go on for."""
        wanted: set[int] = set()
        for finding in findings:
            last = min(finding.span.end_line, finding.span.start_line + EXCERPT_LINES - 1)
            wanted.update(range(finding.span.start_line, last + 1))
            wanted.add(finding.span.end_line)
        return {number: self.line(number)[:EXCERPT_CHARACTERS] for number in sorted(wanted)}

    @classmethod
    def with_hidden(cls, content: bytes, places: Iterable[tuple[int, int]]) -> Lines:
        """`content` with stars for all but the first characters of each place, given as [start, end) in bytes.

        A character is a star, and line breaks stay, so rows and columns are those of `content`; offsets are not.
        """
        pieces: list[bytes] = []
        end = 0
        for start, behind in sorted(places):
            if behind <= end:
                continue
            kept, hidden = content[end : max(start, end)], content[max(start, end) : behind].decode("utf-8", "replace")
            shown = SHOWN_OF_HIDDEN if start >= end else 0
            stars = _NO_BREAK.sub("*", hidden[shown:])
            pieces += [kept, (hidden[:shown] + stars).encode()]
            end = behind
        return cls(b"".join([*pieces, content[end:]]) if pieces else content)

    def _bytes(self, number: int) -> bytes:
        starts = self._starts
        if not 1 <= number <= len(starts):
            return b""
        end = starts[number] if number < len(starts) else len(self._content)
        return self._content[starts[number - 1] : end]
