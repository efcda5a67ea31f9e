"""Gives a JavaScript or TypeScript expression a name: a `const` just before the statement that it stands in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import detect, open_source
from rubber_duck.code.refactoring.ecmascript import require_name
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of, offset_of
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_EFFECTS: Final = frozenset(
    {"call_expression", "new_expression", "await_expression", "yield_expression", "assignment_expression"}
    | {"augmented_assignment_expression", "update_expression"}
)
_GIVES: Final = frozenset({"assignment_expression", "augmented_assignment_expression", "update_expression"})
_STATEMENTS: Final = frozenset(
    {"expression_statement", "return_statement", "throw_statement", "lexical_declaration", "variable_declaration"}
    | {"if_statement", "switch_statement", "for_in_statement", "export_statement"}
)
_CLOSED: Final = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition", "class_body"}
    | {
        "formal_parameters",
        "decorator",
        "while_statement",
        "do_statement",
        "for_statement",
        "switch_case",
        "catch_clause",
    }
    | {"generator_function", "generator_function_declaration", "field_definition", "public_field_definition"}
)
_INFERRED: Final = frozenset({"object", "array", "arrow_function", "function_expression"})
_LITERAL: Final = frozenset({"number", "string", "true", "false", "null", "undefined", "regex"})
_NO_VALUE: Final = frozenset(
    {
        "property_identifier",
        "statement_identifier",
        "type_annotation",
        "spread_element",
        "pair",
        "super",
        "string_fragment",
    }
    | {"type_identifier", "predefined_type", "private_property_identifier", "shorthand_property_identifier"}
)
_CHAINED: Final = frozenset({"call_expression", "member_expression", "subscript_expression", "non_null_expression"})
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
    if file.problems:
        raise Refused(f"'{stretch.path}' does not parse as a whole, so nothing is changed")
    if re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text):
        raise Refused(f"{name!r} is used in '{stretch.path}' already")
    node = _selected(file, text, stretch)
    if language == "typescript" and node.type in _INFERRED:
        raise Refused("its type follows from where it stands, and would be another by itself")
    statement = _statement(node)
    _refuse_target(node)
    _refuse_order(file, node, statement)
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
    if open_source(stretch.path, after, language).problems:
        raise Refused("the file would not parse afterwards")
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
        if (node.start_byte, node.end_byte) == (start, end) and node.type not in _NO_VALUE | _STATEMENTS
    ]
    if not found or "statement" in found[0].type or "declar" in found[0].type:
        raise InvalidInput("what is selected is not one whole expression")
    return found[0]


def _statement(node: Node) -> Node:
    """The statement around an expression; raises Refused where it is not worked out once, before all that follows."""
    inner, at = node, node.parent
    while at is not None:
        if at.type in _CLOSED:
            raise Refused("it is worked out later, repeatedly or only sometimes there, so it cannot be moved before")
        if at.type == "ternary_expression" and inner.id != at.named_children[0].id:
            raise Refused("in a choice (? :) it is worked out only sometimes")
        if at.type == "binary_expression" and at.child(1) is not None and inner.id != at.named_children[0].id:
            operator = at.child(1)
            if operator is not None and operator.type in {"&&", "||", "??"}:
                raise Refused(f"behind {operator.type} it is worked out only sometimes")
        if inner.id != at.named_children[0].id and _is_optional(at):
            raise Refused("behind ?. it is worked out only sometimes")
        if at.type in {"augmented_assignment_expression", "assignment_pattern", "object_assignment_pattern"}:
            raise Refused("there it is worked out after something that it may change, or only sometimes")
        if at.type in _STATEMENTS and at.type != "export_statement":
            return _whole(at, inner)
        inner, at = at, at.parent
    raise Refused("it stands in no statement")


def _is_optional(node: Node) -> bool:
    """Whether a call or an access ends early where something before its last part is missing (?.)."""
    at: Node | None = node
    while at is not None and at.type in _CHAINED:
        if any(child.type == "optional_chain" for child in at.children):
            return True
        at = at.named_children[0]
    return False


def _whole(statement: Node, inner: Node) -> Node:
    parent = statement.parent
    field = next((each for each in ("condition", "value", "right") if _is(statement, each, inner)), "")
    if statement.type in {"if_statement", "switch_statement", "for_in_statement"} and not field:
        raise Refused("the statement has no block around it")
    if statement.type in {"lexical_declaration", "variable_declaration"} and inner.id != statement.named_children[0].id:
        raise Refused("what stands before it in the same declaration would be worked out after it")
    if parent is not None and parent.type == "export_statement":
        statement, parent = parent, parent.parent
    if parent is None or parent.type not in {"statement_block", "program"}:
        raise Refused("the statement has no block around it")
    return statement


def _is(statement: Node, field: str, inner: Node) -> bool:
    found = statement.child_by_field_name(field)
    return found is not None and found.id == inner.id


def _refuse_target(node: Node) -> None:
    parent = node.parent
    if parent is None:
        return
    is_left = any(_is(parent, field, node) for field in ("left", "name", "argument", "pattern", "key", "label"))
    if is_left and parent.type not in {"unary_expression", "await_expression", "binary_expression", "spread_element"}:
        raise Refused("what is selected is given a value, or a name, there")
    if parent.type == "unary_expression" and any(child.type in {"delete", "typeof"} for child in parent.children):
        raise Refused("`delete` and `typeof` ask for the place, and not for what is in it")
    is_called = parent.type in {"call_expression", "new_expression"} and parent.named_children[0].id == node.id
    if is_called and node.type in {"member_expression", "subscript_expression"}:
        raise Refused("called under another name it would not know its object (this)")
    if is_called and node.type in {"super", "import", "identifier"}:
        raise Refused("a function's own name says it as well")


def _refuse_order(file: SourceFile, node: Node, statement: Node) -> None:
    inside = {each.type for each in file.descendants(node)}
    if "yield_expression" in inside or inside & _GIVES:
        raise Refused("the expression gives something a value, or yields")
    if node.type in _LITERAL:
        return
    for each in file.descendants(statement):
        if each.type in _EFFECTS and each.end_byte <= node.start_byte:
            line, _ = file.position(each.start_byte)
            raise Refused(f"line {line}: something is called there before it, which would then come after it")


def _is_ended(file: SourceFile) -> bool:
    """Whether the file ends its statements with semicolons."""
    statements = [each for each in file.tree.root_node.children if each.is_named and each.type in _STATEMENTS]
    return bool(statements) and all(file.content[each.start_byte : each.end_byte].endswith(b";") for each in statements)
