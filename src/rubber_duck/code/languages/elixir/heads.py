"""The head of an Elixir definition: its name, its arguments, and which variables they bind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.source import Node

_PATTERNS: Final = frozenset(
    {"tuple", "list", "map", "map_content", "keywords", "arguments", "binary_operator", "bitstring", "block"}
)


@dataclass(frozen=True, slots=True)
class Head:
    """`name` is None where the name is computed (`unquote(name)(…)`); `arguments` are their nodes."""

    node: Node
    name: Node | None
    arguments: tuple[Node, ...]


def operator(node: Node, content: bytes) -> bytes:
    """The operator of a unary or binary operation."""
    found = node.child_by_field_name("operator")
    return content[found.start_byte : found.end_byte] if found is not None else b""


def arguments(call: Node) -> tuple[Node, ...]:
    """The arguments of a call without comments."""
    for child in call.named_children:
        if child.type == "arguments":
            return tuple(part for part in child.named_children if part.type != "comment")
    return ()


def head(node: Node, content: bytes) -> Head:
    """The head in `name`, `name(a, b)`, `a <> b`, each perhaps with a guard (`when …`)."""
    if node.type == "binary_operator" and operator(node, content) == b"when":
        node = node.child_by_field_name("left") or node
    if node.type == "call":
        target = node.child_by_field_name("target")
        name = target if target is not None and target.type in {"identifier", "operator_identifier"} else None
        return Head(node, name, arguments(node))
    if node.type == "identifier":
        return Head(node, node, ())
    if node.type == "binary_operator":
        sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        return Head(node, node.child_by_field_name("operator"), tuple(side for side in sides if side is not None))
    if node.type == "unary_operator":
        side = node.child_by_field_name("operand")
        return Head(node, node.child_by_field_name("operator"), (side,) if side is not None else ())
    return Head(node, None, ())


def has_default(argument: Node, content: bytes) -> bool:
    """Whether it is `a \\\\ default`."""
    return argument.type == "binary_operator" and operator(argument, content) == b"\\\\"


def bound_names(pattern: Node, content: bytes) -> Iterator[Node]:
    """The variables that a pattern binds; pinned ones (`^x`), keys, and the right side of `\\\\` are none."""
    stack = [pattern]
    while stack:
        node = stack.pop()
        kind = node.type
        if kind == "identifier":
            yield node
        elif kind == "pair":
            value = node.child_by_field_name("value")
            if value is not None:
                stack.append(value)
        elif kind == "binary_operator" and operator(node, content) in {b"\\\\", b"::", b"when", b"<-"}:
            left = node.child_by_field_name("left")
            if left is not None:
                stack.append(left)
        elif kind in _PATTERNS:
            stack.extend(reversed(node.named_children))
