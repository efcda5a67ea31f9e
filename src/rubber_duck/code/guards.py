"""Under which conditions a line runs, read from the layout: what the lines say that it is indented below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEAD: Final = re.compile(
    r"\s*(?:[})\]]\s*)?(async\s+)?(?:(if|elsif|elif|else\s+if|unless|case|when|match|switch|cond)\b|(else|default)\b"
    r"|(except|catch|rescue)\b|(for|while|until)\b|(?:export\s+)?(?:default\s+)?(def|defp|defmacro|class|function)\b)"
)
_LEAVES: Final = re.compile(r"(?:^|[\s;{:])(?:return|raise|throw|continue|break)\b")
_INLINE: Final = re.compile(r"\b(?:if|and|or|else|for)\b|&&|\|\||\?\?|\?(?=[^.])")
_TAB: Final = 8
_STARTS: Final = frozenset(["as", "if", "el", "ex", "un", "ca", "co", "cl", "wh", "ma", "sw", "de", "re", "fo", "fu"])
_EXITS: Final = ("return", "raise", "throw", "continue", "break")
"""What lines begin with, or hold, that are worth matching."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How a line is guarded within its definition.

    - `branches`, `rescues`, `loops`: how many conditions, handlers of errors and loops it is indented below.
    - `exits`: conditional blocks before it, beside it or beside what it is in, that leave the definition or the loop.
    - `conditions`: the text of those conditions, outermost first.
    """

    branches: int = 0
    rescues: int = 0
    loops: int = 0
    exits: int = 0
    conditions: tuple[str, ...] = ()


UNGUARDED: Final = Guard()


@dataclass(slots=True)
class _Block:
    """An open block: its indentation, what guards the lines in it, and whether it leaves what it is in."""

    indent: int
    guard: Guard
    kind: str
    condition: str = ""
    leaves: bool = False
    exits: int = 0


def guards(lines: Sequence[str]) -> list[Guard]:
    """The guard of each line, by its index; a block with a head of several lines counts from the first."""
    found: list[Guard] = []
    blocks = [_Block(-1, UNGUARDED, "def")]
    for line in lines:
        stripped = line.strip()
        if not stripped:
            found.append(blocks[-1].guard)
            continue
        indent = _indent(line)
        closes = stripped[0] in ")]}"
        last = None
        while len(blocks) > 1 and (blocks[-1].indent > indent or (blocks[-1].indent == indent and not closes)):
            last = blocks.pop()
            _leave(last, blocks[-1])
        found.append(_with_exits(blocks[-1]))
        head = _HEAD.match(line) if closes or stripped[:2] in _STARTS else None
        if head is not None:
            _enter(line, head, (indent, last), blocks)
        elif not closes:
            blocks.append(_Block(indent, _with_exits(blocks[-1]), ""))
        if any(map(line.__contains__, _EXITS)) and _LEAVES.search(line):
            blocks[-1].leaves = True
    return found


def is_inline_choice(line: str, column: int) -> bool:
    """Whether something at the 1-based `column` of a line may be passed over: `a and b()`, `b() if a else c`."""
    return _INLINE.search(line[: column - 1]) is not None or " if " in line[column - 1 :]


def _enter(line: str, head: re.Match[str], at: tuple[int, _Block | None], blocks: list[_Block]) -> None:
    """`at`: the line's indentation, and the block that has just ended."""
    indent, last = at
    inside = _with_exits(blocks[-1])
    _, branch, otherwise, rescue, loop, definition = head.groups()
    condition = line[head.end() :].strip()
    same = last if last is not None and last.indent == indent and last.kind == "if" else None
    if definition:
        blocks.append(_Block(indent, UNGUARDED, "def"))
    elif branch or otherwise:
        if otherwise and same is not None:
            condition = same.condition
        guard = Guard(inside.branches + 1, inside.rescues, inside.loops, inside.exits, (*inside.conditions, condition))
        blocks.append(_Block(indent, guard, "if", condition))
    elif rescue:
        guard = Guard(inside.branches, inside.rescues + 1, inside.loops, inside.exits, (*inside.conditions, condition))
        blocks.append(_Block(indent, guard, "rescue", condition))
    elif loop:
        guard = Guard(inside.branches, inside.rescues, inside.loops + 1, inside.exits, inside.conditions)
        blocks.append(_Block(indent, guard, "loop", condition))


def _leave(block: _Block, outer: _Block) -> None:
    """What is known of the block around it once a block has ended."""
    if block.leaves and block.kind == "if":
        outer.exits += 1
    elif block.leaves and block.kind != "def":
        outer.leaves = True


def _with_exits(block: _Block) -> Guard:
    guard = block.guard
    if not block.exits:
        return guard
    return Guard(guard.branches, guard.rescues, guard.loops, guard.exits + block.exits, guard.conditions)


def _indent(line: str) -> int:
    width = len(line) - len(line.lstrip(" "))
    if line[width] != "\t":
        return width
    width = 0
    for character in line:
        if character == " ":
            width += 1
        elif character == "\t":
            width += _TAB - width % _TAB
        else:
            break
    return width
