"""How likely it is that an expression holds what somebody outside wrote."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from rubber_duck.analysis.reading import children
from rubber_duck.code.source import Node, SourceFile

_LITERALS: Final = frozenset(
    {
        *(
            "integer",
            "float",
            "number",
            "true",
            "false",
            "none",
            "null",
            "undefined",
            "boolean",
            "nil",
            "atom",
            "ellipsis",
        ),
        *("comparison_operator", "not_operator", "regex", "char", "alias"),
    }
)
_WRAPPERS: Final = frozenset(
    {
        *("parenthesized_expression", "tuple", "list", "array", "set", "dictionary", "object", "pair", "keywords"),
        *(
            "unary_operator",
            "unary_expression",
            "binary_operator",
            "binary_expression",
            "interpolation",
            "as_expression",
        ),
        *("template_substitution", "list_splat", "arguments", "boolean_operator", "map", "map_content"),
    }
)
"""Constant where all their parts are."""

_CONSTANT_NAME: Final = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*")
_OF_REQUESTS: Final = frozenset({"GET", "POST", "COOKIES", "FILES", "META", "REQUEST", "SERVER"})
_COUNTS: Final = frozenset(
    {"int", "len", "float", "round", "abs", "hash", "id", "ord", "bool", "range", "sum", "Number"}
)
_COUNTS_TOO: Final = frozenset({"parseInt", "parseFloat", "length", "map_size", "String.length", "count", "Integer"})
_TEXTS_OF: Final = frozenset({"str", "String", "to_string"})
"""Calls that write their argument as text and add nothing."""

_OUTSIDE: Final = re.compile(
    r"\brequest\s?[.\[]|\breq\.(?:body|query|params|headers|cookies)|\bparams\b|\bsys\.argv\b|\bprocess\.argv\b|\binput\(|\.GET\b|\.POST\b|\bconn\.|"
    r"\blocation\.(?:hash|search|href)|\bsearchParams\b"
)
_NODES_READ: Final = 200


def is_constant(node: Node, file: SourceFile, *, harmless: Collection[str] = ()) -> bool:
    """Whether the value is written in the code, is a number or a `CONSTANT`, or comes from a call named in `harmless`.

    `harmless` names are compared in lower case; a call whose name contains one counts.
    """
    stack = [node]
    budget = _NODES_READ
    while stack:
        each = stack.pop()
        budget -= 1
        parts = _decisive_parts(each, file, harmless) if budget > 0 else None
        if parts is None:
            return False
        stack.extend(parts)
    return True


def _decisive_parts(node: Node, file: SourceFile, harmless: Collection[str]) -> Sequence[Node] | None:
    """The parts that must be constant for `node` to be; None where it is not whatever they are."""
    kind = node.type
    if kind in _LITERALS or kind == "comment":
        return ()
    if kind in {"string", "template_string", "concatenated_string", "charlist", "sigil"}:
        return [child for child in node.named_children if child.type in {*_WRAPPERS, "string"}]
    if kind == "binary_operator" and children.operator(node) == "*" and file.family == "python":
        texts = [part for part in node.named_children if part.type in {"string", "list"}]
        return texts or node.named_children  # `"?" * n` is made of question marks, whatever the number
    if kind in _WRAPPERS:
        return node.named_children
    if kind in {"conditional_expression", "ternary_expression"}:
        parts = [child for child in node.named_children if child.type != "comment"]
        return [part for index, part in enumerate(parts) if index != (1 if file.family == "python" else 0)]
    if kind in {"list_comprehension", "generator_expression", "set_comprehension"}:
        return node.named_children[:1] or None
    if kind in {"identifier", "attribute", "member_expression", "shorthand_property_identifier", "subscript"}:
        name = file.text(node).partition("[")[0].rpartition(".")[2]
        return () if _CONSTANT_NAME.fullmatch(name) and name not in _OF_REQUESTS else None
    if kind in {"call", "call_expression", "new_expression"}:
        return () if _is_harmless_call(node, file, harmless) else None
    return None


def is_from_outside(node: Node, file: SourceFile) -> bool:
    """Whether the expression itself names a request, the command line or the like."""
    return bool(_OUTSIDE.search(file.text(node)))


def _is_harmless_call(call: Node, file: SourceFile, harmless: Collection[str]) -> bool:
    name = file.name_of_call(call)
    if name in _COUNTS or name in _COUNTS_TOO or name == "_":  # `_`: a translated text
        return True
    lower = name.lower()
    if any(word in lower for word in harmless):
        return True
    if name == "join" or name in _TEXTS_OF:  # `", ".join(["%s"] * 3)`
        holder = call.child_by_field_name("arguments")
        given = children.first(holder)
        return given is not None and is_constant(given, file, harmless=harmless)
    return False
