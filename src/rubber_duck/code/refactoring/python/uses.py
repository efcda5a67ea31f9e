"""Where names stand in a Python file, and as what: binding or read, attribute, keyword, in an import, in a string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import libcst as cst
from libcst.metadata import Scope

from rubber_duck.code.refactoring.python.asked import DYNAMIC
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import owner_of
from rubber_duck.code.refactoring.refactored import Spot


class As(StrEnum):
    """What a name is where it stands."""

    VARIABLE = "variable"
    ATTRIBUTE = "attribute"
    KEYWORD = "keyword"
    TAKEN = "taken"  # `from m import name`
    MODULE = "module"


@dataclass(frozen=True, slots=True)
class Use:
    """One occurrence of a name."""

    node: cst.Name
    kind: As


def uses(module: Module, name: str) -> Iterator[Use]:
    """Every occurrence of `name` outside strings."""
    return iter(_uses(module, name))


@lru_cache(maxsize=4096)
def _uses(module: Module, name: str) -> tuple[Use, ...]:
    return tuple(Use(node, _kind(module, node)) for node in module.every(cst.Name) if node.value == name)


def _kind(module: Module, node: cst.Name) -> As:
    parent = module.parent(node)
    if isinstance(parent, cst.Attribute) and parent.attr is node:
        return As.MODULE if _in_import(module, parent) else As.ATTRIBUTE
    if isinstance(parent, cst.Arg) and parent.keyword is node:
        return As.KEYWORD
    if isinstance(parent, cst.MatchKeywordElement) and parent.key is node:
        return As.ATTRIBUTE
    if isinstance(parent, cst.ImportAlias):
        return As.TAKEN if isinstance(module.parent(parent), cst.ImportFrom) else As.MODULE
    if _in_import(module, node):
        return As.MODULE
    return As.VARIABLE


def _in_import(module: Module, node: cst.CSTNode) -> bool:
    at = module.parent(node)
    while isinstance(at, cst.Attribute):
        at = module.parent(at)
    return isinstance(at, cst.Import | cst.ImportFrom | cst.ImportAlias) and not isinstance(at, cst.AsName)


def variable_nodes(module: Module, scope: Scope, name: str) -> Iterator[cst.Name]:
    """The names that stand for what `scope` calls `name`, without from-imports of it."""
    for use in uses(module, name):
        if use.kind is As.VARIABLE and _owner(module, use.node) is scope:
            yield use.node


def _owner(module: Module, node: cst.Name) -> Scope | None:
    scope = module.scope(node)
    return None if scope is None else owner_of(module, scope, node.value)


def may_be_module(module: Module, node: cst.CSTNode) -> bool:
    """Whether a chain of attributes begins with a name that some import of the file binds."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name) and node.value in _imported(module)


@lru_cache(maxsize=512)
def _imported(module: Module) -> frozenset[str]:
    found = set()
    for alias in module.every(cst.ImportAlias):
        local: cst.BaseExpression = alias.asname.name if alias.asname is not None else alias.name
        while isinstance(local, cst.Attribute):
            local = local.value
        found.add(local.value if isinstance(local, cst.Name) else "")
    return frozenset(found)


def annotation_spans(module: Module, scope: Scope, name: str) -> Iterator[tuple[int, int]]:
    """Where `name` stands in annotations that are written as strings."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    for node in annotation_texts(module):
        found = module.scope(node)
        if found is not None and owner_of(module, found, name) is scope:
            start, _ = module.span(node)
            for match in word.finditer(node.value):
                yield start + match.start(), start + match.end()


def annotation_texts(module: Module) -> Iterator[cst.SimpleString]:
    """The strings that are read as annotations: those in annotations, in casts, and as bounds of type variables."""
    seen: set[cst.SimpleString] = set()
    for scope in {found for found in module.scopes.values() if found is not None}:
        for access in scope.accesses:
            node = access.node
            if isinstance(node, cst.SimpleString) and node not in seen and node in module.places:
                seen.add(node)
                yield node


def spoken(module: Module, name: str, dotted: frozenset[str]) -> Iterator[tuple[cst.SimpleString, bool]]:
    """Strings that may reach something by its name: the string, and whether it names a file, too, as in `a.b.name`.

    `dotted` are the ways to write the module before the name.
    """
    for node in module.every(cst.SimpleString):
        if name not in node.value and "\\" not in node.value:
            continue  # to work its value out would take long
        value = node.evaluated_value
        if not isinstance(value, str) or not value.endswith(name):
            continue
        head, _, last = value.replace(":", ".").rpartition(".")
        if last == name and head and any(head == each or head.startswith(f"{each}.") for each in dotted):
            yield node, True
        elif value == name and called_with(module, node) & DYNAMIC:
            yield node, False


def told(module: Module, name: str) -> Iterator[cst.CSTNode]:
    """Texts, documentation and comments that say `name` as a word."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for node in module.every(cst.CSTNode):  # type: ignore[type-abstract]  # only asked with isinstance
        is_text = isinstance(node, cst.SimpleString | cst.FormattedStringText | cst.Comment)
        if is_text and word.search(getattr(node, "value", "")) and node in module.places:
            yield node


def called_with(module: Module, node: cst.CSTNode) -> frozenset[str]:
    """The last names of what is called, or indexed, with the node as an argument of its own."""
    arg = module.parent(node)
    if isinstance(arg, cst.Index):
        element = module.parent(arg)
        holder = module.parent(element) if element is not None else None
        value = getattr(holder, "value", None)
        if isinstance(value, cst.Call) and _last(value.func) in {"globals", "locals", "vars"}:
            return frozenset({"getattr"})
    if not isinstance(arg, cst.Arg):
        return frozenset()
    call = module.parent(arg)
    names = {_last(call.func)} if isinstance(call, cst.Call) else set()
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and _last(call.func.value):
        names.add(_last(call.func))
    return frozenset(names - {""})


def _last(node: cst.CSTNode) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def all_list_spans(module: Module, name: str) -> Iterator[tuple[int, int]]:
    """Where `__all__` of the file says `name`."""
    for node in module.every(cst.SimpleString):
        if (name not in node.value and "\\" not in node.value) or node.evaluated_value != name:
            continue
        if not _is_in_all(module, node):
            continue
        start, _ = module.span(node)
        at = start + node.value.index(name)
        yield at, at + len(name)


def _is_in_all(module: Module, node: cst.CSTNode) -> bool:
    for around in module.around(node):
        targets: list[cst.CSTNode] = []
        if isinstance(around, cst.Assign):
            targets = [target.target for target in around.targets]
        elif isinstance(around, cst.AnnAssign | cst.AugAssign):
            targets = [around.target]
        if targets:
            return any(isinstance(target, cst.Name) and target.value == "__all__" for target in targets)
        if isinstance(around, cst.BaseStatement) and not isinstance(around, cst.SimpleStatementLine):
            return False
    return False


def spot_of(module: Module, offset: int) -> Spot:
    """The place of an offset."""
    before = module.text[:offset]
    line = before.count("\n") + 1
    return Spot(module.path, line, offset - (before.rfind("\n") + 1) + 1)
