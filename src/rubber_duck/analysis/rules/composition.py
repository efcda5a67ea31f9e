"""What a text expression is put together from: the parts that are written down and the expressions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rubber_duck.analysis.rules import children
from rubber_duck.analysis.rules.assignments import assigned
from rubber_duck.code.source import Node, SourceFile

HOLE: Final = "\0"
"""Stands in `Composition.text` for each expression."""

_STRINGS: Final = frozenset({"string", "template_string", "charlist", "sigil"})
_TEXTS: Final = frozenset(
    {"string_content", "string_fragment", "quoted_content", "escape_sequence", "escape_interpolation"}
)
_INTERPOLATIONS: Final = frozenset({"interpolation", "template_substitution"})
_PARTS_READ: Final = 400


@dataclass(frozen=True, slots=True)
class Composition:
    """`text` with a HOLE for each of `holes`, in order. `is_built` says that it is more than one plain expression."""

    text: str
    holes: tuple[Node, ...]
    is_built: bool


def compose(node: Node, file: SourceFile) -> Composition:
    """The parts of the expression at `node`.

    Sees through concatenation, `%`, `.format(…)`, interpolation, parentheses, implicit joining, and through local
    names that are assigned once in the function being visited. Constants (`TABLE`, numbers) are holes too.
    """
    text: list[str] = []
    holes: list[Node] = []
    stack: list[Node] = [node]
    names: set[str] = set()
    is_built = False
    budget = _PARTS_READ
    while stack:
        part = stack.pop()
        budget -= 1
        following = _parts(part, file) if budget > 0 else None
        if following is not None:
            is_built = is_built or part.type in _STRINGS or len(following) > 1
            stack.extend(reversed(following))
        elif part.type in _TEXTS:
            text.append(file.text(part))
        else:
            value = _value_of_name(part, file, names) if budget > 0 else None
            if value is not None:
                stack.append(value)
            else:
                text.append(HOLE)
                holes.append(part)
    return Composition("".join(text), tuple(holes), is_built)


def _parts(node: Node, file: SourceFile) -> list[Node] | None:
    """The parts of a composed expression in the order of its text; None where it is not composed."""
    kind = node.type
    if kind in _STRINGS:
        return [
            _inside(child) for child in node.named_children if child.type in _TEXTS or child.type in _INTERPOLATIONS
        ]
    if kind == "concatenated_string":
        return [child for child in node.named_children if child.type != "comment"]
    if kind in {"parenthesized_expression", "as_expression", "non_null_expression", "await"}:
        inner = children.first(node)
        return [inner] if inner is not None and kind != "await" else None
    if kind in {"binary_operator", "binary_expression"}:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = children.operator(node)
        if left is None or right is None or sign not in {"+", "%", "<>", "++"}:
            return None
        if sign == "%":
            return [left, *(right.named_children if right.type == "tuple" else [right])] if _is_text(left) else None
        return [left, right]
    if kind == "call" and file.family == "python":
        function = node.child_by_field_name("function")
        if function is not None and function.type == "attribute" and file.name_of_call(node) == "format":
            template = function.child_by_field_name("object")
            given = node.child_by_field_name("arguments")
            if template is not None and given is not None and _is_text(template):
                return [template, *(_argument(child) for child in given.named_children if child.type != "comment")]
    return None


def _is_text(node: Node) -> bool:
    return node.type in {"string", "concatenated_string", "parenthesized_expression", "identifier", "binary_operator"}


def _inside(child: Node) -> Node:
    if child.type not in _INTERPOLATIONS:
        return child
    return child.child_by_field_name("expression") or children.first(child) or child


def _argument(given: Node) -> Node:
    return given.child_by_field_name("value") or given if given.type == "keyword_argument" else given


def _value_of_name(node: Node, file: SourceFile, seen: set[str]) -> Node | None:
    if node.type != "identifier":
        return None
    name = file.text(node)
    if name in seen:
        return None
    seen.add(name)
    values = assigned(name, file)
    return values[0] if len(values) == 1 else None
