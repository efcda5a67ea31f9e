"""Reads a JavaScript or TypeScript file for a refactoring, and holds it against what became of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.refactoring.ecmascript import require_name
from rubber_duck.code.refactoring.ecmascript_place import STATEMENTS
from rubber_duck.code.refactoring.refactored import Stretch, Texts, offset_of
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_NO_VALUE: Final = frozenset(
    {"property_identifier", "statement_identifier", "type_annotation", "spread_element", "pair", "super"}
    | {"type_identifier", "predefined_type", "private_property_identifier", "shorthand_property_identifier"}
    | {"string_fragment", "escape_sequence", "arguments", "template_substitution", "computed_property_name"}
    | {"jsx_expression", "jsx_attribute", "jsx_text", "variable_declarator", "comment", "optional_chain", "import"}
)
_REACHING: Final = frozenset(
    {"call_expression", "subscript_expression", "member_expression", "binary_expression", "ternary_expression"}
)


def open_whole(texts: Texts, path: str) -> SourceFile:
    """The parsed file, its text in UTF-8; raises Refused where it does not parse as a whole."""
    if path not in texts:
        raise InvalidInput(f"there is no file '{path}' in the project")
    content = texts[path].encode("utf-8", "surrogateescape")
    file = open_source(path, content, detect(path, content[:4000]) or "")
    if file.problems or _is_misread(file):
        raise Refused(f"'{path}' does not parse as a whole, so nothing is changed")
    return file


def require_fresh(file: SourceFile, name: str) -> None:
    """Raise InvalidInput for what is no name, Refused for one that the file says anywhere."""
    require_name(name)
    if re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", file.content.decode("utf-8", "surrogateescape")):
        raise Refused(f"{name!r} is used in '{file.path}' already")


def chosen_bytes(file: SourceFile, stretch: Stretch) -> tuple[int, int]:
    """The bytes [start, end) of what is selected, without the blanks around it."""
    text = file.content.decode("utf-8", "surrogateescape")
    first = offset_of(text, stretch.start_line, stretch.start_column)
    if stretch.end_column:
        last = offset_of(text, stretch.end_line, stretch.end_column)
    else:
        last = offset_of(text, stretch.end_line, 1)
        newline = text.find("\n", last)
        last = len(text) if newline < 0 else newline
    chosen = text[first:last]
    start = len(text[:first].encode("utf-8", "surrogateescape")) + len(chosen) - len(chosen.lstrip())
    return start, start + len(chosen.strip().encode("utf-8", "surrogateescape"))


def selected(file: SourceFile, stretch: Stretch) -> Node:
    """The expression that is selected; raises InvalidInput where it is not one whole expression."""
    if not stretch.start_column:
        raise InvalidInput("select one expression as FILE:LINE:COLUMN-LINE:COLUMN")
    span = chosen_bytes(file, stretch)
    found = [
        node
        for node in file.descendants(file.tree.root_node)
        if (node.start_byte, node.end_byte) == span and node.type not in _NO_VALUE | STATEMENTS
    ]
    if not found or "statement" in found[0].type or "declar" in found[0].type:
        raise InvalidInput("what is selected is not one whole expression")
    return found[0]


def _is_misread(file: SourceFile) -> bool:
    """Whether an arrow function seems to be called, or reached into: JavaScript ends the statement behind its body."""
    return any(
        node.type in _REACHING and node.named_children and node.named_children[0].type == "arrow_function"
        for node in file.descendants(file.tree.root_node)
    )


def refuse_misread(file: SourceFile, statement: Node) -> None:
    """`await (x)(y)` awaits what a call gives; read as a call of something named await it looks the other way round."""
    for node in file.descendants(statement):
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        if function is not None and function.type == "identifier" and file.text(function) == "await":
            raise Refused("what is awaited there begins with a bracket, and cannot be told from a call")


def shape(file: SourceFile, *, replaced: Collection[int] = (), left_out: Collection[int] = ()) -> Iterator[str]:
    """The kinds of all nodes in source order; a name for each node of `replaced`, none for those `left_out`."""
    return shape_of(file.tree.root_node, replaced, left_out)


def shape_of(node: Node, replaced: Collection[int] = (), left_out: Collection[int] = ()) -> Iterator[str]:
    """The kinds of a node and of all below it, as `shape` says them."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type == "comment" or each.id in left_out:
            continue
        if each.id in replaced:
            yield "identifier"
            continue
        yield each.type
        stack.extend(reversed(each.children))


def kinds(node: Node) -> list[str]:
    """The kinds of a node and of all below it, in source order."""
    return list(shape_of(node))


def is_ended(file: SourceFile) -> bool:
    """Whether the file ends its statements with semicolons."""
    ended = ("expression_statement", "lexical_declaration", "return_statement", "variable_declaration")
    found = [each for each in file.descendants(file.tree.root_node) if each.type in ended]
    found = [each for each in found if each.parent is not None and each.parent.type != "for_statement"]
    return bool(found) and all(file.content[each.start_byte : each.end_byte].endswith(b";") for each in found)
