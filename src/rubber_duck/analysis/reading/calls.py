"""What a call is given, whatever the language: arguments by place and by name, piped values included."""

from __future__ import annotations

from dataclasses import dataclass

from rubber_duck.analysis.reading import children
from rubber_duck.code.source import Node, SourceFile


@dataclass(frozen=True, slots=True)
class Arguments:
    """`positional` in order, `named` by name; `is_open` says that `*args` or `**options` may hold more."""

    positional: tuple[Node, ...]
    named: dict[str, Node]
    is_open: bool

    def at(self, index: int, *names: str) -> Node | None:
        """The argument at the 0-based place `index`, or the one that has one of the names."""
        if index < len(self.positional):
            return self.positional[index]
        return next((self.named[name] for name in names if name in self.named), None)


def arguments(call: Node, file: SourceFile) -> Arguments:
    """The arguments of a call that is being visited: what an Elixir pipe hands it comes first.

    In ECMAScript the fields of an object that is given last count as named.
    """
    family = file.family
    holder = call.child_by_field_name("arguments") or children.of_kind(call, "arguments", "argument_list")
    positional: list[Node] = []
    named: dict[str, Node] = {}
    is_open = False
    if family == "elixir" and (piped := _piped(call, file)) is not None:
        positional.append(piped)
    if holder is not None and holder.type == "generator_expression":
        return Arguments((holder,), {}, False)
    if holder is not None and holder.type == "template_string":  # a tagged template: the tag gets the parts apart
        return Arguments((), {}, False)
    for given in holder.named_children if holder is not None else ():
        kind = given.type
        if kind == "keyword_argument":
            name, value = given.child_by_field_name("name"), given.child_by_field_name("value")
            if name is not None and value is not None:
                named[file.text(name)] = value
        elif kind in {"list_splat", "dictionary_splat", "spread_element"}:
            is_open = True
        elif kind == "keywords":
            named |= _pairs(given, file)
        elif kind != "comment":
            positional.append(given)
    if family == "ecmascript" and positional and positional[-1].type == "object":
        named |= _pairs(positional[-1], file)
    return Arguments(tuple(positional), named, is_open)


def _pairs(node: Node, file: SourceFile) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type == "pair" and key is not None and value is not None:
            found[file.text(key).strip().strip("'\":")] = value
    return found


def _piped(call: Node, file: SourceFile) -> Node | None:
    parent = file.parent
    if parent is None or parent.type != "binary_operator" or children.operator(parent) != "|>":
        return None
    left, right = parent.child_by_field_name("left"), parent.child_by_field_name("right")
    if left is None or right != call:
        return None
    if left.type == "binary_operator" and children.operator(left) == "|>":
        return left.child_by_field_name("right")
    return left
