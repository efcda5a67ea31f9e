"""The patterns of one ignore file, arranged so that a name is looked up rather than tried against each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rubber_duck.workspace.globs import Glob, expression, parse

_ENDING: Final = re.compile(r"\*(\.[^.*?\[\\]+)")  # `*.pyc`: one dictionary look-up


class Patterns:
    """Lines in .gitignore syntax; the last one that matches decides.

    `source` says where they stand, for people. `wildcards` is the number of patterns that cost a comparison
    with every name, the rest are look-ups.
    """

    __slots__ = ("_files", "_folders", "_negated", "source", "wildcards")

    def __init__(self, lines: Iterable[str], source: str) -> None:
        self.source = source
        globs = [glob for glob in map(parse, lines) if glob is not None]
        self._negated = [glob.negated for glob in globs]
        self._folders = _Table(enumerate(globs))
        self._files = _Table((index, glob) for index, glob in enumerate(globs) if not glob.folders_only)
        self.wildcards = self._folders.wildcards

    def __len__(self) -> int:
        return len(self._negated)

    def leaves_out(self, path: str, name: str, *, folder: bool) -> bool | None:
        """Whether `path` is left out, or None when no pattern says anything about it.

        `path` is relative to where the patterns stand, `name` its last component. What lies in a folder that is
        left out is left out too: that is the caller's to know.
        """
        found = (self._folders if folder else self._files).last(path, name)
        return None if found < 0 else not self._negated[found]

    def cover(self, path: str) -> bool:
        """Whether the file `path`, or a folder that it lies in, is left out."""
        parts = path.split("/")
        folders = ("/".join(parts[:count]) for count in range(1, len(parts)))
        if any(self.leaves_out(folder, folder.rpartition("/")[2], folder=True) for folder in folders):
            return True
        return bool(self.leaves_out(path, parts[-1], folder=False))


class _Table:
    """Patterns by the cheapest way to find them; each value is the pattern's place in its file."""

    __slots__ = ("_endings", "_names", "_paths", "_wild_names", "_wild_paths", "wildcards")

    def __init__(self, globs: Iterable[tuple[int, Glob]]) -> None:
        self._names: dict[str, int] = {}
        self._paths: dict[str, int] = {}
        self._endings: dict[str, int] = {}
        names: list[tuple[int, str]] = []
        paths: list[tuple[int, str]] = []
        for index, glob in globs:
            if glob.is_literal:
                (self._paths if glob.anchored else self._names)[glob.text] = index
            elif not glob.anchored and (ending := _ENDING.fullmatch(glob.text)):
                self._endings[ending[1]] = index
            else:
                (paths if glob.anchored else names).append((index, expression(glob)))
        self.wildcards = len(names) + len(paths)
        self._wild_names = _Alternatives(names)
        self._wild_paths = _Alternatives(paths)

    def last(self, path: str, name: str) -> int:
        """The place of the last pattern that matches, or -1."""
        best = self._names.get(name, -1)
        if self._endings:
            dot = name.rfind(".")
            if dot >= 0:
                best = max(best, self._endings.get(name[dot:], -1))
        if self._paths:
            best = max(best, self._paths.get(path, -1))
        best = self._wild_names.last(name, best)
        return self._wild_paths.last(path, best)


class _Alternatives:
    """Expressions tried as one first, because most names match none of them."""

    __slots__ = ("_any", "_each", "_expressions")

    def __init__(self, expressions: list[tuple[int, str]]) -> None:
        self._expressions = expressions
        self._any: re.Pattern[str] | None = None
        self._each: list[tuple[int, re.Pattern[str]]] = []

    def last(self, text: str, best: int) -> int:
        """The place of the last expression that matches `text` and stands after `best`; else `best`."""
        if not self._expressions:
            return best
        if self._any is None:
            self._compile()
        if self._any is None or self._any.match(text) is None:
            return best
        for index, pattern in reversed(self._each):
            if index <= best:
                break
            if pattern.match(text) is not None:
                return index
        return best

    def _compile(self) -> None:
        """Compiled at first use: many an ignore file stands beside files it never meets."""
        self._any = re.compile("|".join(f"(?:{text})" for _, text in self._expressions), re.DOTALL)
        self._each = [(index, re.compile(text, re.DOTALL)) for index, text in self._expressions]
