"""What belongs to what in a project: members of classes and modules, parents, parameters, result types."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from rubber_duck.code.symbols import KINDS, FileSymbols, ReferenceKind, Symbol, SymbolKind

MEMBER, PARENT, PARAMETER, RESULT = range(4)
"""What a relation says: the second is a member, a parent, a parameter (in their order), a type of the result of the
first. A module has its top-level names as members, under the last part of its own name."""

Relations: TypeAlias = "array[int]"
"""Triples (relation, first, second) of numbers in a vocabulary, one after the other."""

_OWNERS: Final = frozenset(
    {
        SymbolKind.CLASS,
        SymbolKind.ENUM,
        SymbolKind.INTERFACE,
        SymbolKind.MODULE,
        SymbolKind.NAMESPACE,
        SymbolKind.PROTOCOL,
        SymbolKind.STRUCT,
        SymbolKind.TYPE,
    }
)
_WHOLE: Final = frozenset({"__init__", "index", "mod", "main"})
_MOST_MEMBERS: Final = 400
_MOST_KNOWN: Final = 500
_DEEPEST: Final = 8
_MOST_ANCESTORS: Final = 16
_WRITE: Final = KINDS.index(ReferenceKind.WRITE)
_WORD: Final = re.compile(r"[^\W\d][\w$]*+[?!]?")
_PARAMETER: Final = re.compile(r"\s*(?:\*{1,2}|\.{3}|(?:public|private|protected|readonly)\s+)*([^\W\d][\w$]*+)")
_PARENTS: Final = re.compile(r"\bextends\s+([^{]+?)(?:\bimplements\b|$)|^class\s+\w+\s*\(([^)]*)\)")
_TYPE_PARAMETERS: Final = re.compile(r"<[^<>]*>")


def relations(found: FileSymbols, path: str, number: Callable[[str], int | None]) -> Relations:
    """The relations of one file's facts. `number` gives those of names; what has none is left out."""
    triples = array("i")

    def add(relation: int, first: str, second: str) -> None:
        a, b = number(first), number(second)
        if a is not None and b is not None and a != b:
            triples.extend((relation, a, b))

    module = _module(path)
    for symbol in found.symbols:
        owner = None if symbol.parent is None else found.symbols[symbol.parent]
        if owner is None:
            add(MEMBER, module, _last(symbol.name))
        elif owner.kind in _OWNERS:
            add(MEMBER, _last(owner.name), _last(symbol.name))
        _add_head(symbol, add)
    if path.rpartition("/")[2].partition(".")[0] in _WHOLE:
        for edge in found.imports:
            for imported in edge.names:
                add(MEMBER, module, imported.alias or imported.name)
    for owner_name, name in _assigned(found):
        add(MEMBER, owner_name, name)
    return triples


class RelationTable:
    """All relations of a project; a relation counts as long as one file has it."""

    def __init__(self) -> None:
        self._seconds: tuple[dict[int, dict[int, int]], ...] = ({}, {}, {}, {})
        self._known: dict[int, frozenset[int]] = {}

    def add(self, triples: Relations) -> None:
        """Count a file's relations."""
        self._known.clear()
        for relation, first, second in _triples(triples):
            seconds = self._seconds[relation].setdefault(first, {})
            seconds[second] = seconds.get(second, 0) + 1

    def remove(self, triples: Relations) -> None:
        """No longer count relations that `add` was given."""
        self._known.clear()
        for relation, first, second in _triples(triples):
            seconds = self._seconds[relation].get(first, {})
            if seconds.get(second, 0) > 1:
                seconds[second] -= 1
            else:
                seconds.pop(second, None)

    def owners(self) -> Iterable[int]:
        """All names under which something has members."""
        return self._seconds[MEMBER]

    def is_owner(self, name: int) -> bool:
        """Whether something has members under this name."""
        return name in self._seconds[MEMBER]

    def is_closed(self, owner: int) -> bool:
        """Whether all that it is derived from is known, so that it has no members but those that are known."""
        due, seen = [owner], {owner}
        for each in due:
            if not self.is_owner(each) or len(seen) > _MOST_ANCESTORS:
                return False
            above = [parent for parent in self._seconds[PARENT].get(each, {}) if parent not in seen]
            seen.update(above)
            due += above
        return True

    def members(self, owner: int) -> frozenset[int]:
        """What can stand after `owner` and a dot: its own members and those of its parents."""
        found = self._known.get(owner)
        if found is None:
            gathered: dict[int, int] = {}
            due, seen = [owner], {owner}
            for _ in range(_DEEPEST):
                parents: list[int] = []
                for each in due:
                    gathered |= self._seconds[MEMBER].get(each, {})
                    parents += self._seconds[PARENT].get(each, {})
                due = [each for each in parents if each not in seen]
                seen.update(due)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[owner] = frozenset(list(gathered)[:_MOST_MEMBERS])
        return found

    def parents(self, owner: int) -> tuple[int, ...]:
        """The names it is derived from."""
        return tuple(self._seconds[PARENT].get(owner, ()))

    def parameters(self, function: int) -> tuple[int, ...]:
        """What a function of that name takes, or a class and its parents to be made; in the order of declaration."""
        found = dict.fromkeys(self._seconds[PARAMETER].get(function, ()))
        for parent in self.parents(function):
            found |= dict.fromkeys(self._seconds[PARAMETER].get(parent, ()))
        return tuple(found)

    def result(self, function: int) -> int:
        """A type with members that the function gives, or 0."""
        return next((each for each in self._seconds[RESULT].get(function, ()) if self.is_owner(each)), 0)


