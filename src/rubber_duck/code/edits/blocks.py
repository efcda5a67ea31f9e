"""Reads search/replace blocks, as aider and others ask models to write them, out of any text.

    path/to/file.py
    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE

The name may stand before or behind the fence, on it, or behind the first marker; the fence may be missing, closed too
early or not at all; further blocks for the same file need not repeat the name. See https://aider.chat/docs/more/edit-formats.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.edits.edit import Misread, Reading, Replace
from rubber_duck.code.edits.names import fence, is_same_file, path_in, paths_within

_OPEN: Final = re.compile(r"(\s*)(<{5,9})\s*(?:SEARCH|ORIGINAL)\b>?\s*(.*?)\s*$")
_MIDDLE: Final = re.compile(r"\s*(={5,9})\s*$")
_CLOSE: Final = re.compile(r"\s*(>{5,9})\s*(?:REPLACE|UPDATED)\b\s*(?:`{3,}|~{3,})?\s*$")
_LOOKBACK_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class _Block:
    """Line numbers from 0: the first marker, the middle ones, the end of the new lines, and what follows it."""

    opened: int
    middles: tuple[int, ...]
    closed: int | None
    after: int


def read_blocks(lines: Sequence[str]) -> Reading:
    """The blocks in `lines`, which have no line ends; what begins like one and does not end is misread."""
    edits: list[Replace] = []
    misread: list[Misread] = []
    path = ""
    last = 0
    for block in _found(lines):
        named = _named(lines, block.opened, last)
        path = path if named is None else named
        last = block.after
        why = _wrong(block) or ("" if path else _SEVERAL if named == "" else "no file is named above it")
        middle = _divider(lines, block)
        if why or middle is None or block.closed is None:
            misread.append(Misread(block.opened + 1, why or _TWICE))
            continue
        inside = lines[block.opened + 1 : middle]
        indent = _indent(lines[block.opened], (*inside, *lines[middle + 1 : block.closed]))
        edits.append(
            Replace(
                path,
                _text(inside, indent),
                _text(lines[middle + 1 : block.closed], indent),
                block.opened + 1,
            )
        )
    return Reading(tuple(edits), tuple(misread))


_SEVERAL: Final = "several files are named above it; name the one that is meant alone on the line before"
_TWICE: Final = "it has several lines of ======= of which each could be the one between old and new"


def _found(lines: Sequence[str]) -> Iterable[_Block]:
    opened: int | None = None
    middles: list[int] = []
    for number, line in enumerate(lines):
        if _OPEN.match(line):
            if opened is not None:
                yield _unclosed(lines, opened, middles, number)
            opened, middles = number, []
        elif opened is not None and _MIDDLE.match(line):
            middles.append(number)
        elif opened is not None and _CLOSE.match(line):
            yield _closed(lines, opened, middles, number)
            opened = None
    if opened is not None:
        yield _unclosed(lines, opened, middles, len(lines))


def _closed(lines: Sequence[str], opened: int, middles: Sequence[int], closed: int) -> _Block:
    """A second ======= right before the last marker is a slip, and belongs to it."""
    ends_twice = len(middles) > 1 and not any(line.strip() for line in lines[middles[-1] + 1 : closed])
    if ends_twice and not _underlines(lines, opened, middles[-1]):
        return _Block(opened, tuple(middles[:-1]), middles[-1], closed + 1)
    return _Block(opened, tuple(middles), closed, closed + 1)


def _underlines(lines: Sequence[str], opened: int, middle: int) -> bool:
    """Whether a line of equals signs may be content: it is as long as the line above it, or not as the markers are."""
    marker = _OPEN.match(lines[opened])
    length = len(lines[middle].strip())
    return (
        marker is None
        or length != len(marker[2])
        or (len(lines[middle - 1].strip()) == length != 0 and not (_MIDDLE.match(lines[middle - 1])))
    )


def _unclosed(lines: Sequence[str], opened: int, middles: Sequence[int], end: int) -> _Block:
    """A second ======= stands for the last marker where nothing of the file can follow: before a fence or a gap."""
    if len(middles) == 2:
        behind = lines[middles[1] + 1] if middles[1] + 1 < end else ""
        if not behind.strip() or fence(behind):
            return _Block(opened, (middles[0],), middles[1], middles[1] + 1)
    return _Block(opened, tuple(middles), None, opened + 1)


def _wrong(block: _Block) -> str:
    if block.closed is None:
        return "the block does not end with >>>>>>> REPLACE"
    return "" if block.middles else "the block has no line of ======= between old and new"


def _divider(lines: Sequence[str], block: _Block) -> int | None:
    """The line between old and new; where content has such lines too, the one as long as the markers. Else None."""
    if len(block.middles) == 1:
        return block.middles[0]
    opening = _OPEN.match(lines[block.opened])
    length = len(opening[2]) if opening else 0
    alike = [each for each in block.middles if len(lines[each].strip()) == length]
    return alike[0] if len(alike) == 1 else None


def _named(lines: Sequence[str], opened: int, last: int) -> str | None:
    """The file named at the marker or in the lines right above it, not before the line `last`.

    None when no file is named; "" when several are, and it is not clear which is meant.
    """
    marker = _OPEN.match(lines[opened])
    behind = path_in(marker[3]) if marker and marker[3] else ""
    if behind:
        return behind
    alone: list[str] = []
    told: frozenset[str] = frozenset()
    seen = fences = 0
    for number in range(opened - 1, last - 1, -1):
        line = lines[number]
        if not line.strip():
            continue
        opens = fence(line)
        if opens and fences and seen:
            break  # the end of another code block
        found = path_in(line)
        if found and not told:
            return found
        alone += [found] if found else []
        fences += 1 if opens else 0
        seen += 0 if opens else 1
        if not opens and not found and not told:
            told = paths_within(line)
        if seen >= _LOOKBACK_LINES:
            break
    return _meant(told, alone)


def _meant(told: frozenset[str], alone: Sequence[str]) -> str | None:
    """Of the files that a sentence tells of, the one that also stands alone on a line; else the only one."""
    if not told:
        return None
    both = {name for name in alone if any(is_same_file(name, each) for each in told)}
    if len(both) == 1:
        return both.pop()
    return next(iter(told)) if len(told) == 1 and not alone else ""


def _indent(marker: str, content: Iterable[str]) -> str:
    """What stands before the marker and before all of the content: a block within a list item is indented."""
    indent = marker[: len(marker) - len(marker.lstrip())]
    return indent if indent and all(line.startswith(indent) for line in content if line.strip()) else ""


def _text(lines: Sequence[str], indent: str) -> str:
    return "".join(f"{line.removeprefix(indent) if indent else line}\n" for line in lines)
