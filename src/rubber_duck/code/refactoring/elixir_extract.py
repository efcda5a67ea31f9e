"""Gives an expression of an Elixir function a name, just before the statement that it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_reading import chosen_bytes, shape, shape_of
from rubber_duck.code.refactoring.elixir_module import (
    Tree,
    arguments,
    callee,
    inside,
    open_elixir,
    operator,
    require_fresh,
)
from rubber_duck.code.refactoring.elixir_place import (
    NO_VALUE,
    Holder,
    Place,
    place_of,
    refuse_macros,
    refuse_order,
    require_first,
)
from rubber_duck.code.refactoring.elixir_scopes import Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_OF_A_LINE: Final = re.compile(r"\b__ENV__\b")
_UNIT: Final = b"  "


def extract_variable(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The selected expression as `name`, given its value just before its statement; raises Refused, InvalidInput."""
    file = open_elixir(texts, stretch.path)
    node = selected(file, stretch)
    tree = Tree(file)
    function = tree.function(node)
    require_fresh(file, name, function)
    module = tree.module(node)
    refuse_expression(file, tree, node)
    place = place_of(tree, module, node)
    require_first(tree, module, node)
    refuse_macros(tree, module, node)
    if module.is_asked:
        raise Refused("the file asks for the variables or the places of its own code (`binding`, `__ENV__`, `dbg`)")
    scopes = Scopes(module, function)
    refuse_order(tree, scopes, node, place)
    newline = newline_of(texts[stretch.path])
    if place.holder is Holder.KEYWORD:
        file, by = unfolded(file, place, newline)
        node, statement = _moved(file, node, by), _moved(file, place.statement, by)
        place = Place(statement, Holder.BLOCK, statement)
    edit = _edit(file, node, place, name, newline)
    after = file.content[: edit.start] + edit.text + file.content[edit.end :]
    result = open_source(file.path, after, "elixir")
    _require_same(file, result, node, edit, name)
    return Refactored({stretch.path: after.decode("utf-8", "surrogateescape")})


def selected(file: SourceFile, stretch: Stretch) -> Node:
    """The expression that is selected; raises InvalidInput where it is not one whole expression."""
    if not stretch.start_column:
        raise InvalidInput("select one expression as FILE:LINE:COLUMN-LINE:COLUMN")
    span = chosen_bytes(file, stretch)
    for node in file.descendants(file.tree.root_node):
        if (node.start_byte, node.end_byte) == span and node.is_named and node.type not in NO_VALUE - {"alias"}:
            return node
    raise InvalidInput("what is selected is not one whole expression")


def refuse_expression(file: SourceFile, tree: Tree, node: Node) -> None:
    """Raise Refused for what is a name and no value, and for what binds names that others see."""
    parent = tree.parent(node)
    if parent is not None:
        is_target = parent.type == "call" and callee(file, parent) and parent.children[0].id == node.id
        is_member = parent.type == "dot" and (node.type == "alias" or parent.named_children[0].id != node.id)
        if is_target or is_member or parent.type in {"struct", "sigil", "alias"}:
            raise Refused("what is selected is a name there, and no value")
        if operator(file, parent) in {"&", "@", "^"} or node.type in {"keywords", "pair"}:
            raise Refused(f"what is selected belongs to '{operator(file, parent)}'")
        if parent.type == "call" and callee(file, parent) in {"def", "defp"} and parent.children[0].id == node.id:
            raise Refused("what is selected is a definition")
    if _OF_A_LINE.search(file.text(node)) or file.text(node) == "_":
        raise Refused("what is selected means something only where it stands")
    if operator(file, node) in {"<-", "when", "\\\\", "::", "|", "=>", "^"}:
        raise Refused(f"'{operator(file, node)}' has no value of its own")
    if binds_for_others(file, tree, node):
        raise Refused("it binds a name that what comes after it sees")
    for each in file.descendants(node):
        is_part = (
            operator(file, each) == "&" and bool(each.named_children) and each.named_children[-1].type == "integer"
        )
        if is_part and not any(operator(file, around) == "&" and inside(around, node) for around in tree.around(each)):
            raise Refused("it is a part of a capture (`&1`)")


def binds_for_others(file: SourceFile, tree: Tree, node: Node) -> bool:
    """Whether an expression binds a name that is known behind it."""
    return any(operator(file, each) == "=" and _leaks(tree, each, node) for each in file.descendants(node))


