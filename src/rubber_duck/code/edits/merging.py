"""Puts an edit's lines in the place that was found for it, keeping of the file whatever the edit leaves as it is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

Range = tuple[int, int]


def merged(
    old: Sequence[str], new: Sequence[str], there: Sequence[str], *, exactly: bool
) -> list[tuple[str, int | None]] | None:
    """What the lines `there` become when `old` → `new` is done to them; with each, the line of `there` it is kept from.

    A three-way merge: lines that the edit keeps are the file's own, in its spelling; what it changes must stand in the
    file as it says, with the lines right before and behind it, or be changed there already. None when it does not.
    Lines have no ends; unless `exactly`, white space at theirs is not compared.
    """
    ours, theirs, wanted = (
        list(lines) if exactly else [line.rstrip() for line in lines] for lines in (old, there, new)
    )
    where = _aligned(ours, theirs)
    result: list[tuple[str, int | None]] = []
    at = 0
    for tag, first, last, new_first, new_last in _steps(ours, wanted):
        if tag == "equal":
            continue
        found = _range(where, first, last, len(there))
        if found is None:
            return None
        start, end = found
        if start < at:
            return None
        is_as_said = theirs[start:end] == ours[first:last]
        is_done = theirs[start:end] == wanted[new_first:new_last]
        if not (is_as_said or is_done):
            return None
        result += [(there[line], line) for line in range(at, start)]
        if is_as_said:
            result += [(line, None) for line in new[new_first:new_last]]
        else:
            result += [(there[line], line) for line in range(start, end)]
        at = end
    return result + [(there[line], line) for line in range(at, len(there))]


def _steps(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _aligned(old: Sequence[str], there: Sequence[str]) -> list[int | None]:
    """For each line of `old` the line of `there` that it is."""
    where: list[int | None] = [None] * len(old)
    for block in SequenceMatcher(None, old, there, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            where[block.a + offset] = block.b + offset
    return where


def _range(where: Sequence[int | None], first: int, last: int, size: int) -> Range | None:
    """The file's lines between the neighbours of the old lines [first, last); None when a neighbour is not there."""
    if first == 0:
        start = 0
    else:
        before = where[first - 1]
        if before is None:
            return None
        start = before + 1
    if last == len(where):
        return start, size
    behind = where[last]
    return None if behind is None or behind < start else (start, behind)
