"""Which definition of a project may call which, and under which conditions, as far as names and layout tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rubber_duck.code.edges import KINDS, LIKELY, OPTIONAL, CallGraph, CallKind, Definition, Edges, Gathering
from rubber_duck.code.graph import GraphFile
from rubber_duck.code.guards import UNGUARDED, Guard, guards, is_inline_choice
from rubber_duck.code.scopes import CALLABLE, CLASSES, Scopes
from rubber_duck.code.symbols import ReferenceKind, Symbol

MOST_CHOICES: Final = 60
"""A name that so many definitions bear, without a sign of which is meant, ties nothing to nothing."""

_FROM_OUTSIDE: Final = 3
"""How unsure it is that a base from outside calls a method: as one of so many that a name could mean."""

_GOT: Final = re.compile(r"""\b(?:getattr|hasattr|attrgetter|methodcaller)\((?:[^,()]+,\s*)?["'](\w+)["']""")
_NAMED: Final = re.compile(r"([A-Za-z_$][\w$]*)\s*(\(\s*\)|\[[^\[\]]*\])?\s*(?:\?|!)?\.\s*$")
_WORD: Final = re.compile(r"\w+")
_SPECIAL: Final = re.compile(r"__\w+__|constructor|setUp|tearDown|setup_method|teardown_method|setup|teardown")
_KINDS: Final = CALLABLE | CLASSES
_BESIDE: Final = frozenset({"setUp", "tearDown", "setup_method", "teardown_method", "setUpClass", "setup_class"})
_CALL, _MENTION, _HOLDS, _FIXTURE = map(KINDS.index, CallKind)


def call_graph(files: Mapping[str, GraphFile], texts: Mapping[str, str]) -> CallGraph:
    """The calls between the definitions of `files`, path → file; `texts` are their contents.

    Names are looked up as the language does where that is possible (scopes, imports, `self`, annotations, plain
    assignments); any other method that is called is taken to be each one of that name. Functions that are mentioned
    count as called, since most are mentioned in order to be called.
    """
    scopes = Scopes(files, texts)
    edges = Edges()
    numbers = {UNGUARDED: 0}
    fixtures = _fixtures(scopes, files)
    prepared = _all_prepared(scopes, files)
    for path, file in files.items():
        found = Gathering(edges, numbers)
        _of_file(scopes, path, file, texts.get(path, ""), found)
        _held(scopes, path, file, found)
        for source, target, line in prepared.get(path, ()):
            found.add(source, target, (line, _FIXTURE, 1, 0), 0)
        for source, target, line in fixtures.get(path, ()):
            if not found.has(source, target):
                found.add(source, target, (line, _FIXTURE, 1, 0), 0)
        found.close()
    return CallGraph(tuple(scopes.definitions_as(Definition)), edges, scopes.numbers)


def _of_file(scopes: Scopes, path: str, file: GraphFile, text: str, found: Gathering) -> None:
    lines = text.split("\n")
    guarded = guards(lines)
    numbers: dict[int, int] = {}
    seen: set[tuple[int, str, str, int]] = set()
    for name, kind, line, column in file.symbols.references.places():
        if kind is ReferenceKind.IMPORT or not scopes.is_defined(name):
            continue
        source = scopes.innermost(path, line)
        written = lines[line - 1] if line <= len(lines) else ""
        receiver = _receiver(written, column) if "." in written else None
        guard = _number(found, numbers, guarded[line - 1]) if line <= len(guarded) else 0
        site = (source, name, receiver or "", guard)
        if site in seen:
            continue
        seen.add(site)
        targets, likely = scopes.meant(path, source, name, receiver)
        if len(targets) > MOST_CHOICES:
            targets = [each for each in targets if each in likely]
        if not targets:
            continue
        is_call = kind is ReferenceKind.CALL or kind is ReferenceKind.JSX
        place = (line, _CALL if is_call else _MENTION, len(likely) or len(targets), guard)
        optional = OPTIONAL if is_inline_choice(written, column) else 0
        for target in targets:
            found.add(source, target, place, optional | LIKELY if target in likely else optional)
    _got(scopes, path, (text, lines, guarded), found)


def _number(found: Gathering, numbers: dict[int, int], guard: Guard) -> int:
    """The guard's number; `numbers` are known by identity, because to compare guards takes longer."""
    number = numbers.get(id(guard))
    if number is None:
        number = numbers[id(guard)] = found.number(guard)
    return number


def _got(scopes: Scopes, path: str, code: tuple[str, Sequence[str], Sequence[Guard]], found: Gathering) -> None:
    """Attributes that are got by a name in quotes."""
    text, lines, guarded = code
    if "getter(" not in text and "attr(" not in text and "caller(" not in text:
        return
    for number, line in enumerate(lines, 1):
        for name in _GOT.findall(line) if "getter(" in line or "attr(" in line or "caller(" in line else ():
            source = scopes.innermost(path, number)
            targets, _ = scopes.meant(path, source, name, "")
            for target in targets if len(targets) <= MOST_CHOICES else ():
                guard = found.number(guarded[number - 1])
                found.add(source, target, (number, _MENTION, len(targets), guard), 0)


def _receiver(line: str, column: int) -> str | None:
    """What stands before the dot: a name, `name()` for what it returns, `` for anything else; None without a dot."""
    before = line[: column - 1].rstrip()
    if not before.endswith("."):
        return None
    named = _NAMED.search(before)
    if named is None:
        return ""
    return named[1] + ("()" if (named[2] or "").startswith("(") else "")


def _held(scopes: Scopes, path: str, file: GraphFile, found: Gathering) -> None:
    """What a definition holds: a function its inner ones, a class its special methods and those it inherits."""
    for symbol in file.symbols.symbols:
        number = scopes.numbers.get((path, symbol.qualified_name))
        if number is None or symbol.kind not in _KINDS:
            continue
        if symbol.parent is not None:
            outer = file.symbols.symbols[symbol.parent]
            holder = scopes.numbers.get((path, outer.qualified_name))
            if holder is not None and outer.kind in CALLABLE:
                found.add(holder, number, (symbol.line, _HOLDS, 1, 0), 0)
        if symbol.kind in CLASSES:
            for target in (*scopes.classes.special_methods(number, _SPECIAL), *scopes.classes.bases.get(number, ())):
                found.add(number, target, (symbol.line, _HOLDS, 1, 0), 0)
            for target in scopes.classes.called_from_outside(number):
                found.add(number, target, (symbol.line, _HOLDS, _FROM_OUTSIDE, 0), 0)


def _prepares(symbol: Symbol) -> bool:
    """Whether it runs before or after the tests beside it without being called."""
    return symbol.name in _BESIDE or any("autouse" in each for each in symbol.decorators)


def _all_prepared(scopes: Scopes, files: Mapping[str, GraphFile]) -> Mapping[str, Sequence[tuple[int, int, int]]]:
    """Path of a test → (the test, what runs beside it, line of that)."""
    found: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for path, file in files.items():
        for symbol in file.symbols.symbols:
            if symbol.kind not in CALLABLE or not _prepares(symbol):
                continue
            target = scopes.numbers[path, symbol.qualified_name]
            for where, name in scopes.below(path, file.symbols.symbols, symbol.parent):
                source = scopes.numbers.get((where, name))
                if source is not None and name.rpartition(".")[2].startswith("test"):
                    found[where].append((source, target, symbol.line))
    return found


def _fixtures(scopes: Scopes, files: Mapping[str, GraphFile]) -> Mapping[str, Sequence[tuple[int, int, int]]]:
    """pytest: a parameter of a test or a fixture that is called as a fixture is; by path of the former."""
    fixtures: defaultdict[str, list[tuple[str, Symbol]]] = defaultdict(list)
    found: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for path, file in files.items():
        for symbol in file.symbols.symbols:
            if symbol.kind in CALLABLE and any("fixture" in each for each in symbol.decorators):
                fixtures[_fixture_name(symbol)].append((path, symbol))
    for path, file in files.items() if fixtures else ():
        for symbol in file.symbols.symbols:
            if symbol.kind not in CALLABLE or not (symbol.name.startswith("test") or _is_fixture(symbol)):
                continue
            source = scopes.numbers[path, symbol.qualified_name]
            asked = " ".join([symbol.signature, *(each for each in symbol.decorators if "usefixtures" in each)])
            for name in dict.fromkeys(_WORD.findall(asked)):
                nearest = _nearest(path, fixtures.get(name, ()))
                if nearest is not None:
                    target = scopes.numbers[nearest[0], nearest[1].qualified_name]
                    found[path].append((source, target, symbol.line))
    return found


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
