"""The branches of a conditional in the four languages: its conditions and what runs under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.analysis.reading import children
from rubber_duck.code.source import Node, SourceFile

_LEAVING: Final = frozenset(
    {"return_statement", "continue_statement", "break_statement", "raise_statement", "throw_statement"}
)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch: `condition` is None for `else`; `body` are its statements or its one expression, comments included.

    `node` is what to underline for the whole branch.
    """

    condition: Node | None
    body: tuple[Node, ...]
    node: Node


def branches(node: Node, file: SourceFile, *, is_visited: bool = True) -> list[Branch]:
    """The branches of an `if` in source order: Python and ECMAScript `if` and ternary, Elixir `if` and `unless`.

    Empty where `node` is not one, is incomplete, or is the node being visited and an ECMAScript `else if`, which
    belongs to the `if` before it.
    """
    kind = node.type
    if kind == "if_statement":
        if file.family == "python":
            return _python_if(node)
        parent = file.parent if is_visited else None
        return [] if parent is not None and parent.type == "else_clause" else _ecmascript_if(node)
    if kind == "conditional_expression":
        parts = [child for child in node.named_children if child.type != "comment"]
        if len(parts) != 3:
            return []
        return [Branch(parts[1], (parts[0],), parts[0]), Branch(None, (parts[2],), parts[2])]
    if kind == "ternary_expression":
        condition, yes, no = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
        if condition is None or yes is None or no is None:
            return []
        return [Branch(condition, (yes,), yes), Branch(None, (no,), no)]
    return _elixir_if(node) if kind == "call" else []


def is_guard(node: Node) -> bool:
    """Whether it is a Python or ECMAScript `if` without `else` that does nothing but leave: `if x: continue`."""
    if node.type != "if_statement" or node.child_by_field_name("alternative") is not None:
        return False
    body = [part for part in statements(node.child_by_field_name("consequence")) if part.type != "comment"]
    return len(body) == 1 and body[0].type in _LEAVING


def statements(node: Node | None) -> tuple[Node, ...]:
    """What stands in a block, comments included; a single statement without a block stands for itself."""
    if node is None:
        return ()
    if node.type in {"block", "statement_block", "body"}:
        return tuple(node.named_children)
    return (node,)


def unwrapped(node: Node) -> Node:
    """`node` without the parentheses around it."""
    while node.type in {"parenthesized_expression", "block"} and node.named_child_count == 1:
        node = node.named_children[0]
    return node


def _python_if(node: Node) -> list[Branch]:
    found: list[Branch] = []
    for part in (node, *node.children_by_field_name("alternative")):
        is_else = part.type == "else_clause"
        body = part.child_by_field_name("body" if is_else else "consequence")
        condition = None if is_else else part.child_by_field_name("condition")
        if body is None or (condition is None and not is_else):
            return []
        found.append(Branch(condition, tuple(body.named_children), part))
    return found


def _ecmascript_if(node: Node) -> list[Branch]:
    found: list[Branch] = []
    following: Node | None = node
    while following is not None:
        if following.type != "if_statement":
            found.append(Branch(None, statements(following), following))
            break
        condition = following.child_by_field_name("condition")
        body = following.child_by_field_name("consequence")
        if condition is None or body is None:
            return []
        found.append(Branch(unwrapped(condition), statements(body), following))
        clause = following.child_by_field_name("alternative")
        following = (
            next((child for child in clause.named_children if child.type != "comment"), None) if clause else None
        )
    return found


def _elixir_if(node: Node) -> list[Branch]:
    arguments = children.of_kind(node, "arguments")
    if arguments is None or not arguments.named_child_count:
        return []
    condition = children.first(arguments)
    blocks = elixir_blocks(node, arguments)
    if condition is None or condition.type == "keywords" or "do" not in blocks:
        return []
    found = [Branch(condition, tuple(blocks["do"]), node)]
    if "else" in blocks:
        found.append(Branch(None, tuple(blocks["else"]), node))
    return found


def elixir_blocks(node: Node, arguments: Node | None = None) -> dict[str, Sequence[Node]]:
    """The blocks of an Elixir call, `do … else … end` or `do: …, else: …`, by their words."""
    found: dict[str, Sequence[Node]] = {}
    block = children.of_kind(node, "do_block")
    if block is not None:
        parts = block.named_children
        found["do"] = [part for part in parts if not part.type.endswith("_block")]
        for part in parts:
            if part.type.endswith("_block"):
                found[part.type.removesuffix("_block")] = part.named_children
        return found
    arguments = arguments or children.of_kind(node, "arguments")
    last = arguments.named_children[-1] if arguments is not None and arguments.named_child_count else None
    if last is not None and last.type == "keywords":
        for pair in last.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None and key.text is not None:
                found[key.text.decode("utf-8", "replace").rstrip(": \n\t")] = (value,)
    return found
