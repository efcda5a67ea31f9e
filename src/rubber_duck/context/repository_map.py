"""A map of the project within a budget of tokens: the heads of the definitions that the rest of it leans on most."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.symbols import FileSymbols, ReferenceKind, Symbol, SymbolKind
from rubber_duck.context.pagerank import pagerank

DEFINERS: Final = 8
"""A name defined in more files than this says little about where it leads, and is passed over."""

HEAD_CHARACTERS: Final = 120
"""The head of a definition is cut after this many."""

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


def landmarks(
    files: Mapping[str, FileSymbols],
    imports: Mapping[str, Collection[str]],
    *,
    focus: Collection[str] = (),
    mentioned: Collection[str] = (),
) -> list[Landmark]:
    """The definitions of `files` (path → symbols), the most leant on first; equals by path and line.

    A file leans on another as often as it names what is defined there, and less on what it does not import
    (`imports`: path → paths). The ranks are PageRank over the files, handed on to the definitions by the mentions of
    their names. The reader starts in the files in `focus` when there are any, and in those that define a name in
    `mentioned`. What tests name counts a fifth, and what they define is no landmark.
    """
    paths = sorted(files)
    definers: dict[str, set[int]] = defaultdict(set)
    for number, path in enumerate(paths):
        for symbol in _offered(files[path]):
            definers[symbol.name].add(number)
    edges: dict[tuple[int, int], float] = defaultdict(float)
    mentions: dict[tuple[int, str], dict[int, float]] = defaultdict(dict)
    for number, path in enumerate(paths):
        for name, count in _named(files[path]).items():
            found = definers.get(name)
            if found is None or len(found) > DEFINERS:
                continue
            weight = math.sqrt(count) * _worth(name, mentioned) / len(found)
            for target in found - {number}:
                leant = weight if paths[target] in imports.get(path, ()) else weight * _NOT_IMPORTED
                edges[number, target] += leant
                mentions[target, name][number] = leant
    starts = [_FOCUS if path in focus else _start(files[path], mentioned) for path in paths]
    ranks = pagerank(len(paths), edges, starts=starts)
    leaving: dict[int, float] = defaultdict(float)
    for (source, _), weight in edges.items():
        leaving[source] += weight
    ranked = _landmarks(paths, files, ranks, (mentions, leaving))
    return sorted(ranked, key=lambda each: (-each.rank * _boost(each, mentioned), each.path, each.symbol.line))


def draw(
    ranked: Sequence[Landmark], budget_tokens: int, count: Callable[[str], int], *, without: Collection[str] = ()
) -> RepositoryMap:
    """The map of as many landmarks, the first first, as `budget_tokens` hold; `count` counts the tokens of a text.

    Files in `without` are not drawn, as their text is shown whole anyway.
    """
    drawn = [each for each in ranked if each.path not in without and each.rank > 0]
    low, high = 0, len(drawn)
    best = ""
    while low < high:
        middle = (low + high + 1) // 2
        text = _text(drawn[:middle])
        if count(text) <= budget_tokens:
            low, best = middle, text
        else:
            high = middle - 1
    return RepositoryMap(best, tuple(drawn[:low]), count(best) if best else 0, len(drawn) - low)


def _named(found: FileSymbols) -> Counter[str]:
    """How often each name is mentioned, without the mentions that only import it."""
    return Counter(reference.name for reference in found.references if reference.kind is not ReferenceKind.IMPORT)


def _worth(name: str, mentioned: Collection[str]) -> float:
    """How much one mention says: long and composed names more than short ones, private ones little."""
    worth = _MENTIONED if name in mentioned else 1.0
    if name.startswith("_"):
        worth *= _PRIVATE
    if "_" in name.strip("_") or not (name.islower() or name.isupper()):
        return worth * 3.0
    return worth if len(name) >= 8 else worth * 0.3


def _start(found: FileSymbols, mentioned: Collection[str]) -> float:
    return 1.0 + sum(_MENTIONED for symbol in found.symbols if symbol.name in mentioned)


def _landmarks(
    paths: Sequence[str],
    files: Mapping[str, FileSymbols],
    ranks: Sequence[float],
    flow: tuple[Mapping[tuple[int, str], Mapping[int, float]], Mapping[int, float]],
) -> list[Landmark]:
    """Hand each file's rank on to the definitions it names, in the proportion of the mentions."""
    mentions, leaving = flow
    found = []
    for number, path in enumerate(paths):
        seen: set[str] = set()
        for symbol in _offered(files[path]):
            if symbol.name in seen or is_test_path(path):
                continue
            seen.add(symbol.name)
            rank = sum(
                ranks[source] * weight / leaving[source] * (_BY_TESTS if is_test_path(paths[source]) else 1.0)
                for source, weight in mentions.get((number, symbol.name), {}).items()
            )
            found.append(Landmark(path, symbol, rank))
    return found


def _boost(landmark: Landmark, mentioned: Collection[str]) -> float:
    return _MENTIONED if landmark.symbol.name in mentioned else 1.0


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
