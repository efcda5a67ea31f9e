"""Which names a Python assignment target binds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

_PATTERNS = frozenset(
    {
        "pattern_list",
        "tuple_pattern",
        "list_pattern",
        "list_splat_pattern",
        "dictionary_splat_pattern",
        "expression_list",
        "tuple",
        "list",
        "list_splat",
        "parenthesized_expression",
        "as_pattern_target",
        "delete_statement",
    }
)


def bound_names(target: Node, *, with_attributes: bool = True) -> Iterator[Node]:
    """The identifiers that `target` binds: `a`, `b` and the `c` of `(a, *b), x.c = …`; subscripts bind no name."""
    stack = [target]
    while stack:
        node = stack.pop()
        kind = node.type
        if kind == "identifier":
            yield node
        elif kind == "attribute":
            name = node.child_by_field_name("attribute")
            if with_attributes and name is not None:
                yield name
        elif kind in _PATTERNS:
            stack.extend(reversed(node.named_children))
