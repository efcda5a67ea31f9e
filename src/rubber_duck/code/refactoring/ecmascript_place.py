"""The statement before which a JavaScript expression could be worked out, and the places where it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

STATEMENTS: Final = frozenset(
    {"expression_statement", "return_statement", "throw_statement", "lexical_declaration", "variable_declaration"}
    | {"if_statement", "switch_statement", "for_in_statement", "export_statement"}
)
"""What an expression can stand in so that something else can stand before it."""

WRAPS: Final = frozenset({"parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression"})
"""What stands around an expression and is still its value, or its place."""

_THROUGH: Final = WRAPS | {
    *("binary_expression", "unary_expression", "update_expression", "ternary_expression", "sequence_expression"),
    *("call_expression", "new_expression", "arguments", "member_expression", "subscript_expression"),
    *("await_expression", "yield_expression", "template_string", "template_substitution", "spread_element"),
    *("object", "pair", "array", "computed_property_name", "assignment_expression", "variable_declarator"),
    *("jsx_element", "jsx_self_closing_element", "jsx_opening_element", "jsx_attribute", "jsx_expression"),
}
"""What is worked out whenever its statement is, once; everything else may be a type, a body, or a choice."""

_CHAINED: Final = frozenset({"call_expression", "member_expression", "subscript_expression", "non_null_expression"})
_ACCESS: Final = frozenset({"member_expression", "subscript_expression"})
_FIRST: Final = {"ternary_expression": "condition", "variable_declarator": "value"}
_READS: Final = frozenset({"unary_expression", "await_expression", "spread_element", "yield_expression"})


def statement_of(node: Node) -> Node:
    """The statement around an expression; raises Refused where it is not worked out once, before all that follows."""
    inner, at = node, node.parent
    while at is not None:
        if at.type in STATEMENTS and at.type != "export_statement":
            return _whole(at, inner)
        refuse_sometimes(at, inner)
        inner, at = at, at.parent
    raise Refused("it stands in no statement")


def refuse_place(file: SourceFile, node: Node) -> None:
    """Raise Refused where the place of an expression matters, and not only its value."""
    inner, parent = node, node.parent
    while parent is not None and parent.type in WRAPS:
        if parent.type == "as_expression" and file.text(parent).rstrip().endswith("const"):
            raise Refused("`as const` stands behind what is written out, and not behind a name")
        inner, parent = parent, parent.parent
    if parent is None or parent.type == "expression_statement":
        raise Refused("it is the whole statement, and may be a directive")
    if inner.id == node.id and parent.type.startswith("jsx") and parent.type != "jsx_expression":
        raise Refused("it is a part of markup, and no value")
    is_left = any(is_field(parent, field, inner) for field in ("left", "name", "argument", "pattern", "key", "label"))
    if is_left and parent.type not in _READS | {"binary_expression"}:
        raise Refused("what is selected is given a value, or a name, there")
    if parent.type == "unary_expression" and operator(parent) in {"delete", "typeof"}:
        raise Refused("`delete` and `typeof` ask for the place, and not for what is in it")
    if any(is_field(parent, field, inner) for field in ("function", "constructor")):
        called = unwrapped(node).type
        if called in _ACCESS:
            raise Refused("called under another name it would not know its object (this)")
        if called in {"super", "import", "identifier"}:
            raise Refused("a function's own name says it as well")
    if node.type == "string" and _is_loaded(file, parent):
        raise Refused("what is loaded is read from the text, by programs that do not run it")
    _refuse_part_of_chain(node)


def refuse_sometimes(at: Node, inner: Node) -> None:
    """Raise Refused where `at` does not work out `inner` always, once, and before all that follows."""
    if at.type not in _THROUGH:
        raise Refused("it is worked out later, repeatedly or only sometimes there, so it cannot be moved before")
    if at.type in _FIRST and not is_field(at, _FIRST[at.type], inner):
        raise Refused("there it is worked out only sometimes, or later than it stands (? : and patterns)")
    if at.type == "binary_expression" and operator(at) in {"&&", "||", "??"} and not is_field(at, "left", inner):
        raise Refused(f"behind {operator(at)} it is worked out only sometimes")
    if at.type in _CHAINED and inner.id != at.named_children[0].id and _is_optional(at):
        raise Refused("behind ?. it is worked out only sometimes")
    if at.type == "assignment_expression" and is_field(at, "left", inner) and inner.type not in _ACCESS:
        raise Refused("in a pattern it is worked out after what the pattern is given")
    if at.type in {"as_expression", "satisfies_expression"} and inner.id != at.named_children[0].id:
        raise Refused("it is a type, and no value")
    if at.type == "pair" and not is_field(at, "value", inner) and inner.type != "computed_property_name":
        raise Refused("it is a name, and no value")
    if at.type.startswith("jsx") and at.type != "jsx_expression" and not inner.type.startswith("jsx"):
        raise Refused("it is a part of markup, and no value")


def _whole(statement: Node, inner: Node) -> Node:
    parent = statement.parent
    if statement.type in {"if_statement", "switch_statement", "for_in_statement"} and not any(
        is_field(statement, field, inner) for field in ("condition", "value", "right")
    ):
        raise Refused("the statement has no block around it")
    if statement.type in {"lexical_declaration", "variable_declaration"}:
        first = next(each for each in statement.named_children if each.type == "variable_declarator")
        if inner.id != first.id:
            raise Refused("what stands before it in the same declaration would be worked out after it")
    if parent is not None and parent.type == "export_statement":
        statement, parent = parent, parent.parent
    if parent is None or parent.type not in {"statement_block", "program"}:
        raise Refused("the statement has no block around it")
    return statement


def _is_optional(node: Node) -> bool:
    """Whether a call or an access ends early where something before its last part is missing (?.)."""
    at: Node | None = node
    while at is not None and at.type in _CHAINED:
        if any(child.type in {"optional_chain", "?."} for child in at.children):
            return True
        at = at.named_children[0]
    return False


def _refuse_part_of_chain(node: Node) -> None:
    """The first part of `a?.b.c` ends all of it early; by itself it would not."""
    parent = node.parent
    if parent is not None and parent.type in _CHAINED and parent.named_children[0].id == node.id and _is_optional(node):
        raise Refused("it ends the whole chain early (?.), which it would not under a name")


def _is_loaded(file: SourceFile, parent: Node) -> bool:
    call = parent.parent if parent.type == "arguments" else None
    function = call.child_by_field_name("function") if call is not None else None
    return function is not None and file.text(function) in {"import", "require", "require.resolve"}


def unwrapped(node: Node) -> Node:
    """What stands inside parentheses and assertions of a type."""
    while node.type in WRAPS and node.named_children:
        node = next((each for each in node.named_children if each.type != "comment"), node.named_children[0])
    return node


def operator(node: Node) -> str:
    """The operator of an expression; empty where it has none."""
    found = node.child_by_field_name("operator")
    return found.type if found is not None else ""


def is_field(parent: Node, field: str, node: Node) -> bool:
    """Whether `node` stands in that field of `parent`."""
    found = parent.child_by_field_name(field)
    return found is not None and found.id == node.id
