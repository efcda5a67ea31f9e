"""Finds the one place that an edit means: exactly, else whatever its white space, else by what surrounds the change.

Each way is tried only when the one before it found nothing. Several places are never chosen from: which is meant is for
a person, or the model, to say. Comparing is by whole lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from rubber_duck.code.edits.lines import body, indent, respelled, shared_indent

FEWEST_TELLING: Final = 2
"""So many lines with a word in them an edit must have to be placed where the indentation is another one."""

FEWEST_ANCHORED: Final = 4
"""So many lines that are not blank an edit must have to be placed by its surroundings."""

LEAST_ALIKE: Final = 0.8
"""The share of an edit's lines that must stand in the file, in their order, for it to be placed so."""

LEAST_TELLING: Final = 0.6
"""The share of an edit's telling lines that must stand in the file for it to be placed so."""

LEAST_ALIKE_LINE: Final = 0.6
"""How alike a line of the edit and the file's line in its place must be, from 0 to 1, to be the same line changed."""

LEAST_RIVAL: Final = 0.5
"""The share of an edit's lines that another place must have, line by line, to make a place by surroundings doubtful."""

MOST_MORE: Final = 3
"""So many lines more or less than the edit says a place may have."""

_TELLING: Final = re.compile(r"(?!\b(?:end|else|pass|return|break|continue|finally|then|done|endif)\b)\b\w{3,}")

_WORD: Final = re.compile(r"\w+")
MOST_PLACES: Final = 200
"""So many places with the right first line are looked at by surroundings; in a file with more none is chosen."""


class How(StrEnum):
    """How a place was found."""

    EXACT = "exact"
    WHITESPACE = "whitespace"
    ANCHORED = "anchored"


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines [start, end) of the file, 0-based, and the edit's lines as they would be spelled there."""

    start: int
    end: int
    how: How
    search: tuple[str, ...]
    replace: tuple[str, ...]


def spots(file: Sequence[str], search: Sequence[str], replace: Sequence[str]) -> list[Spot]:
    """Every place in `file` that `search` may mean, by the strictest way that finds any; lines without their ends."""
    exact = [Spot(at, at + len(search), How.EXACT, tuple(search), tuple(replace)) for at in occurrences(file, search)]
    if exact:
        return exact
    for wanted, put in _peeled(search, replace):
        is_whole = len(wanted) == len(search)  # lines that also lost the blank ones around may stand elsewhere
        found = list(_by_whitespace(file, wanted, put, may_shift=is_whole))
        if found:
            return found
    wanted, put = _unframed(search, replace)
    found = list(_by_anchors(file, wanted, put))
    return found + _rivals(file, found[0]) if len(found) == 1 else found


def tells(line: str) -> bool:
    """Whether the line has a word that is not on every other: `}` and `else` may stand anywhere."""
    return _TELLING.search(line) is not None


