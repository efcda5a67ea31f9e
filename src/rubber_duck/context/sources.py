"""Where snippets come from: the project's files, what was found in them, its index and its history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rubber_duck.code.decoding import lines_of
from rubber_duck.code.language import family_at
from rubber_duck.context.picture import Picture
from rubber_duck.errors import DuckError
from rubber_duck.search.hits import Hit
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import looks_binary


@dataclass(frozen=True, slots=True)
class Ask:
    """What the context is for: a place in a file, a question, or both.

    - `path` relative to the root, `line` and `column` 1-based, 0 when no place is meant. `query` in people's words.
    - `budget_tokens`: what the text may have in all. `before_tokens` and `after_tokens`: what the text before and after
      the place may have of it at the most. `is_alone`: neither rules files nor the map are told with it.
    """

    path: str = ""
    line: int = 0
    column: int = 0
    query: str = ""
    budget_tokens: int = 4000
    before_tokens: int = 1500
    after_tokens: int = 500
    is_alone: bool = False


class Sources:
    """What a strategy may look at. Only files of the `picture` are read: what the project ignores is not among them.

    - `find` searches the project: a question and how many hits at the most.
    """

    def __init__(self, root: Root, picture: Picture, find: Callable[[str, int], Awaitable[Sequence[Hit]]]) -> None:
        self.root = root
        self.picture = picture
        self.facts = picture.facts
        self.imports = picture.imports
        self.find = find
        self._lines: dict[str, tuple[str, ...]] = {}

    @property
    def count(self) -> int:
        """How many files were read."""
        return len(self._lines)

    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of a file of the project without their ends; none when it is not one, or cannot be read as text."""
        if path not in self._lines:
            self._lines[path] = self._read(path) if path in self.picture.changed_ns else ()
        return self._lines[path]

    def _read(self, path: str) -> tuple[str, ...]:
        try:
            content = self.root.open_bytes(path, 20_000_000)
        except DuckError:
            return ()  # it went away since it was listed: then it has nothing to say
        if looks_binary(content):
            return ()
        return lines_of(content, family_at(path, content))
