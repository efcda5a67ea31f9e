"""What the grammar of Elixir reads and Elixir itself refuses (Elixir's syntax reference, and its parser's messages)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from tree_sitter import Query, QueryCursor

from rubber_duck.code.grammar import grammar

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

_RESERVED: Final = frozenset(b"after and catch do else end false fn in nil not or rescue true when".split())
_LONGEST: Final = max(map(len, _RESERVED))
_OPERATORS: Final = frozenset({"binary_operator", "unary_operator"})
_STRINGS: Final = frozenset({"string", "charlist", "sigil"})
_CONTAINERS: Final = frozenset({"list", "tuple", "bitstring", "map_content"})

_MOST_PIECES: Final = 10_000

_NO_BLANK: Final = "a blank is missing before this"
_NONE_BEHIND: Final = "a blank is missing behind this"

_QUERY: Final = """
(identifier) @name
[(atom) (quoted_atom)] @atom
(call target: [(identifier) (dot)] . (arguments) @arguments)
(binary_operator operator: ["and" "in" "or" "when"] @operator)
(binary_operator right: (keywords) @keywords)
(dot left: [(atom) (boolean) (nil)] right: (alias) @part)
"""


def misread(root: Node, content: bytes) -> list[tuple[Node, str]]:
    """The nodes below `root` that are wrong, each with what is wrong, in source order.

    None in a text of which the grammar could make nothing: a query takes quadratic time over its loose pieces.
    """
    if root.is_error and root.child_count > _MOST_PIECES:
        return []
    found = QueryCursor(_query()).captures(root)
    names, atoms, operators = (found.get(each, []) for each in ("name", "atom", "operator"))
    wrong = [(node, f"{content[slice(*node.byte_range)].decode()!r} is no name") for node in _reserved(names, content)]
    # `f:a` is neither a call nor a keyword, `1 integer` not `1 in teger`.
    wrong += [(node, _NO_BLANK) for node in atoms if _is_word(content[node.start_byte - 1 : node.start_byte])]
    wrong += [(node, _NONE_BEHIND) for node in operators if _is_word(content[node.end_byte : node.end_byte + 1])]
    wrong += [(node, said) for node in found.get("arguments", ()) if (said := _message(node))]
    wrong += [(node, "no keywords may stand here") for node in found.get("keywords", ()) if not _may_stand(node)]
    wrong += [(node, "this is in no module") for node in found.get("part", ())]
    return sorted(wrong, key=lambda each: each[0].start_byte)


def _reserved(names: list[Node], content: bytes) -> list[Node]:
    """Those that are words of the language. Behind a dot such a word is a name: `:queue.in(item, queue)`."""
    short = ((node, *node.byte_range) for node in names)
    words = (node for node, start, end in short if end - start <= _LONGEST and content[start:end] in _RESERVED)
    return [node for node in words if node.parent is None or node.parent.type != "dot"]


def _may_stand(keywords: Node) -> bool:
    """`%{map | key: value}`, and `x when x: term` in the specification of a type."""
    operation = keywords.parent
    operator = operation.child_by_field_name("operator") if operation is not None else None
    if operation is None or operator is None or operator.type == "when":
        return True
    return operation.parent is not None and operation.parent.type == "map_content"


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


def _message(arguments: Node) -> str:
    """What is wrong with the arguments of a call without parentheses, or `""`."""
    if _in_parentheses(arguments):
        return ""
    target, first = arguments.prev_sibling, arguments.child(0)
    if target is not None and first is not None:
        if target.end_point.row < first.start_point.row:  # in brackets the grammar passes over ends of lines
            return "a comma is missing before this"
        if target.end_byte == first.start_byte and first.type not in _STRINGS:  # `IO.puts"hi"` is a call
            return _NO_BLANK
    return "parentheses are missing around these" if _needs_parentheses(arguments) else ""


def _needs_parentheses(arguments: Node) -> bool:
    """`[f a, b]`, `g(x, f a, b)`: whose argument is `b`? Only with a block (`do … end`) it is plain."""
    if arguments.named_child_count < 2:
        return False
    node = arguments.parent
    if node is None or any(child.type == "do_block" for child in node.named_children):
        return False
    in_pair = False
    while (parent := node.parent) is not None:
        if parent.type in _CONTAINERS:
            return True
        if parent.type == "arguments":
            return parent.named_child_count > 1 or (in_pair and _in_parentheses(parent))
        if parent.type in {"pair", "keywords"}:
            in_pair = True
        elif parent.type not in _OPERATORS:
            return False
        node = parent
    return False


def _in_parentheses(arguments: Node) -> bool:
    first = arguments.child(0)
    return first is not None and first.type == "("


@cache
def _query() -> Query:
    return Query(grammar("elixir", "elixir").tree_sitter, _QUERY)