def owners(triples: Relations) -> set[int]:
    """The names that have members by these relations."""
    return {first for relation, first, _ in _triples(triples) if relation == MEMBER}


def _triples(flat: Relations) -> Iterator[tuple[int, int, int]]:
    return zip(flat[::3], flat[1::3], flat[2::3], strict=True)


def _add_head(symbol: Symbol, add: Callable[[int, str, str], None]) -> None:
    name = _last(symbol.name)
    signature = symbol.signature
    if symbol.kind in _OWNERS:
        declared = _PARENTS.search(signature)
        for part in (declared[1] or declared[2] or "").split(",") if declared else ():
            words = _WORD.findall(_TYPE_PARAMETERS.sub("", part))
            if words and "=" not in part:
                add(PARENT, name, words[-1])
    elif symbol.arity is not None:
        called = name if name not in ("__init__", "constructor") else symbol.qualified_name.split(".")[-2:][0]
        for parameter in _parameters(signature):
            if parameter not in ("self", "cls", "this"):
                add(PARAMETER, called, parameter)
    if symbol.type_hint:
        for word in _WORD.findall(symbol.type_hint)[:3]:
            add(RESULT, name, word)


def _parameters(signature: str) -> Iterator[str]:
    """The names of the parameters in a head such as `def f(self, a, b: int = 3)`."""
    start = signature.find("(")
    if start < 0:
        return
    depth, begun = 0, start + 1
    for at in range(start, len(signature)):
        character = signature[at]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and character == ","):
            found = _PARAMETER.match(signature[begun:at])
            if found:
                yield found[1]
            begun = at + 1
            if depth == 0:
                return


def _assigned(found: FileSymbols) -> Iterator[tuple[str, str]]:
    """(class, attribute) for each `self.attribute = …`, which is no definition to the syntax."""
    references = found.references
    if "self" not in references.names:
        return
    classes = [symbol for symbol in found.symbols if symbol.kind == SymbolKind.CLASS]
    if not classes:
        return
    starts = [symbol.start_line for symbol in classes]
    receiver = references.names.index("self")
    seen: set[tuple[int, int]] = set()
    indexes, offsets, kinds = references.name_indexes, references.offsets, references.kinds
    for at in range(len(indexes) - 1):
        if kinds[at + 1] == _WRITE and indexes[at] == receiver and offsets[at + 1] == offsets[at] + 5:
            line = bisect_right(references.line_starts, offsets[at])
            place = bisect_right(starts, line) - 1
            while place >= 0 and classes[place].end_line < line:
                place -= 1
            if place >= 0 and (place, indexes[at + 1]) not in seen:
                seen.add((place, indexes[at + 1]))
                yield classes[place].name, references.names[indexes[at + 1]]


def _module(path: str) -> str:
    """The last part of the name under which others import the file at `path`."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in _WHOLE and folder else stem


def _last(name: str) -> str:
    return name.rpartition(".")[2]
