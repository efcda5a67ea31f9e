"""Whether a JavaScript file that has another one as a whole, or loads what it works out, may take a name from it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript_place import is_field
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

LOADS_BY_VALUE: Final = re.compile(r"\b(?:import|require)\s*\(\s*(?:[^\s'\")]|(['\"])[^'\"\n]*\1\s*\+)")
"""Where a file loads another whose path is worked out at run time."""

_DOTTED: Final = frozenset({"nested_identifier", "nested_type_identifier"})
_GIVING: Final = {"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")}


def refuse_through_whole(file: SourceFile, statement: Node, name: str) -> None:
    """Raise Refused where a file that takes a whole module by `statement` may take `name` from it.

    What is read of it behind a dot, between brackets as a text, or in a pattern is known; handed on as a value it is
    not.
    """
    for space in (
        each for each in file.descendants(statement) if each.type in {"namespace_import", "namespace_export"}
    ):
        if space.type == "namespace_export":
            raise Refused(f"'{file.path}' passes on the whole module that has {name!r}")
        local = file.text(space.named_children[-1])
        for node in file.descendants(file.tree.root_node):
            is_it = node.type in {"identifier", "type_identifier", "shorthand_property_identifier"}
            if is_it and file.text(node) == local and not _holds(statement, node):
                _refuse_use(file, node, name)


def loaded_by_value(file: SourceFile, offering: str) -> list[int]:
    """The lines in which a file loads one whose path it works out, and which `offering` may be."""
    return [
        file.position(node.start_byte)[0]
        for node in file.descendants(file.tree.root_node)
        if node.type == "call_expression" and _may_load(file, node, offering)
    ]


def path_in(file: SourceFile, call: Node) -> str | None:
    """The path that `import(…)` or `require(…)` is given as it is; None for one that is worked out."""
    given = _argument(call)
    return file.string_value(given) if given is not None and given.type == "string" else None


def _argument(call: Node) -> Node | None:
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return next((each for each in given if each.type != "comment"), None)


def _may_load(file: SourceFile, call: Node, offering: str) -> bool:
    first = call.child(0)
    given = _argument(call)
    if first is None or given is None or file.text(first) not in {"import", "require"} or given.type == "string":
        return False
    head = _head(file, given)
    if not head:
        return True
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), head.rpartition("/")[0] or "."))
    is_inside = folder == "." or offering.startswith(f"{folder}/")
    return head.startswith(".") and is_inside


def _head(file: SourceFile, given: Node) -> str:
    """What a text that is worked out begins with."""
    while given.type == "binary_expression" and (left := given.child_by_field_name("left")) is not None:
        given = left
    if given.type == "string":
        return file.string_value(given) or ""
    if given.type == "template_string":
        return re.split(r"\$\{|`$", file.text(given)[1:], maxsplit=1)[0]
    return ""


def _refuse_use(file: SourceFile, node: Node, name: str) -> None:
    parent = node.parent
    line, _ = file.position(node.start_byte)
    taken = _taken(file, parent, node) if parent is not None else None
    if taken is None:
        raise Refused(f"line {line} of '{file.path}' hands on the whole module that has {name!r}")
    if name in taken:
        raise Refused(f"line {line} of '{file.path}' reaches {name!r} through the whole module")


def _taken(file: SourceFile, parent: Node, node: Node) -> set[str] | None:
    """The names that are read of a whole module where it is used; None where that cannot be told."""
    if parent.type == "member_expression" and is_field(parent, "object", node):
        named = parent.child_by_field_name("property")
        return {file.text(named)} if named is not None else None
    if parent.type in _DOTTED and parent.named_children[0].id == node.id:
        return {file.text(parent.named_children[-1])}
    if parent.type == "subscript_expression" and is_field(parent, "object", node):
        index = parent.child_by_field_name("index")
        said = file.string_value(index) if index is not None and index.type == "string" else None
        return {said} if said is not None else None
    fields = _GIVING.get(parent.type)
    if fields is None or not is_field(parent, fields[1], node):
        return None
    pattern = parent.child_by_field_name(fields[0])
    return _of_pattern(file, pattern) if pattern is not None and pattern.type == "object_pattern" else None


def _of_pattern(file: SourceFile, pattern: Node) -> set[str] | None:
    found: set[str] = set()
    for each in pattern.named_children:
        key = each.child_by_field_name("key") if each.type == "pair_pattern" else each
        if each.type == "object_assignment_pattern":
            key = each.child_by_field_name("left")
        if key is None or key.type in {"rest_pattern", "computed_property_name"}:
            return None
        if each.type != "comment":
            found.add((file.string_value(key) if key.type == "string" else file.text(key)) or "")
    return found


def _holds(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
