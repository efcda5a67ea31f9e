"""Takes one child out of a syntax node, or None where it has none of that kind."""

from __future__ import annotations

from rubber_duck.code.source import Node


def first(node: Node | None) -> Node | None:
    """The first named child that is no comment."""
    return next((child for child in node.named_children if child.type != "comment"), None) if node is not None else None


def last(node: Node | None) -> Node | None:
    """The last named child that is no comment."""
    if node is None:
        return None
    return next((child for child in reversed(node.named_children) if child.type != "comment"), None)


def of_kind(node: Node | None, *kinds: str) -> Node | None:
    """The first named child of one of these kinds."""
    return next((child for child in node.named_children if child.type in kinds), None) if node is not None else None


def operator(node: Node) -> str:
    """The sign of an operator node: `"=="`; empty where it has none."""
    found = node.child_by_field_name("operator")
    return found.type if found is not None else ""


def keyword(node: Node) -> Node:
    """The word a statement begins with: what to underline of a long one; the node itself where it has no children."""
    return node.children[0] if node.child_count else node
