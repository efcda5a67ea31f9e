"""Compares what names mean before and after a change, by the tables that Python's own compiler makes.

libcst says which names to change; this says whether that was right, and shares no code with it. In each scope every
name must belong to the scope that it belonged to, and be used as it was, under its old or its new name.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import Refused

_KNOWN: Final = frozenset(dir(builtins)) | {"__file__", "__path__", "__annotations__", "__builtins__"}
_GLOBAL: Final = 0
_OUTSIDE: Final = -1


@dataclass(frozen=True, slots=True)
class _Use:
    """A name in a scope: whose it is (the number of a scope, -1 for what no scope defines), and how it is used."""

    name: str
    owner: int
    flags: tuple[bool, ...]


def require_same(path: str, before: str, after: str, renamed: tuple[str, str]) -> None:
    """Raise Refused unless both texts bind the same, but for `renamed` (old, new)."""
    first, second = _tables(path, before), _tables(path, after)
    if len(first) != len(second):
        raise Refused(f"'{path}' would have other scopes afterwards, so nothing is changed")
    old, new = renamed
    old_uses, new_uses = list(_uses(first)), list(_uses(second))
    owners = {each.owner for uses in old_uses for each in uses if each.name == old}
    left = {each.owner for uses in new_uses for each in uses if each.name == old}
    moved = {owner for owner in owners if owner not in left and owner != _OUTSIDE}
    if any(each.name == new and each.owner in moved for uses in old_uses for each in uses):
        raise Refused(f"{new!r} is taken already where {old!r} is known in '{path}'")
    if moved and _falls_back(path, before, first, renamed):
        raise Refused(f"the body of a class in '{path}' may mean the {old!r} outside of it until it has one of its own")
    for was, now in zip(old_uses, new_uses, strict=True):
        expected = {
            _Use(new, each.owner, each.flags) if each.name == old and each.owner in moved else each for each in was
        }
        if expected != now:
            name = next((each.name for each in sorted(now ^ expected, key=lambda use: use.name)), new)
            raise Refused(
                f"in '{path}' {name!r} would mean something else afterwards: {new!r} is taken there, or shadowed"
            )


def _falls_back(path: str, text: str, tables: list[symtable.SymbolTable], names: tuple[str, str]) -> bool:
    """Whether a class binds one of the names and reads it: its body looks further out until it is bound."""
    changed = {
        node.target.id
        for node in ast.walk(ast.parse(text, path))
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    return any(
        table.lookup(name).is_assigned() and (table.lookup(name).is_referenced() or name in changed)
        for table in tables
        if table.get_type() == "class"
        for name in names
        if name in table.get_identifiers()
    )


def names_in(path: str, text: str) -> frozenset[str]:
    """Every name that some scope of the file binds or reads."""
    return frozenset(name for table in _tables(path, text) for name in table.get_identifiers())


def unknown_names(path: str, text: str) -> frozenset[str]:
    """Names that some scope reads, and that neither the file nor Python defines; none where a star import may.

    Raises Refused where the text does not parse.
    """
    tables = _tables(path, text)
    top = tables[0]
    bound = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if (table is top or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported())
    }
    read = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table is top)
    }
    is_open = any(
        isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(ast.parse(text, path))
    )
    return frozenset() if is_open else frozenset(name for name in read - bound if name not in _KNOWN)


def _tables(path: str, text: str) -> list[symtable.SymbolTable]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file that is read, not of ours
            top = symtable.symtable(text, path, "exec")
    except (SyntaxError, ValueError) as error:
        raise Refused(f"'{path}' is not what this Python parses, so nothing is changed: {error}") from error
    found = [top]
    for table in found:
        found.extend(table.get_children())
    return found


def _uses(tables: list[symtable.SymbolTable]) -> Iterator[frozenset[_Use]]:
    numbers = {table.get_id(): number for number, table in enumerate(tables)}
    parents: dict[int, int] = {}
    for number, table in enumerate(tables):
        for child in table.get_children():
            parents[numbers[child.get_id()]] = number
    for number, table in enumerate(tables):
        yield frozenset(
            _Use(
                symbol.get_name(),
                _owner(tables, parents, number, symbol),
                (
                    symbol.is_referenced(),
                    symbol.is_parameter(),
                    symbol.is_assigned(),
                    symbol.is_imported(),
                    symbol.is_declared_global(),
                    symbol.is_nonlocal(),
                    symbol.is_annotated(),
                    symbol.is_namespace(),
                ),
            )
            for symbol in table.get_symbols()
        )


def _owner(tables: list[symtable.SymbolTable], parents: dict[int, int], number: int, symbol: symtable.Symbol) -> int:
    name = symbol.get_name()
    if symbol.is_free():
        at = parents.get(number, _GLOBAL)
        while at != _GLOBAL:
            table = tables[at]
            if table.get_type() != "class" and name in table.get_identifiers() and not table.lookup(name).is_free():
                return at
            at = parents.get(at, _GLOBAL)
        return _GLOBAL
    if number == _GLOBAL or symbol.is_global():
        top = tables[_GLOBAL]
        known = name in top.get_identifiers() and (top.lookup(name).is_assigned() or top.lookup(name).is_imported())
        made_below = any(
            name in table.get_identifiers()
            and table.lookup(name).is_declared_global()
            and table.lookup(name).is_assigned()
            for table in tables[1:]
        )
        return _GLOBAL if known or made_below else _OUTSIDE
    return number
