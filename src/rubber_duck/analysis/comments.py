"""The comments of one file as the syntax tree knows them, and which code each of them stands by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.source import BOM, SourceFile

COMMENT_KINDS: Final = ("comment", "line_comment", "block_comment")
"""What the grammars call comments."""

_SPACE: Final = b" \t\r\f\v"
_NO_CODE: Final = (b"", b"{}")  # braces around a comment are how JSX writes one
_BLANK: Final = bytes(byte if byte == ord("\n") else ord(" ") for byte in range(256))


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment with its marks, from `start_line` to `end_line` (1-based, both included).

    `code_line` is the line of the code that it stands by: its own line when code stands there, else the next line
    with code, else its own. `is_alone` says that no code stands on its first line.
    """

    text: str
    start_byte: int
    start_line: int
    end_line: int
    code_line: int
    is_alone: bool


def read_comments(file: SourceFile, places: Sequence[tuple[int, int]]) -> Iterator[Comment]:
    """The comments of `file` that lie at `places`, [start byte, end byte) in source order."""
    code = bytearray(file.content)
    for start, end in places:
        code[start:end] = code[start:end].translate(_BLANK)
    lines = bytes(code).removeprefix(BOM).split(b"\n")
    has_code = [line.translate(None, _SPACE) not in _NO_CODE for line in lines]
    following = _following(has_code)
    number, seen = 1, 0
    for start, end in places:
        number += file.content.count(b"\n", seen, start)
        seen = start
        text = file.content[start:end].decode("utf-8", "replace")
        is_alone = not has_code[number - 1]
        yield Comment(
            text, start, number, number + text.count("\n"), following[number - 1] if is_alone else number, is_alone
        )


def _following(has_code: Sequence[bool]) -> list[int]:
    """For each line, by index, the number of the first later line with code, or its own where there is none."""
    following = [0] * len(has_code)
    found = 0
    for index in range(len(has_code) - 1, -1, -1):
        following[index] = found or index + 1
        if has_code[index]:
            found = index + 1
    return following