def occurrences(file: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where `wanted` stands in `file`, line by line; nowhere when it is empty."""
    if not wanted:
        return []
    first, length = wanted[0], len(wanted)
    return [
        at
        for at in range(len(file) - length + 1)
        if file[at] == first and all(file[at + offset] == wanted[offset] for offset in range(1, length))
    ]


def _peeled(search: Sequence[str], replace: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The edit as it is, then with ever fewer of the blank lines that both have around, which models add."""
    wanted, put = list(search), list(replace)
    yield wanted, put
    for edge in (0, -1):
        while wanted and put and not (wanted[edge].strip() or put[edge].strip()):
            wanted, put = wanted.copy(), put.copy()
            del wanted[edge], put[edge]
            if wanted:
                yield wanted, put


def _unframed(search: Sequence[str], replace: Sequence[str]) -> tuple[list[str], list[str]]:
    """Without the blank lines around that both have."""
    wanted, put = list(search), list(replace)
    for edge in (0, -1):
        while wanted and put and not (wanted[edge].strip() or put[edge].strip()):
            del wanted[edge], put[edge]
    return wanted, put


def _by_whitespace(
    file: Sequence[str], search: Sequence[str], replace: Sequence[str], *, may_shift: bool
) -> Iterator[Spot]:
    """Places that differ in white space at the ends of lines, and in indentation, by one amount for all lines."""
    wanted = [line.strip() for line in search]
    stripped = [line.strip() for line in file]
    for at in occurrences(stripped, wanted):
        there = file[at : at + len(search)]
        shifted = _shifted(search, replace, there)
        if shifted is not None and (may_shift or shared_indent(search) == shared_indent(there)):
            yield Spot(at, at + len(search), How.WHITESPACE, *shifted)


def _shifted(
    search: Sequence[str], replace: Sequence[str], there: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """(search, replace) indented as the file is; None when no single change of indentation leads there."""
    both = [*search, *replace]
    is_telling = sum(tells(line) for line in search) >= FEWEST_TELLING
    for spelled in (both, respelled(both, there)):
        if spelled is None:
            continue
        was, now = spelled[: len(search)], spelled[len(search) :]
        old, new = shared_indent(was), shared_indent(there)
        if old != new and not is_telling:
            continue
        moved = _moved(was, old, new)
        if moved is not None and all(mine.rstrip() == line.rstrip() for mine, line in zip(moved, there, strict=True)):
            after = _moved(now, old, new)
            if after is not None:
                return tuple(moved), tuple(after)
    return None


def _moved(lines: Sequence[str], old: str, new: str) -> list[str] | None:
    """The lines with the indentation `new` for `old`, further ones by as much; None when one has too little."""
    more, less = (new[: len(new) - len(old)], "") if new.endswith(old) else ("", old)
    if old.endswith(new) and old != new:
        more, less = "", old[: len(old) - len(new)]
    elif not new.endswith(old):
        more = new
    moved = []
    for line in lines:
        if line.strip() and not line.startswith(less):
            return None
        moved.append(more + line[len(less) :] if line.strip() else line)
    return moved


def _by_anchors(file: Sequence[str], search: Sequence[str], replace: Sequence[str]) -> Iterator[Spot]:
    """Places that begin and end as the edit does, and in which all that it changes stands as it says.

    What the edit leaves as it is may differ, a little; merging then keeps the file's lines.
    """
    if sum(bool(line.strip()) for line in search) < FEWEST_ANCHORED:
        return
    stripped = [line.strip() for line in file]
    first, last = search[0].strip(), search[-1].strip()
    if not first or not last:
        return
    starts = [at for at, line in enumerate(stripped) if line == first]
    if len(starts) > MOST_PLACES:
        return
    for start in starts:
        for length in range(max(len(search) - MOST_MORE, 2), len(search) + MOST_MORE + 1):
            end = start + length
            if end <= len(file) and stripped[end - 1] == last:
                spot = _anchored(file, start, end, search, replace)
                if spot is not None:
                    yield spot


def _anchored(file: Sequence[str], start: int, end: int, search: Sequence[str], replace: Sequence[str]) -> Spot | None:
    there = file[start:end]
    old, new = indent(search[0]), indent(there[0])
    was, now = _moved(search, old, new), _moved(replace, old, new)
    if was is None or now is None:
        return None
    mine, theirs, after = ([line.rstrip() for line in lines] for lines in (was, there, now))
    steps = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    kept = sum(last - first for tag, first, last, _, _ in steps if tag == "equal")
    if kept < LEAST_ALIKE * max(len(mine), len(theirs)):
        return None
    told = [line for line in mine if tells(line)]
    if sum(tells(line) for tag, a, b, _, _ in steps if tag == "equal" for line in mine[a:b]) < LEAST_TELLING * len(
        told
    ):
        return None
    if not all(_drifted(mine[a:b], theirs[c:d], after) for tag, a, b, c, d in steps if tag != "equal"):
        return None
    return Spot(start, end, How.ANCHORED, tuple(was), tuple(now))


def _drifted(mine: Sequence[str], theirs: Sequence[str], after: Sequence[str]) -> bool:
    """Whether lines differ as those of one place do: each was changed a little, or is as the edit will have it."""
    if all(line in after for line in theirs) and not any(line in after for line in mine if line.strip()):
        return True
    return len(mine) == len(theirs) and all(
        SequenceMatcher(None, one, other, autojunk=False).ratio() >= LEAST_ALIKE_LINE and _adds(one, other)
        for one, other in zip(mine, theirs, strict=True)
    )


def _adds(one: str, other: str) -> bool:
    """Whether one line has all words of the other: with another name in it, it may be a line of another place."""
    ours, theirs = Counter(_WORD.findall(one)), Counter(_WORD.findall(other))
    return ours <= theirs or theirs <= ours


def _rivals(file: Sequence[str], spot: Spot) -> list[Spot]:
    """Other places that have so many of the edit's lines that they may be meant, though more has changed in them."""
    wanted = [line.strip() for line in spot.search]
    stripped = [line.strip() for line in file]
    length = len(wanted)
    needed = LEAST_RIVAL * sum(bool(line) for line in wanted)
    return [
        Spot(at, at + length, How.ANCHORED, spot.search, spot.replace)
        for at in range(len(file) - length + 1)
        if not (at < spot.end and spot.start < at + length)
        and sum(bool(one) and one == other for one, other in zip(wanted, stripped[at : at + length], strict=True))
        >= needed
    ]


def bodies(lines: Sequence[str]) -> list[str]:
    """The lines without their ends."""
    return [body(line) for line in lines]
