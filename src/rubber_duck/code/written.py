"""What a text says about the classes of its names, read from its lines: `x = Class(…)`, `with Class(…) as x`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAMES: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_ANNOTATED: Final = re.compile(r"([A-Za-z_$][\w$]*)\s*\??:\s*([^,()=]+)")
_MADE: Final = re.compile(r"\b([A-Za-z_$][\w$]*)\s*(?::[^=\n]+)?=\s*(?:await\s+)?(?:new\s+)?([A-Za-z_$][\w.$]*)\(")
_ENTERED: Final = re.compile(r"\bwith\s+([A-Za-z_$][\w.$]*)\(.*\)\s+as\s+([A-Za-z_$][\w$]*)\s*[:,]")


@dataclass(frozen=True, slots=True)
class Given:
    """At `line` (1-based) the name `name` is given what calling `made` gives; not `indented`: at the top of a file."""

    line: int
    name: str
    made: str
    is_indented: bool


class Written:
    """What one file's text gives to names, by line. `content`: the whole text."""

    def __init__(self, content: str) -> None:
        found: list[Given] = []
        if "=" in content or "with" in content:
            for line, text in enumerate(content.split("\n"), 1):
                if "(" not in text:
                    continue
                indented = not text[:1].strip()
                if "=" in text:
                    found += (Given(line, name, made, indented) for name, made in _MADE.findall(text))
                if "with" in text:
                    found += (Given(line, name, made, indented) for made, name in _ENTERED.findall(text))
        self._given = found
        self._lines = [each.line for each in found]

    def within(self, first: int, last: int) -> Iterable[Given]:
        """What is given on the lines `first` … `last`, both inclusive."""
        return self._given[bisect_left(self._lines, first) : bisect_right(self._lines, last)]

    def at_top(self) -> Iterable[Given]:
        """What is given on lines that are not indented."""
        return (each for each in self._given if not each.is_indented)


def annotated(signature: str) -> Iterable[tuple[str, list[str]]]:
    """The parameters of a signature that have an annotation, with the names in it."""
    return ((name, NAMES.findall(annotation)) for name, annotation in _ANNOTATED.findall(signature))
