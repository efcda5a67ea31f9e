"""Which names a JavaScript or TypeScript pattern binds, and how many parameters a list has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

_NAMES: Final = frozenset({"identifier", "shorthand_property_identifier_pattern"})
_LISTS: Final = frozenset({"object_pattern", "array_pattern", "rest_pattern", "parenthesized_expression"})
_PART: Final = {
    "pair_pattern": "value",
    "assignment_pattern": "left",
    "object_assignment_pattern": "left",
    "member_expression": "property",
    "required_parameter": "pattern",
    "optional_parameter": "pattern",
}


def bound_names(pattern: Node) -> Iterator[Node]:
    """The names that `pattern` binds: `a`, `c`, `d`, `f` of `{a, b: c, ...d}` and `[e.f] = …`."""
    stack: list[Node | None] = [pattern]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        kind = node.type
        if kind in _NAMES or kind in {"property_identifier", "private_property_identifier"}:
            yield node
        elif kind in _LISTS:
            stack.extend(reversed(node.named_children))
        elif kind in _PART:
            stack.append(node.child_by_field_name(_PART[kind]))


def arity(parameters: Node | None) -> tuple[int, int]:
    """How many parameters a list has without a `...rest`, and how many of them must be given."""
    if parameters is None:
        return 0, 0
    if parameters.type != "formal_parameters":  # `x => …`
        return 1, 1
    most = least = 0
    for parameter in parameters.named_children:
        kind = parameter.type
        pattern = parameter.child_by_field_name("pattern") if kind.endswith("_parameter") else parameter
        if kind in {"comment", "ERROR"} or pattern is None or pattern.type in {"rest_pattern", "this"}:
            continue
        most += 1
        has_default = kind == "assignment_pattern" or parameter.child_by_field_name("value") is not None
        least += not has_default and kind != "optional_parameter"
    return most, least
