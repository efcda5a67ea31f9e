"""Gives a JavaScript or TypeScript expression a name: a `const` just before the statement that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.refactoring.ecmascript import require_name
from rubber_duck.code.refactoring.ecmascript_order import refuse_order
from rubber_duck.code.refactoring.ecmascript_place import STATEMENTS, refuse_place, statement_of, unwrapped
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of, offset_of
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_NAMELESS: Final = frozenset({"arrow_function", "function_expression", "generator_function", "class"})
_INFERRED: Final = frozenset({"object", "array"}) | _NAMELESS
_NO_VALUE: Final = frozenset(
    {"property_identifier", "statement_identifier", "type_annotation", "spread_element", "pair", "super"}
    | {"type_identifier", "predefined_type", "private_property_identifier", "shorthand_property_identifier"}
    | {"string_fragment", "escape_sequence", "arguments", "template_substitution", "computed_property_name"}
    | {"jsx_expression", "jsx_attribute", "jsx_text", "variable_declarator", "comment", "optional_chain", "import"}
)
_REACHING: Final = frozenset(
    {"call_expression", "subscript_expression", "member_expression", "binary_expression", "ternary_expression"}
)
_JOINS: Final = tuple("([`+-/")


def extract_variable(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The file with the selected expression called `name`; raises Refused and InvalidInput."""
    require_name(name)
    if stretch.path not in texts:
        raise InvalidInput(f"there is no file '{stretch.path}' in the project")
    text = texts[stretch.path]
    content = text.encode("utf-8", "surrogateescape")
    language = detect(stretch.path, content[:4000]) or ""
    file = open_source(stretch.path, content, language)
    if file.problems or _is_misread(file):
        raise Refused(f"'{stretch.path}' does not parse as a whole, so nothing is changed")
    if re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text):
        raise Refused(f"{name!r} is used in '{stretch.path}' already")
    node = _selected(file, text, stretch)
    statement = statement_of(node)
    _refuse_misread(file, statement)
    refuse_place(file, node)
    _refuse_kind(node, language)
    refuse_order(file, node, statement)
    start = content.rfind(b"\n", 0, statement.start_byte) + 1
    indent = content[start : statement.start_byte]
    if indent.strip():
        raise Refused("the statement shares its line with another")
    said = content[node.start_byte : node.end_byte]
    rest = content[statement.start_byte : node.start_byte] + name.encode() + content[node.end_byte : statement.end_byte]
    ends = content[: statement.end_byte].endswith(b";") or rest.lstrip().startswith(tuple(c.encode() for c in _JOINS))
    newline = newline_of(text).encode()
    made = b"const " + name.encode() + b" = " + said + (b";" if ends or _is_ended(file) else b"") + newline
    after = content[:start] + indent + made + indent + rest + content[statement.end_byte :]
    changed = open_source(stretch.path, after, language)
    _require_same(file, node, changed, statement.start_byte)
    return Refactored({stretch.path: after.decode("utf-8", "surrogateescape")})


def _selected(file: SourceFile, text: str, stretch: Stretch) -> Node:
    if not stretch.start_column:
        raise InvalidInput("select one expression as FILE:LINE:COLUMN-LINE:COLUMN")
    first = offset_of(text, stretch.start_line, stretch.start_column)
    last = offset_of(text, stretch.end_line, stretch.end_column)
    chosen = text[first:last]
    start = len(text[:first].encode("utf-8", "surrogateescape")) + len(chosen) - len(chosen.lstrip())
    end = start + len(chosen.strip().encode("utf-8", "surrogateescape"))
    found = [
        node
        for node in file.descendants(file.tree.root_node)
        if (node.start_byte, node.end_byte) == (start, end) and node.type not in _NO_VALUE | STATEMENTS
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


def _refuse_misread(file: SourceFile, statement: Node) -> None:
    """`await (x)(y)` awaits what a call gives; read as a call of something named await it looks the other way round."""
    for node in file.descendants(statement):
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        if function is not None and function.type == "identifier" and file.text(function) == "await":
            raise Refused("what is awaited there begins with a bracket, and cannot be told from a call")


def _refuse_kind(node: Node, language: str) -> None:
    """What takes its name, or its type, from where it stands stays there."""
    bare = unwrapped(node)
    if bare.type in _NAMELESS and bare.child_by_field_name("name") is None:
        raise Refused("without a name of its own it is called after the place where it stands")
    if language != "typescript":
        return
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type in _INFERRED:
            raise Refused("its type follows from where it stands, and would be another by itself")
        stack.extend(child for child in each.named_children if child.type != "arguments")


def _shape(file: SourceFile, *, replaced: Node | None = None, left_out: Node | None = None) -> Iterator[str]:
    """The kinds of all nodes in source order, as if `replaced` were a name and `left_out` were not there."""
    stack = [file.tree.root_node]
    while stack:
        each = stack.pop()
        if each.type == "comment" or (left_out is not None and each.id == left_out.id):
            continue
        if replaced is not None and each.id == replaced.id:
            yield "identifier"
            continue
        yield each.type
        stack.extend(reversed(each.children))


def _kinds(node: Node) -> list[str]:
    found, stack = [], [node]
    while stack:
        each = stack.pop()
        if each.type != "comment":
            found.append(each.type)
            stack.extend(reversed(each.children))
    return found


def _require_same(file: SourceFile, node: Node, changed: SourceFile, at: int) -> None:
    """Raise Refused unless the file reads as before but for a declaration at byte `at` that holds what `node` was."""
    made = next(
        (
            each
            for each in changed.descendants(changed.tree.root_node)
            if each.start_byte == at and each.type == "lexical_declaration"
        ),
        None,
    )
    given = made.named_children[0].child_by_field_name("value") if made is not None else None
    is_same = (
        not changed.problems
        and made is not None
        and given is not None
        and len(made.named_children) == 1
        and _kinds(given) == _kinds(node)
        and list(_shape(changed, left_out=made)) == list(_shape(file, replaced=node))
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")


def _is_ended(file: SourceFile) -> bool:
    """Whether the file ends its statements with semicolons."""
    statements = [each for each in file.tree.root_node.children if each.is_named and each.type in STATEMENTS]
    return bool(statements) and all(file.content[each.start_byte : each.end_byte].endswith(b";") for each in statements)
