"""What tests and definitions have in common in words: names, conditions, bodies, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from rubber_duck.code.edges import Definition
from rubber_duck.errors import InvalidInput
from rubber_duck.impact.spoken import Spoken
from rubber_duck.impact.tests import Test
from rubber_duck.impact.weighed import Weighed

Keep: TypeAlias = Callable[[str, Callable[[], bytes]], bytes]
"""Gives what the function makes, or what it made before for the same files under that name."""

_TOKEN: Final = re.compile(r"[^\W\d]\w*")
_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_FORMAT: Final = 1
"""The version of what is kept: other words of the same files need another one."""

_CALLERS: Final = 6
_FREQUENT: Final = """
self cls def return if else elif for in not is none true false and or class import from as with test tests assert
the a an of to it be at by on str int this const let var function new do end
"""
_SILENT: Final = frozenset(_FREQUENT.split())


def at_once(kind: str, make: Callable[[], bytes]) -> bytes:
    """Keeps nothing."""
    del kind
    return make()


@dataclass(frozen=True, slots=True)
class Said:
    """What each test says: its tokens as written, their parts in lower case, and the words of its name and its file."""

    tokens: Spoken
    words: Spoken
    titles: Spoken
    files: Spoken


class Wording:
    """The words of a project's definitions. `texts`: path → content; `keep` keeps what comes from all of them."""

    def __init__(self, graph: Weighed, texts: Mapping[str, str], tests: Sequence[Test], keep: Keep = at_once) -> None:
        self._graph = graph
        self._lines = {path: text.split("\n") for path, text in texts.items()}
        names = [graph.definitions[test.definition].name for test in tests]
        tokens = _kept(keep, "tokens", lambda: [self._tokens(test.definition) for test in tests])

        def parted() -> list[frozenset[str]]:
            return [parts(each) | words(test.name) for each, test in zip(tokens.texts(), tests, strict=True)]

        self.tests = Said(
            tokens,
            _kept(
                keep,
                "words",
                lambda: [parts(each) | words(test.name) for each, test in zip(tokens.texts(), tests, strict=True)],
            ),
            Spoken([words(name) for name in names]),
            Spoken([file_words(test.path) for test in tests]),
        )
        """What the tests say."""

    def body(self, number: int) -> str:
        """The text of a definition."""
        definition = self._graph.definitions[number]
        lines = self._lines.get(definition.path, [])
        return "\n".join("\n".join(lines[first - 1 : last]) for first, last in definition.stretches)

    def _tokens(self, number: int) -> frozenset[str]:
        """The tokens of a test and of what it calls beside it: fixtures, functions and classes of its own file."""
        definition = self._graph.definitions[number]
        beside = [number]
        for each in self._graph.targets[self._graph.out_of(number)].tolist():
            called = self._graph.definitions[each]
            if called.name and (called.path == definition.path or called.path.endswith("conftest.py")):
                beside.append(each)
        return frozenset(token for each in beside for token in _TOKEN.findall(self.body(each)))

    def trigger(self, number: int) -> frozenset[str]:
        """The words of the conditions below which a definition is called, and of the names of what calls it."""
        found: set[str] = set()
        edges = self._graph.into([number])
        edges = edges[self._graph.is_spoken[edges]]
        for edge in edges[:_CALLERS].tolist():
            for condition in self._graph.guards[self._graph.guard_numbers[edge]].conditions:
                found |= words(condition)
            if len(edges) <= _CALLERS:
                found |= words(self._graph.definitions[self._graph.sources[edge]].short_name)
        return frozenset(found)


def _kept(keep: Keep, kind: str, say: Callable[[], Sequence[frozenset[str]]]) -> Spoken:
    content = keep(f"{kind} {_FORMAT}", lambda: Spoken(say()).written())
    try:
        return Spoken.read(content)
    except InvalidInput:  # what was kept cannot be read any more
        return Spoken(say())


@lru_cache(maxsize=100_000)
def words(text: str) -> frozenset[str]:
    """The words in a text: the parts of its identifiers in lower case, without those that every program has."""
    parts = (part.lower() for token in _TOKEN.findall(text) for part in _PART.findall(token))
    return frozenset(part for part in parts if len(part) > 1 and part not in _SILENT)


def parts(tokens: Iterable[str]) -> frozenset[str]:
    """The words in tokens."""
    return frozenset().union(*map(words, tokens))


def file_words(path: str) -> frozenset[str]:
    """The words of a file's name, and of its folder where the name says nothing."""
    *folders, name = path.split("/")
    stem = name.partition(".")[0]
    said = words(stem)
    return said if said and stem != "__init__" else words(folders[-1] if folders else "")


def own_name(definition: Definition) -> str:
    """The name by which others mention a definition: of a special method its class."""
    short = definition.short_name
    return definition.owner.rpartition(".")[2] if short.startswith("__") and short.endswith("__") else short
