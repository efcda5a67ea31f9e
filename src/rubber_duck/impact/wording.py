"""What tests and definitions have in common in words: names, conditions, bodies, files."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from rubber_duck.code.calls import CallGraph, CallKind, Definition
from rubber_duck.impact.reach import Matrix

_TOKEN: Final = re.compile(r"[^\W\d]\w*")
_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_CALLERS: Final = 6
_FREQUENT: Final = """
self cls def return if else elif for in not is none true false and or class import from as with test tests assert
the a an of to it be at by on str int this const let var function new do end
"""
_SILENT: Final = frozenset(_FREQUENT.split())


class Wording:
    """The words of a project's definitions. `texts`: path → content."""

    def __init__(self, graph: CallGraph, texts: Mapping[str, str]) -> None:
        self._graph = graph
        self._lines = {path: text.split("\n") for path, text in texts.items()}
        self._said: dict[int, frozenset[str]] = {}
        self._callees: dict[int, list[int]] = {}
        self._callers: dict[int, list[tuple[int, tuple[str, ...]]]] = {}
        for edge in graph.edges:
            self._callees.setdefault(edge.source, []).append(edge.target)
            if edge.kind in (CallKind.CALL, CallKind.MENTION):
                self._callers.setdefault(edge.target, []).append((edge.source, edge.guard.conditions))

    def body(self, number: int) -> str:
        """The text of a definition."""
        definition = self._graph.definitions[number]
        return "\n".join(self._lines.get(definition.path, [])[definition.start_line - 1 : definition.end_line])

    def said(self, number: int) -> frozenset[str]:
        """The tokens of a test and of what it calls beside it: fixtures, functions and classes of its own file."""
        known = self._said.get(number)
        if known is not None:
            return known
        definition = self._graph.definitions[number]
        beside = [number]
        for each in self._callees.get(number, ()):
            called = self._graph.definitions[each]
            if called.name and (called.path == definition.path or called.path.endswith("conftest.py")):
                beside.append(each)
        self._said[number] = frozenset(token for each in beside for token in _TOKEN.findall(self.body(each)))
        return self._said[number]

    def trigger(self, number: int) -> frozenset[str]:
        """The words of the conditions below which a definition is called, and of the names of what calls it."""
        found: set[str] = set()
        callers = self._callers.get(number, [])
        for caller, conditions in callers[:_CALLERS]:
            for condition in conditions:
                found |= words(condition)
            if len(callers) <= _CALLERS:
                found |= words(self._graph.definitions[caller].short_name)
        return frozenset(found)


@lru_cache(maxsize=100_000)
def words(text: str) -> frozenset[str]:
    """The words in a text: the parts of its identifiers in lower case, without those that every program has."""
    parts = (part.lower() for token in _TOKEN.findall(text) for part in _PART.findall(token))
    return frozenset(part for part in parts if len(part) > 1 and part not in _SILENT)


def overlap(
    asked: Sequence[frozenset[str]], said: Sequence[frozenset[str]], rows: Sequence[int] | None = None
) -> Matrix:
    """For each of `said` (rows) and `asked` (columns): the share of it that is said, rare words counting more.

    0 where nothing is asked. With `rows` only for those of `said`; how rare a word is, all of them tell.
    """
    numbers = {word: at for at, word in enumerate(sorted(frozenset().union(*asked)))}
    shown = said if rows is None else [said[row] for row in rows]
    if not numbers:
        return np.zeros((len(shown), len(asked)), dtype=np.float32)
    often = Counter(word for each in said for word in each & numbers.keys())
    rarity = np.array([math.log(1 + len(said) / (1 + often[word])) for word in numbers], dtype=np.float32)
    wanted = _indicator(asked, numbers) * rarity
    total = wanted.sum(axis=1)
    shared = _indicator(shown, numbers) @ wanted.T
    shared /= np.where(total > 0, total, 1)
    return shared.astype(np.float32)


def _indicator(sets: Sequence[frozenset[str]], numbers: Mapping[str, int]) -> Matrix:
    matrix = np.zeros((len(sets), len(numbers)), dtype=np.float32)
    for row, each in enumerate(sets):
        known = [numbers[word] for word in each if word in numbers]
        matrix[row, known] = 1
    return matrix


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
