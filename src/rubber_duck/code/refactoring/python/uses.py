"""Where names stand in a Python file, and as what: binding or read, attribute, keyword, in an import, in a string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import libcst as cst
from libcst.metadata import Scope

from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.project import owner_of
from rubber_duck.code.refactoring.refactored import Spot

DYNAMIC: Final = frozenset(
    {
        "getattr",
        "setattr",
        "hasattr",
        "delattr",
        "attrgetter",
        "methodcaller",
        "object",
        "__getattribute__",
        "import_module",
        "__import__",
        "eval",
        "exec",
        "patch",
        "setitem",
        "delitem",
    }
)
"""Calls that reach something by the text of its name."""


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
    for node in module.every(cst.Name):
        if node.value == name:
            yield Use(node, _kind(module, node))


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
        value = node.evaluated_value
        if not isinstance(value, str) or not value.endswith(name):
            continue
        head, _, last = value.replace(":", ".").rpartition(".")
        if last == name and head and any(head == each or head.startswith(f"{each}.") for each in dotted):
            yield node, True
        elif value == name and called_with(module, node) & DYNAMIC:
            yield node, False


def formed(module: Module, name: str) -> Iterator[cst.BaseExpression]:
    """Texts put together at run time, with a part that is written out, that reach something and may come to `name`."""
    for call in module.every(cst.Call):
        if _last(call.func) not in DYNAMIC:
            continue
        for arg in call.args:
            pattern = _pattern(arg.value)
            if len(pattern.replace(".*", "")) > 1 and re.fullmatch(pattern, name, re.DOTALL):
                yield arg.value


def _pattern(value: cst.BaseExpression) -> str:
    """What a text that is made at run time looks like; "" for what is written out, or not put together."""
    if isinstance(value, cst.FormattedString):
        parts = [re.escape(each.value) if isinstance(each, cst.FormattedStringText) else ".*" for each in value.parts]
        return "".join(parts)
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        sides = (value.left, value.right)
        texts = [each.evaluated_value if isinstance(each, cst.SimpleString) else None for each in sides]
        if any(isinstance(text, str) for text in texts):
            return "".join(re.escape(text) if isinstance(text, str) else ".*" for text in texts)
    return ""


def told(module: Module, name: str) -> Iterator[cst.CSTNode]:
    """Texts, documentation and comments that say `name` as a word."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for node in module.every(cst.CSTNode):  # type: ignore[type-abstract]  # only asked with isinstance
        is_text = isinstance(node, cst.SimpleString | cst.FormattedStringText | cst.Comment)
        if is_text and node in module.places and word.search(getattr(node, "value", "")):
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
        if node.evaluated_value != name or not _is_in_all(module, node):
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
