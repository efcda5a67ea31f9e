"""What changes between two texts, in pieces that can be shown, and taken or left, one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from rubber_duck.code.edits.lines import body, cut, ending

CONTEXT_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines [start, end) of the old text, 0-based, become [new_start, new_end) of the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


def hunks(old: str, new: str) -> tuple[Hunk, ...]:
    """The changes in their order. Two that have at most 2 × CONTEXT_LINES lines between them stay apart."""
    before, after = cut(old), cut(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    steps = SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
    return tuple(
        Hunk(first + head, last + head, new_first + head, new_last + head)
        for tag, first, last, new_first, new_last in steps
        if tag != "equal"
    )


def taken(old: str, new: str, wanted: Collection[int]) -> str:
    """`old` with those of its hunks, counted from 0, whose numbers are `wanted`."""
    before, after = cut(old), cut(new)
    lines: list[str] = []
    at = 0
    for number, hunk in enumerate(hunks(old, new)):
        lines += before[at : hunk.start]
        lines += after[hunk.new_start : hunk.new_end] if number in wanted else before[hunk.start : hunk.end]
        at = hunk.end
    lines += before[at:]
    return "".join(_joined(lines))


def shown(old: str, new: str, hunk: Hunk) -> str:
    """One hunk as a unified diff shows it, with lines around it for reading."""
    before, after = cut(old), cut(new)
    first, last = max(hunk.start - CONTEXT_LINES, 0), min(hunk.end + CONTEXT_LINES, len(before))
    lead, trail = hunk.start - first, last - hunk.end
    counts = last - first, lead + (hunk.new_end - hunk.new_start) + trail
    starts = [
        start + 1 if count else start for start, count in zip((first, hunk.new_start - lead), counts, strict=True)
    ]
    lines = [f"@@ -{starts[0]},{counts[0]} +{starts[1]},{counts[1]} @@"]
    lines += _signed(" ", before[first : hunk.start])
    lines += _signed("-", before[hunk.start : hunk.end])
    lines += _signed("+", after[hunk.new_start : hunk.new_end])
    lines += _signed(" ", before[hunk.end : last])
    return "\n".join(lines) + "\n"


def _signed(sign: str, lines: Sequence[str]) -> list[str]:
    found = []
    for line in lines:
        found.append(sign + body(line))
        if not line.endswith("\n"):
            found.append("\\ No newline at end of file")
    return found


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _joined(lines: list[str]) -> list[str]:
    """A line without an end that is not the last any more gets one, as its neighbours have it."""
    for number, line in enumerate(lines[:-1]):
        if not ending(line):
            lines[number] = line + (ending(lines[number - 1]) if number else "\n")
    return lines
