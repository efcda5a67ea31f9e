"""Where snippets come from: the project's files, what was found in them, its index and its history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rubber_duck.code.symbols import FileSymbols
from rubber_duck.errors import DuckError
from rubber_duck.search.hits import Hit
from rubber_duck.workspace.paths import Root


@dataclass(frozen=True, slots=True)
class Ask:
    """What the context is for: a place in a file, a question, or both.

    - `path` relative to the root, `line` and `column` 1-based, 0 when no place is meant. `query` in people's words.
    - `budget_tokens`: what the text may have in all.
    """

    path: str = ""
    line: int = 0
    column: int = 0
    query: str = ""
    budget_tokens: int = 4000


class Sources:
    """What a strategy may look at. Only files in `facts` are read: what the project ignores is not among them.

    - `facts`: path → what is in it. `imports`: path → the files it imports. `find` searches the project.
    - `age_days`: how long ago a file was changed.
    """

    def __init__(
        self,
        root: Root,
        facts: Mapping[str, FileSymbols],
        imports: Mapping[str, Sequence[str]],
        find: Callable[[str, int], Awaitable[Sequence[Hit]]],
        age_days: Callable[[str], float],
    ) -> None:
        self.root = root
        self.facts = facts
        self.imports = imports
        self.find = find
        self.age_days = age_days
        self._lines: dict[str, tuple[str, ...]] = {}

    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of a file of the project without their ends; none when it is not one, or cannot be read."""
        if path not in self._lines:
            self._lines[path] = self._read(path) if path in self.facts else ()
        return self._lines[path]

    @cached_property
    def importers(self) -> Mapping[str, Sequence[str]]:
        """Path → the files that import it, sorted."""
        found: dict[str, list[str]] = {}
        for source in sorted(self.imports):
            for target in self.imports[source]:
                found.setdefault(target, []).append(source)
        return found

    @cached_property
    def definers(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Name → (path, index of the symbol) of every definition, by path."""
        found: dict[str, list[tuple[str, int]]] = {}
        for path in sorted(self.facts):
            for index, symbol in enumerate(self.facts[path].symbols):
                found.setdefault(symbol.name, []).append((path, index))
        return found

    def _read(self, path: str) -> tuple[str, ...]:
        try:
            content = self.root.open_bytes(path, 20_000_000)
        except DuckError:
            return ()  # it went away since it was listed: then it has nothing to say
        return tuple(content.decode("utf-8", "replace").splitlines())
