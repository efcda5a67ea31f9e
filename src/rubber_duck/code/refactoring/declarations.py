"""Where JavaScript and TypeScript give a name to something, and where that name is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

_DECLARING: Final = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_signature",
        "function_expression",
        "class_declaration",
        "abstract_class_declaration",
        "class",
        "variable_declarator",
        "interface_declaration",
        "type_alias_declaration",
        "enum_declaration",
        "type_parameter",
        "internal_module",
    }
)
_FUNCTIONS: Final = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
    }
)
_SCOPES: Final = _FUNCTIONS | {
    "statement_block",
    "for_statement",
    "for_in_statement",
    "catch_clause",
    "program",
    "class_body",
    "function_signature",
    "method_signature",
    "switch_body",
    "interface_declaration",
    "type_alias_declaration",
    "function_type",
    "class_declaration",
}


def declares(node: Node) -> bool:
    """Whether the name is given to something here."""
    parent: Node | None = node.parent
    if parent is None:
        return False
    if parent.type in _DECLARING:
        return _is_field(parent, "name", node)
    if parent.type in {"import_specifier", "namespace_import", "import_clause"}:
        return parent.named_children[-1].id == node.id
    return _declares_in_pattern(parent, node)


def _declares_in_pattern(around: Node, node: Node) -> bool:
    at: Node | None = around
    inner = node
    while at is not None:
        if (found := _FIELDS.get(at.type)) is not None:
            is_new = at.type != "for_in_statement" or at.child_by_field_name("kind") is not None
            return is_new and _is_field(at, found, inner)
        if at.type == "formal_parameters":
            return True
        side = _SIDES.get(at.type)
        if side is None or (side and not _is_field(at, side, inner)):
            return False
        inner = at
        at = at.parent
    return False


_FIELDS: Final = {
    "variable_declarator": "name",
    "required_parameter": "pattern",
    "optional_parameter": "pattern",
    "arrow_function": "parameter",
    "catch_clause": "parameter",
    "for_in_statement": "left",
}
"""Where a pattern that declares ends: in which field of what."""

_SIDES: Final = {
    "assignment_pattern": "left",
    "object_assignment_pattern": "left",
    "pair_pattern": "value",
    "object_pattern": "",
    "array_pattern": "",
    "rest_pattern": "",
}
"""What a pattern is made of, and the field that holds patterns again; empty: all of it."""


def _is_field(parent: Node, name: str, node: Node) -> bool:
    found = parent.child_by_field_name(name)
    return found is not None and found.id == node.id


def scope(declared: Node) -> Node:
    """The node in which a declared name is known."""
    at = declared.parent
    is_var = False
    while at is not None:
        if at.type == "variable_declaration":
            is_var = True
        if at.type == "program":
            return at
        is_own_name = (
            at.type in _DECLARING
            and _is_field(at, "name", declared)
            and at.type
            not in {
                "variable_declarator",
                "type_parameter",
                "function_expression",
                "class",
            }
        )
        if at.type in _SCOPES and not is_own_name and (not is_var or at.type in _FUNCTIONS):
            return at
        at = at.parent
    raise Refused("where the name is known cannot be told")


def is_exported(declared: Node) -> bool:
    """Whether the declaration itself says `export`, and not as the default."""
    at: Node | None = declared.parent
    while at is not None and at.type in _DECLARING | {"lexical_declaration", "variable_declaration"}:
        at = at.parent
    if at is None or at.type != "export_statement":
        return False
    return not any(child.type == "default" for child in at.children)


def is_markup(node: Node, name: str) -> bool:
    """Whether it is the name of an HTML element."""
    parent = node.parent
    is_element = parent is not None and parent.type.startswith("jsx_") and parent.type.endswith("element")
    return is_element and name[:1].islower()
