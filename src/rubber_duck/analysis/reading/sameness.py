"""Whether two pieces of code are the same but for layout and comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.code.source import Node, SourceFile

_WHOLE: Final = frozenset({"string", "template_string", "regex", "charlist", "sigil", "string_content", "jsx_text"})
"""Kinds whose text between children counts."""

_PURE_BREAKERS: Final = frozenset(
    {
        *("call", "call_expression", "new_expression", "await", "await_expression", "yield", "yield_expression"),
        *("named_expression", "assignment_expression", "augmented_assignment_expression", "update_expression"),
        *("assignment", "augmented_assignment", "function_expression", "arrow_function", "anonymous_function"),
    }
)


def tokens(nodes: Sequence[Node], file: SourceFile) -> list[tuple[int, bytes]]:
    """The kinds of all nodes in order with the text of those that have no children; comments are left out."""
    content = file.content
    found: list[tuple[int, bytes]] = []
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        if node.type in _WHOLE or not node.child_count:
            found.append((node.kind_id, content[node.start_byte : node.end_byte]))
        elif node.type != "comment":
            found.append((node.kind_id, b""))
            stack.extend(child for child in reversed(node.children) if child.type != "comment")
    return found


def same(first: Node, second: Node, file: SourceFile) -> bool:
    """Whether both are the same code."""
    return same_sequences((first,), (second,), file)


def same_sequences(first: Sequence[Node], second: Sequence[Node], file: SourceFile) -> bool:
    """Whether both sequences of statements are the same code; two empty ones are."""
    first, second = _without_comments(first), _without_comments(second)
    if len(first) != len(second) or any(a.kind_id != b.kind_id for a, b in zip(first, second, strict=True)):
        return False
    content = file.content
    if all(
        content[a.start_byte : a.end_byte] == content[b.start_byte : b.end_byte]
        for a, b in zip(first, second, strict=True)
    ):
        return True
    lengths = [sum(node.end_byte - node.start_byte for node in nodes) for nodes in (first, second)]
    if 2 * min(lengths) < max(lengths):  # so that nested conditionals cost no more than their text
        return False
    return tokens(first, file) == tokens(second, file)


def may_change(node: Node, file: SourceFile) -> bool:
    """Whether evaluating `node` twice may give two values or have two effects, as far as syntax tells."""
    return any(found.type in _PURE_BREAKERS and not _is_field(found) for found in file.descendants(node))


def _is_field(node: Node) -> bool:
    """Whether an Elixir call is `map.field`: a dot and neither parentheses nor arguments."""
    if node.type != "call" or node.child_count != 1:
        return False
    target = node.child_by_field_name("target")
    return target is not None and target.type == "dot"


def _without_comments(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.type != "comment"]
