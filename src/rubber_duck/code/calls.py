"""Which definition of a project may call which, and under which conditions, as far as names and layout tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.code.graph import GraphFile
from rubber_duck.code.guards import UNGUARDED, Guard, guards, is_inline_choice
from rubber_duck.code.scopes import CALLABLE, CLASSES, Scopes
from rubber_duck.code.symbols import Reference, ReferenceKind, Symbol, SymbolKind

MOST_CHOICES: Final = 60
"""A name that so many definitions bear, without a sign of which is meant, ties nothing to nothing."""

_FROM_OUTSIDE: Final = 3
"""How unsure it is that a base from outside calls a method: as one of so many that a name could mean."""

_GOT: Final = re.compile(r"""\b(?:getattr|hasattr|attrgetter|methodcaller)\((?:[^,()]+,\s*)?["'](\w+)["']""")
_NAMED: Final = re.compile(r"([A-Za-z_$][\w$]*)\s*(\(\s*\)|\[[^\[\]]*\])?\s*(?:\?|!)?\.\s*$")
_WORD: Final = re.compile(r"\w+")
_SPECIAL: Final = re.compile(r"__\w+__|constructor|setUp|tearDown|setup_method|teardown_method|setup|teardown")
_KINDS: Final = CALLABLE | CLASSES


class CallKind(StrEnum):
    """How one definition leads to another: it calls or mentions it, holds it, or is given it as a fixture."""

    CALL = "call"
    MENTION = "mention"
    HOLDS = "holds"
    FIXTURE = "fixture"


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, method or class, or with an empty `name` the code of a file outside of all; lines as in Symbol."""

    path: str
    name: str
    kind: SymbolKind
    start_line: int
    end_line: int

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """The qualified name of what it is defined in; empty at the top of a file."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class CallEdge:
    """The definition number `source` may lead to number `target`, at `line` of the source's file.

    `choices`: how many definitions could be meant there, 1 when it is certain. `is_optional`: passed over by an
    operator on the very line. `is_likely`: among several, what stands before the dot speaks for this one.
    """

    source: int
    target: int
    line: int
    kind: CallKind
    choices: int = 1
    guard: Guard = UNGUARDED
    is_optional: bool = False
    is_likely: bool = False


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The definitions of a project, by number, and what may lead from one to another; the surest edge of each pair."""

    definitions: tuple[Definition, ...]
    edges: tuple[CallEdge, ...]
    numbers: Mapping[tuple[str, str], int]
    """(path, qualified name) → number."""


def call_graph(files: Mapping[str, GraphFile], texts: Mapping[str, str]) -> CallGraph:
    """The calls between the definitions of `files`, path → file; `texts` are their contents.

    Names are looked up as the language does where that is possible (scopes, imports, `self`, annotations, plain
    assignments); any other method that is called is taken to be each one of that name. Functions that are mentioned
    count as called, since most are mentioned in order to be called.
    """
    scopes = Scopes(files, texts)
    definitions = tuple(scopes.definitions_as(Definition))
    found: dict[tuple[int, int], CallEdge] = {}
    for path, file in files.items():
        for edge in (*_of_file(scopes, path, file, texts.get(path, "")), *_held(scopes, path, file)):
            known = found.get((edge.source, edge.target))
            if edge.source != edge.target and (known is None or _sureness(edge) > _sureness(known)):
                found[edge.source, edge.target] = edge
    for edge in _fixtures(scopes, files):
        found.setdefault((edge.source, edge.target), edge)
    edges = tuple(sorted(found.values(), key=lambda edge: (edge.source, edge.target)))
    return CallGraph(definitions, edges, scopes.numbers)


def _sureness(edge: CallEdge) -> tuple[float, int]:
    guard = edge.guard
    weight = 0.6 ** (guard.branches + edge.is_optional) * 0.3**guard.rescues * 0.9**guard.exits
    return weight * (1 if edge.is_likely else 1 / edge.choices), -edge.line


def _of_file(scopes: Scopes, path: str, file: GraphFile, text: str) -> Iterator[CallEdge]:
    lines = text.split("\n")
    guarded = guards(lines)
    seen: set[tuple[int, str, str, Guard]] = set()
    for reference in file.symbols.references:
        if reference.kind is ReferenceKind.IMPORT or not scopes.is_defined(reference.name):
            continue
        source = scopes.innermost(path, reference.line)
        line = lines[reference.line - 1] if reference.line <= len(lines) else ""
        receiver = _receiver(line, reference)
        guard = guarded[reference.line - 1] if reference.line <= len(guarded) else UNGUARDED
        if (source, reference.name, receiver or "", guard) in seen:
            continue
        seen.add((source, reference.name, receiver or "", guard))
        targets, likely = scopes.meant(path, source, reference.name, receiver)
        if len(targets) > MOST_CHOICES:
            targets = [each for each in targets if each in likely]
        is_call = reference.kind in (ReferenceKind.CALL, ReferenceKind.JSX)
        for target in targets:
            yield CallEdge(
                source,
                target,
                reference.line,
                CallKind.CALL if is_call else CallKind.MENTION,
                choices=len(likely) or len(targets),
                guard=guard,
                is_optional=is_inline_choice(line, reference.column),
                is_likely=target in likely,
            )
    yield from _got(scopes, path, lines, guarded)


def _got(scopes: Scopes, path: str, lines: Sequence[str], guarded: Sequence[Guard]) -> Iterator[CallEdge]:
    """Attributes that are got by a name in quotes."""
    for number, line in enumerate(lines, 1):
        for name in _GOT.findall(line) if "getter(" in line or "attr(" in line or "caller(" in line else ():
            source = scopes.innermost(path, number)
            targets, _ = scopes.meant(path, source, name, "")
            for target in targets if len(targets) <= MOST_CHOICES else ():
                guard = guarded[number - 1]
                yield CallEdge(source, target, number, CallKind.MENTION, choices=len(targets), guard=guard)


def _receiver(line: str, reference: Reference) -> str | None:
    """What stands before the dot: a name, `name()` for what it returns, `` for anything else; None without a dot."""
    before = line[: reference.column - 1].rstrip()
    if not before.endswith("."):
        return None
    named = _NAMED.search(before)
    if named is None:
        return ""
    return named[1] + ("()" if (named[2] or "").startswith("(") else "")


def _held(scopes: Scopes, path: str, file: GraphFile) -> Iterator[CallEdge]:
    """What a definition holds: a function its inner ones, a class its special methods and those it inherits."""
    for index, symbol in enumerate(file.symbols.symbols):
        number = scopes.numbers.get((path, symbol.qualified_name))
        if number is None or symbol.kind not in _KINDS:
            continue
        if symbol.parent is not None:
            outer = file.symbols.symbols[symbol.parent]
            holder = scopes.numbers.get((path, outer.qualified_name))
            if holder is not None and outer.kind in CALLABLE:
                yield CallEdge(holder, number, symbol.line, CallKind.HOLDS)
        if symbol.kind in CLASSES:
            for target in scopes.special_methods(number, _SPECIAL):
                yield CallEdge(number, target, symbol.line, CallKind.HOLDS)
            inherited = scopes.called_from_outside(number)
            for target in inherited:
                yield CallEdge(number, target, symbol.line, CallKind.HOLDS, choices=_FROM_OUTSIDE)
            for base in scopes.bases(number):
                yield CallEdge(number, base, symbol.line, CallKind.HOLDS)
        elif _prepares(symbol):
            yield from _prepared(scopes, path, file.symbols.symbols, index)


def _prepares(symbol: Symbol) -> bool:
    """Whether it runs before or after the tests beside it without being called."""
    named = symbol.name in {"setUp", "tearDown", "setup_method", "teardown_method", "setUpClass", "setup_class"}
    return named or any("autouse" in each for each in symbol.decorators)


def _prepared(scopes: Scopes, path: str, symbols: Sequence[Symbol], index: int) -> Iterator[CallEdge]:
    symbol = symbols[index]
    target = scopes.numbers[path, symbol.qualified_name]
    for path_of_test, name in scopes.below(path, symbols, symbol.parent):
        source = scopes.numbers.get((path_of_test, name))
        if source is not None and name.rpartition(".")[2].startswith("test"):
            yield CallEdge(source, target, symbol.line, CallKind.FIXTURE)


def _fixtures(scopes: Scopes, files: Mapping[str, GraphFile]) -> Iterator[CallEdge]:
    """pytest: a parameter of a test or a fixture that is called as a fixture is."""
    fixtures: defaultdict[str, list[tuple[str, Symbol]]] = defaultdict(list)
    for path, file in files.items():
        for symbol in file.symbols.symbols:
            if symbol.kind in CALLABLE and any("fixture" in each for each in symbol.decorators):
                fixtures[_fixture_name(symbol)].append((path, symbol))
    if not fixtures:
        return
    for path, file in files.items():
        for symbol in file.symbols.symbols:
            if symbol.kind not in CALLABLE or not (symbol.name.startswith("test") or _is_fixture(symbol)):
                continue
            source = scopes.numbers[path, symbol.qualified_name]
            asked = " ".join([symbol.signature, *(each for each in symbol.decorators if "usefixtures" in each)])
            for name in dict.fromkeys(_WORD.findall(asked)):
                nearest = _nearest(path, fixtures.get(name, ()))
                if nearest is not None:
                    target = scopes.numbers[nearest[0], nearest[1].qualified_name]
                    if target != source:
                        yield CallEdge(source, target, symbol.line, CallKind.FIXTURE)


def _is_fixture(symbol: Symbol) -> bool:
    return any("fixture" in each for each in symbol.decorators)


def _fixture_name(symbol: Symbol) -> str:
    for decorator in symbol.decorators:
        given = re.search(r"name\s*=\s*['\"](\w+)['\"]", decorator) if "fixture" in decorator else None
        if given:
            return given[1]
    return symbol.name


def _nearest(path: str, candidates: Iterable[tuple[str, Symbol]]) -> tuple[str, Symbol] | None:
    """The fixture in the same file, or in the conftest.py that is nearest above, or any."""

    def distance(candidate: tuple[str, Symbol]) -> tuple[int, int]:
        where = candidate[0]
        if where == path:
            return (0, 0)
        folder, _, name = where.rpartition("/")
        above = path.startswith(f"{folder}/" if folder else "")
        return (1 if above and name.startswith("conftest") else 2, -len(folder))

    return min(candidates, key=distance, default=None)
