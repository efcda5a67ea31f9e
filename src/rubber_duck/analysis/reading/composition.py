"""What a text expression is put together from: the parts that are written down and the expressions between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.assignments import assigned
from rubber_duck.code.source import Node, SourceFile

HOLE: Final = "\0"
"""Stands in `Composition.text` for each expression."""

_STRINGS: Final = frozenset({"string", "template_string", "charlist", "sigil"})
_TEXTS: Final = frozenset(
    {"string_content", "string_fragment", "quoted_content", "escape_sequence", "escape_interpolation"}
)
_INTERPOLATIONS: Final = frozenset({"interpolation", "template_substitution"})
_TEMPLATES: Final = frozenset({"string", "concatenated_string", "parenthesized_expression", "identifier"})
_PERCENT: Final = re.compile(
    r"(?P<itself>%%)|%(?:\((?P<name>[^)\0]{0,100})\))?[-+ #0-9.]{0,10}(?:(?P<number>[diouxXeEfFgG])|[sra])"
)
_BRACES: Final = re.compile(
    r"(?P<itself>\{\{|\}\})|\{(?P<name>\w{0,100})(?:[^{}\0]{0,100}:[^{}\0]{0,100}(?P<number>[bdoxXeEfFgGn%])|[^{}\0]{0,200})\}"
)
_OF_NUMBERS: Final = re.compile(r":[^{}]{0,100}[bdoxXeEfFgGn%]")
_NUMBER: Final = "0"
"""Stands for an expression in a place that takes nothing but numbers, such as `%d`: no other text can get there."""

_TIMES_RESOLVED: Final = 4
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
    return _compose(node, file, Counter(), _PARTS_READ)


def _compose(node: Node, file: SourceFile, names: Counter[str], budget: int) -> Composition:
    text: list[str] = []
    holes: list[Node] = []
    stack: list[Node | str] = [node]
    is_built = False
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            text.append(part)
            continue
        budget -= 1
        following = _parts(part, file, names, budget) if budget > 0 else None
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


def _parts(node: Node, file: SourceFile, names: Counter[str], budget: int) -> Sequence[Node | str] | None:
    """The parts of a composed expression in the order of its text; None where it is not composed."""
    kind = node.type
    if kind in _STRINGS:
        return [
            _inside(child, file)
            for child in node.named_children
            if child.type in _TEXTS or child.type in _INTERPOLATIONS
        ]
    if kind == "concatenated_string":
        return [child for child in node.named_children if child.type != "comment"]
    if kind in {"parenthesized_expression", "as_expression", "non_null_expression"}:
        inner = children.first(node)
        return [inner] if inner is not None else None
    if kind in {"binary_operator", "binary_expression"}:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = children.operator(node)
        if left is None or right is None or sign not in {"+", "%", "<>", "++"}:
            return None
        if sign != "%":
            return [left, right]
        return _filled(_PERCENT, left, _given([right]), file, names, budget)
    if kind == "call" and file.family == "python" and file.name_of_call(node) == "format":
        function, holder = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        template = function.child_by_field_name("object") if function is not None else None
        if template is not None and holder is not None and holder.type == "argument_list":
            return _filled(_BRACES, template, _given(holder.named_children), file, names, budget)
    return None


def _given(nodes: Sequence[Node]) -> list[tuple[str, Node]]:
    """What a template is filled with, each with its name (empty by place); tuples and dictionaries are taken apart."""
    found: list[tuple[str, Node]] = []
    for node in nodes:
        if node.type == "tuple":
            found += [("", child) for child in node.named_children if child.type != "comment"]
        elif node.type == "dictionary":
            pairs = (
                (pair.child_by_field_name("key"), pair.child_by_field_name("value")) for pair in node.named_children
            )
            found += [(_bare(key), value) for key, value in pairs if key is not None and value is not None]
        elif node.type == "keyword_argument":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None:
                found.append((_bare(name), value))
        elif node.type != "comment":
            found.append(("", node))
    return found


def _bare(key: Node) -> str:
    return (key.text or b"").decode("utf-8", "replace").strip("'\"")


def _filled(
    places: re.Pattern[str],
    template: Node,
    given: list[tuple[str, Node]],
    file: SourceFile,
    names: Counter[str],
    budget: int,
) -> Sequence[Node | str] | None:
    """The template's text with what is given at its places; None where the template is not known."""
    if template.type not in _TEMPLATES:
        return None
    known = _compose(template, file, names, budget // 2)
    if known.holes or not given:
        return [template, *(node for _, node in given)] if known.is_built else None
    by_name = {name: node for name, node in given if name}
    filled: list[Node | str] = []
    end = index = 0
    for place in places.finditer(known.text):
        filled.append(known.text[end : place.start()])
        end = place.end()
        if place["itself"]:
            filled.append(place["itself"][0])
            continue
        value = by_name.get(place["name"]) or given[min(index, len(given) - 1)][1]
        filled.append(_NUMBER if place["number"] else value)
        index += 1
    return [*filled, known.text[end:]]


def _inside(child: Node, file: SourceFile) -> Node | str:
    if child.type not in _INTERPOLATIONS:
        return child
    asked = child.child_by_field_name("format_specifier")
    if asked is not None and _OF_NUMBERS.fullmatch(file.text(asked)):
        return _NUMBER
    return child.child_by_field_name("expression") or children.first(child) or child


def _value_of_name(node: Node, file: SourceFile, seen: Counter[str]) -> Node | None:
    if node.type != "identifier":
        return None
    name = file.text(node)
    seen[name] += 1
    if seen[name] > _TIMES_RESOLVED:  # `text = text + more` would go on for ever
        return None
    values = assigned(name, file)
    return values[0] if len(values) == 1 else None
