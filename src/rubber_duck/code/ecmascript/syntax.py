"""What calls and strings look like in the trees of JavaScript and TypeScript, which share their node kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rubber_duck.code.ecmascript.newer import is_newer
from rubber_duck.code.syntax import Syntax, unescape

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

LEAVES: Final = frozenset(
    {
        "identifier",
        "property_identifier",
        "shorthand_property_identifier",
        "type_identifier",
        "shorthand_property_identifier_pattern",
        "private_property_identifier",
        "statement_identifier",
        "number",
        "comment",
        "string_fragment",
        "escape_sequence",
        "regex_pattern",
        "regex_flags",
        "jsx_text",
        "this",
        "super",
        "true",
        "false",
        "null",
        "undefined",
        "empty_statement",
        "hash_bang_line",
        "html_comment",
        "html_character_reference",
        "accessibility_modifier",
        "override_modifier",
        "import",
        "this_type",
        "meta_property",
        "optional_chain",
        "existential_type",
    }
)
"""Named kinds without children, of all three grammars."""

LITERALS: Final = dict.fromkeys(("string", "template_string"), ("string_fragment", "escape_sequence"))
"""Strings, and what stands between the quotes of a plain one."""

_NAMES: Final = frozenset(
    {"identifier", "property_identifier", "private_property_identifier", "this", "super", "import"}
)


class EcmascriptSyntax(Syntax):
    """Calls are `call_expression` and `new_expression`; strings are `string` and `template_string`."""

    def name_of_call(self, node: Node, content: bytes) -> bytes:
        """The last name of the callee; `new Function(…)` has `Function`."""
        callee = _callee(node)
        if callee is not None and callee.type == "member_expression":
            callee = callee.child_by_field_name("property")
        if callee is None or callee.type not in _NAMES:
            return b""
        return content[callee.start_byte : callee.end_byte]

    def callee(self, node: Node, content: bytes) -> bytes:
        """The callee's names joined by dots; `?.` counts as a dot."""
        return dotted(_callee(node), content)

    def string_value(self, node: Node, content: bytes) -> str | None:
        """The value of a plain string or of a template without `${…}`."""
        if node.type not in {"string", "template_string"} or self.is_interpolated(node):
            return None
        text = content[node.start_byte + 1 : node.end_byte - 1].decode("utf-8", "replace")
        return unescape(text)

    def is_interpolated(self, node: Node) -> bool:
        """Whether it is a template with `${…}` in it."""
        return node.type == "template_string" and any(
            child.type == "template_substitution" for child in node.named_children
        )

    def is_newer_than_grammar(self, path: str, content: bytes, start_byte: int, end_byte: int) -> bool:
        """Modifiers of type parameters, any word as an exported name, whatever a declaration file says."""
        return is_newer(path, content, start_byte, end_byte)


def _callee(node: Node) -> Node | None:
    found = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    while found is not None and found.type in {"parenthesized_expression", "non_null_expression"}:
        found = found.named_child(0) if found.named_child_count == 1 else None
    return found


def dotted(node: Node | None, content: bytes) -> bytes:
    """`a.b.c` for a chain of names; `.b.c` where what stands before is not a name."""
    names: list[bytes] = []
    while node is not None and node.type in {"member_expression", "non_null_expression"}:
        if node.type == "non_null_expression":
            node = node.named_child(0)
            continue
        name = node.child_by_field_name("property")
        if name is not None:
            names.append(content[name.start_byte : name.end_byte])
        node = node.child_by_field_name("object")
    if node is not None and node.type in _NAMES:
        names.append(content[node.start_byte : node.end_byte])
    elif names:
        names.append(b"")
    return b".".join(reversed(names))