def _leaks(tree: Tree, match: Node, node: Node) -> bool:
    if match.id == node.id:
        return True
    for each in tree.around(match):
        if each.type in {"anonymous_function", "do_block", "body"}:
            return False
        if each.id == node.id:
            return True
    return True


@dataclass(frozen=True, slots=True)
class _Edit:
    """The bytes [start, end) give way to `text`."""

    start: int
    end: int
    text: bytes


def unfolded(file: SourceFile, place: Place, newline: str) -> tuple[SourceFile, int]:
    """The file with `def f, do: value` as a block, and by how many bytes what stands in the value moves."""
    call, value = place.around, place.statement
    given = arguments(call)
    content = file.content
    between = content[given[-2].end_byte : value.start_byte]
    is_open = content[call.children[0].end_byte : given[0].start_byte].strip()
    if b"#" in between or is_open or value.end_byte != call.end_byte:
        raise Refused("the definition is written in a way that leaves no room before the expression")
    start = content.rfind(b"\n", 0, call.start_byte) + 1
    indent = content[start : call.start_byte]
    if indent.strip():
        raise Refused("the definition shares its line with something else")
    head = b" do" + newline.encode() + indent + _UNIT
    text = content[: given[-2].end_byte] + head + content[value.start_byte : value.end_byte]
    text += newline.encode() + indent + b"end" + content[call.end_byte :]
    return open_source(file.path, text, "elixir"), given[-2].end_byte + len(head) - value.start_byte


def _moved(file: SourceFile, node: Node, by: int) -> Node:
    span = (node.start_byte + by, node.end_byte + by)
    found = (each for each in file.descendants(file.tree.root_node) if (each.start_byte, each.end_byte) == span)
    same = next((each for each in found if each.type == node.type), None)
    if file.problems or same is None or list(shape_of(same)) != list(shape_of(node)):
        raise Refused("the definition would read otherwise as a block")
    return same


def _edit(file: SourceFile, node: Node, place: Place, name: str, newline: str) -> _Edit:
    content, statement = file.content, place.statement
    made = name.encode() + b" = " + content[node.start_byte : node.end_byte]
    rest = content[statement.start_byte : node.start_byte] + name.encode()
    start = content.rfind(b"\n", 0, statement.start_byte) + 1
    indent = content[start : statement.start_byte]
    nl = newline.encode()
    if not indent.strip():
        return _Edit(start, node.end_byte, indent + made + nl + indent + rest)
    clause = place.around.parent
    arrow = next((each for each in clause.children if each.type == "->"), None) if clause is not None else None
    end = content.find(b"\n", statement.end_byte)
    tail = content[statement.end_byte : len(content) if end < 0 else end]
    if arrow is None or content[arrow.end_byte : statement.start_byte].strip() or place.holder is not Holder.CLAUSE:
        raise Refused("the statement shares its line with something else")
    is_last = tail.lstrip().startswith(b"end") and not tail.lstrip()[3:4].isalnum()
    if tail.strip() and not is_last:
        raise Refused("the statement shares its line with something else")
    outer = indent[: len(indent) - len(indent.lstrip())]
    inner = nl + outer + _UNIT
    text = inner + made + inner + rest + content[node.end_byte : statement.end_byte]
    blanks = len(tail) - len(tail.lstrip()) if is_last else 0
    return _Edit(arrow.end_byte, statement.end_byte + blanks, text + (nl + outer if is_last else b""))


def _require_same(file: SourceFile, result: SourceFile, node: Node, edit: _Edit, name: str) -> None:
    """Raise Refused unless the file reads as before, but for the name and the match that gives it its value."""
    end = edit.start + len(edit.text)
    said = [each for each in result.descendants(result.tree.root_node) if edit.start <= each.start_byte < end]
    named = [each for each in said if each.type == "identifier" and result.text(each) == name]
    match = named[0].parent if len(named) == 2 else None  # it is bound, and read
    right = match.child_by_field_name("right") if match is not None else None
    is_same = (
        not result.problems
        and match is not None
        and right is not None
        and operator(result, match) == "="
        and list(shape_of(right)) == list(shape_of(node))
        and list(shape(result, replaced=[named[1].id], left_out=[match.id])) == list(shape(file, replaced=[node.id]))
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")
