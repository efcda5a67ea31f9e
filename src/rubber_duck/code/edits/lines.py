"""Lines as edits see them: cut at line feeds alone, with what ends each, and the indentation that several share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final

_TAB_WIDTHS: Final = (2, 3, 4, 8)


def cut(text: str) -> list[str]:
    """The lines with their ends; form feeds and the like end none. The last may have no end."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def body(line: str) -> str:
    """The line without its end."""
    return line.removesuffix("\n").removesuffix("\r")


def ending(line: str) -> str:
    """What ends the line: a line feed, with a carriage return or without, or nothing."""
    return line[len(body(line)) :]


def usual_ending(lines: Sequence[str]) -> str:
    """What ends most of the lines."""
    returns = sum(line.endswith("\r\n") for line in lines)
    return "\r\n" if returns * 2 > sum(line.endswith("\n") for line in lines) else "\n"


def indent(line: str) -> str:
    """The spaces and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def shared_indent(lines: Iterable[str]) -> str:
    """What every line that is not blank begins with, of spaces and tabs."""
    indents = [indent(line) for line in lines if line.strip()]
    if not indents:
        return ""
    least, most = min(indents), max(indents)  # what these two share, all share
    end = next((at for at, pair in enumerate(zip(least, most, strict=False)) if pair[0] != pair[1]), len(least))
    return least[:end]


def respelled(lines: Sequence[str], like: Sequence[str]) -> list[str] | None:
    """`lines`, indented by spaces, with tabs as in `like`, or the other way round; None when both do the same.

    A tab stands for the step in which the spaces go. None, too, when the spaces do not go in such steps.
    """
    ours, theirs = _spelling(lines), _spelling(like)
    if not ours or not theirs or ours == theirs:
        return None
    width = _step(like if theirs == " " else lines)
    if width is None:
        return None
    if theirs == "\t":
        if any(len(indent(line)) % width for line in lines if line.strip()):
            return None
        return [f"{chr(9) * (len(indent(line)) // width)}{line.lstrip(' ')}" for line in lines]
    return [f"{' ' * (width * len(indent(line)))}{line.lstrip(chr(9))}" for line in lines]


def _spelling(lines: Sequence[str]) -> str:
    """A space or a tab when the lines are indented by that alone; "" otherwise."""
    used = {character for line in lines if line.strip() for character in indent(line)}
    return used.pop() if len(used) == 1 else ""


def _step(lines: Sequence[str]) -> int | None:
    step = reduce(math.gcd, [len(indent(line)) for line in lines if line.strip()], 0)
    return step if step in _TAB_WIDTHS else None
