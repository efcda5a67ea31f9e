"""A map of the project within a budget of tokens: the heads of the definitions that the rest of it leans on most."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rubber_duck.code.symbols import KINDS, FileSymbols, ReferenceKind, Symbol, SymbolKind
from rubber_duck.context.pagerank import Edges, pagerank

DEFINERS: Final = 8
"""A name defined in more files than this says little about where it leads, and is passed over."""

HEAD_CHARACTERS: Final = 120
"""The head of a definition is cut after this many."""

LEAST_TOKENS: Final = 3
"""No landmark is drawn in fewer tokens: its margin and head, and the end of the line."""

_IMPORT: Final = KINDS.index(ReferenceKind.IMPORT)
_TEST_PATH: Final = re.compile(r"(?:^|/)(?:tests?|__tests__|specs?)/|(?:^|[/_.-])(?:tests?|spec)(?:[_.-][^/]*)?$")
_SHOWN: Final = frozenset(
    (
        *(SymbolKind.CLASS, SymbolKind.INTERFACE, SymbolKind.PROTOCOL, SymbolKind.IMPLEMENTATION, SymbolKind.STRUCT),
        *(SymbolKind.ENUM, SymbolKind.TYPE, SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.PROPERTY),
        *(SymbolKind.MACRO, SymbolKind.GUARD, SymbolKind.CALLBACK, SymbolKind.MODULE, SymbolKind.NAMESPACE),
    )
)
_BY_TESTS: Final = 0.2
_NOT_IMPORTED: Final = 0.1
_PRIVATE: Final = 0.1
_FOCUS: Final = 50.0
_MENTIONED: Final = 10.0


@dataclass(frozen=True, slots=True)
class Landmark:
    """One definition, how much leans on it (all ranks sum to at most 1), and the file where it stands."""

    path: str
    symbol: Symbol
    rank: float


@dataclass(frozen=True, slots=True)
class RepositoryMap:
    """A map as text, what it shows, and how many landmarks there were no tokens left for."""

    text: str
    landmarks: tuple[Landmark, ...]
    tokens: int
    left_out: int


class Ground:
    """What a map is drawn from: which file names what another one defines. Made once for a state of the project.

    A file leans on another as often as it names what is defined there, and less on what it does not import
    (`imports`: path → paths). What tests define is no landmark.
    """

    def __init__(self, files: Mapping[str, FileSymbols], imports: Mapping[str, Collection[str]]) -> None:
        self._paths = sorted(files)
        self._symbols: list[tuple[int, Symbol]] = []
        self._numbers: dict[str, list[int]] = defaultdict(list)
        """Name → the numbers of its definitions among `_symbols`, at most one a file."""
        self._defined: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(self._paths):
            offered = {symbol.name: symbol for symbol in reversed([*_offered(files[path])])}
            for name, symbol in sorted(offered.items(), key=lambda each: each[1].line):
                self._numbers[name].append(len(self._symbols))
                self._symbols.append((number, symbol))
        for number, path in enumerate(self._paths):
            for symbol in files[path].symbols:
                self._defined[symbol.name].append(number)
        self._is_test = np.array([is_test_path(path) for path in self._paths], dtype=bool)
        rows = [row for number, path in enumerate(self._paths) for row in self._leaning(number, files[path], imports)]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
        self._source = table[:, 0].astype(np.int64)
        self._leant_on = table[:, 1].astype(np.int64)
        self._weight = table[:, 2]
        self._file_of = np.array([number for number, _ in self._symbols], dtype=np.int64)

    def landmarks(
        self, *, focus: Collection[str] = (), mentioned: Collection[str] = (), most: int | None = None
    ) -> list[Landmark]:
        """The definitions of the project, the most leant on first, `most` at the most; equals by path and line.

        The ranks are PageRank over the files, handed on to the definitions by the mentions of their names. The reader
        starts in the files in `focus` when there are any, and in those that define a name in `mentioned`. What tests
        name counts a fifth.
        """
        if not self._symbols:
            return []
        asked = np.zeros(len(self._symbols), dtype=bool)
        starts = np.ones(len(self._paths))
        for name in mentioned:
            asked[self._numbers.get(name, [])] = True
            for number in self._defined.get(name, ()):
                starts[number] += _MENTIONED
        weight = self._weight * np.where(asked[self._leant_on], _MENTIONED, 1.0)
        starts[[number for number, path in enumerate(self._paths) if path in set(focus)]] = _FOCUS
        edges = Edges(self._source, self._file_of[self._leant_on], weight)
        flow = pagerank(len(self._paths), edges, starts=starts.tolist())[self._source] * weight
        leaving = np.bincount(self._source, weight, minlength=len(self._paths))
        flow *= np.where(self._is_test[self._source], _BY_TESTS, 1.0) / leaving[self._source]
        ranks = np.bincount(self._leant_on, flow, minlength=len(self._symbols))
        ranks[self._is_test[self._file_of]] = -1.0
        order = np.argsort(-ranks * np.where(asked, _MENTIONED, 1.0), kind="stable")
        shown = [at for at in order.tolist() if ranks[at] >= 0][:most]
        return [Landmark(self._paths[self._symbols[at][0]], self._symbols[at][1], float(ranks[at])) for at in shown]

    def _leaning(
        self, number: int, found: FileSymbols, imports: Mapping[str, Collection[str]]
    ) -> Iterator[tuple[int, int, float]]:
        """(file, landmark, weight) for whatever the file names that is defined elsewhere."""
        imported = set(imports.get(self._paths[number], ()))
        for name, count in _named(found).items():
            landmarks = self._numbers.get(name)
            if landmarks is None or len(landmarks) > DEFINERS:
                continue
            weight = math.sqrt(count) * _worth(name) / len(landmarks)
            for landmark in landmarks:
                target = self._symbols[landmark][0]
                if target != number:
                    leant = weight if self._paths[target] in imported else weight * _NOT_IMPORTED
                    yield number, landmark, leant


def draw(
    ranked: Sequence[Landmark], budget_tokens: int, count: Callable[[str], int], *, without: Collection[str] = ()
) -> RepositoryMap:
    """The map of as many landmarks, the first first, as `budget_tokens` hold; `count` counts the tokens of a text.

    Files in `without` are not drawn, as their text is shown whole anyway.
    """
    drawn = [each for each in ranked if each.path not in without and each.rank > 0]
    low, high = 0, min(len(drawn), max(budget_tokens, 0) // LEAST_TOKENS)
    best = ""
    while low < high:
        middle = (low + high + 1) // 2
        text = _text(drawn[:middle])
        if count(text) <= budget_tokens:
            low, best = middle, text
        else:
            high = middle - 1
    return RepositoryMap(best, tuple(drawn[:low]), count(best) if best else 0, len(drawn) - low)


def _named(found: FileSymbols) -> dict[str, int]:
    """How often each name is mentioned, without the mentions that only import it."""
    references = found.references
    kinds = np.frombuffer(references.kinds, dtype=np.uint8)
    indexes = np.frombuffer(references.name_indexes, dtype=np.uint32)
    counts = np.bincount(indexes[kinds != _IMPORT], minlength=len(references.names)).tolist()
    return {name: count for name, count in zip(references.names, counts, strict=True) if count}


def _worth(name: str) -> float:
    """How much one mention says: long and composed names more than short ones, private ones little."""
    worth = _PRIVATE if name.startswith("_") else 1.0
    if "_" in name.strip("_") or not (name.islower() or name.isupper()):
        return worth * 3.0
    return worth if len(name) >= 8 else worth * 0.3


def _offered(found: FileSymbols) -> Iterator[Symbol]:
    """What other files may lean on: definitions, without those inside a function."""
    for symbol in found.symbols:
        above = None if symbol.parent is None else found.symbols[symbol.parent]
        if symbol.kind in _SHOWN and (above is None or above.arity is None):
            yield symbol


def is_test_path(path: str) -> bool:
    """Whether the file's name or a folder's says that it holds tests."""
    return _TEST_PATH.search(path) is not None


def _text(drawn: Sequence[Landmark]) -> str:
    """File by file in the order of their best landmark; definitions by line, with the classes around them."""
    by_path: dict[str, list[Symbol]] = defaultdict(list)
    for each in drawn:
        by_path[each.path].append(each.symbol)
    lines: list[str] = []
    for path, symbols in by_path.items():
        lines.append(f"{path}:\n")
        lines += [_line(symbol) for symbol in sorted(symbols, key=lambda symbol: symbol.line)]
    return "".join(lines)


def _line(symbol: Symbol) -> str:
    head = symbol.signature or symbol.name
    if len(head) > HEAD_CHARACTERS:
        head = f"{head[: HEAD_CHARACTERS - 1]}…"
    owner, _, _ = symbol.qualified_name.rpartition(".")
    return f"  {head}{f'  # in {owner}' if owner and symbol.parent is not None else ''}\n"
