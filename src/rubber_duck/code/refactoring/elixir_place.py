"""Where an expression stands in an Elixir function, and whether it may be worked out before its statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.elixir_module import SPECIAL, Module, Tree, arguments, callee, inside, operator
from rubber_duck.code.refactoring.elixir_scopes import SHORT, SIGILS, Scopes
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

SECTIONS: Final = frozenset({"do_block", "else_block", "rescue_block", "catch_block", "after_block"})
_GROUPS: Final = frozenset(
    {"tuple", "list", "map", "map_content", "keywords", "pair", "string", "charlist", "interpolation", "access_call"}
    | {"dot", "arguments"}
)
_OPERATORS: Final = frozenset(
    {"+", "-", "*", "/", "++", "--", "<>", "..", "//", "in", "not in", "==", "!=", "===", "!==", "<", ">", "<=", ">="}
    | {"=~", "|>", "|", "=>", "!", "not"}
)
_LITERALS: Final = frozenset(
    {"integer", "float", "atom", "char", "boolean", "nil", "alias", "quoted_content", "escape_sequence", "keyword"}
    | {"anonymous_function", "sigil_name", "sigil_modifiers", "comment", "struct"}
)
_STILL: Final = frozenset(
    {"tuple", "list", "keywords", "pair", "map", "map_content", "string", "charlist", "sigil"}
) | {
    *("quoted_atom", "quoted_keyword", "block"),
}
NO_VALUE: Final = frozenset(
    {"arguments", "keywords", "pair", "map_content", "stab_clause", "body", "quoted_content", "interpolation"}
    | {"comment", "keyword", "quoted_keyword", "escape_sequence", "sigil_name", "sigil_modifiers", "struct"}
    | {"source", "alias", "operator_identifier", "dot"}
    | SECTIONS
)
"""What has no value of its own."""


class Holder(StrEnum):
    """What a statement stands in."""

    BLOCK = "block"
    CLAUSE = "clause"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Place:
    """The statement around an expression, and what holds it."""

    statement: Node
    holder: Holder
    around: Node


def place_of(tree: Tree, module: Module, node: Node) -> Place:
    """Where an expression stands; raises Refused where it is not worked out once, whenever its statement is."""
    file = tree.file
    inner = node
    for each in tree.around(node):
        kind = each.type
        if kind in SECTIONS or kind == "body":
            place = Place(inner, Holder.BLOCK if kind in SECTIONS else Holder.CLAUSE, each)
            _refuse_home(tree, module, place)
            return place
        if kind == "call":
            if callee(file, each) in {"def", "defp"}:
                return _in_keyword(file, each, node)
            _refuse_call(tree, module, each, inner)
        elif kind == "binary_operator":
            _refuse_operator(file, each, inner, node)
        elif kind == "unary_operator":
            if operator(file, each) not in _OPERATORS:
                raise Refused(f"it stands behind '{operator(file, each)}', which is no plain operator")
        elif kind == "block":
            if len([child for child in each.named_children if child.type != "comment"]) != 1:
                raise Refused("it stands in brackets with several expressions")
        elif kind not in _GROUPS:
            raise Refused(f"it stands in what is no plain expression ({kind.replace('_', ' ')})")
        inner = each
    raise Refused("it stands in no function")


def refuse_macros(tree: Tree, module: Module, node: Node) -> None:
    """Raise Refused where a macro may stand around a node: it may do anything with the code in it."""
    file = tree.file
    for each in tree.around(node):
        word = callee(file, each)
        if word in {"def", "defp"}:
            return
        if each.type == "call" and not module.construct(each) and not module.is_plain(each):
            raise Refused(f"{_said(file, each)} may be a macro, and do anything with what stands in it")
        if operator(file, each) == "&":
            raise Refused("it stands in a capture (`&`)")
        if each.type == "sigil":
            raise Refused("it stands in a sigil")


def refuse_position(tree: Tree, module: Module, node: Node) -> None:
    """Raise Refused where an expression stands in a pattern, a guard or a capture, or beside no plain operator."""
    file = tree.file
    inner = node
    for each in tree.around(node):
        if callee(file, each) in {"def", "defp"}:
            if inner.type != "do_block" and not inside(node, _in_keyword(file, each, node).statement):
                raise Refused("it stands in the head of a function")
            return
        if each.type == "binary_operator" and operator(file, each) not in SHORT:
            _refuse_operator(file, each, inner, node)
        elif each.type == "unary_operator" and operator(file, each) not in _OPERATORS:
            raise Refused(f"it stands behind '{operator(file, each)}', which is no plain operator")
        elif each.type == "stab_clause" and inner.type != "body":
            raise Refused("it stands in the head of a clause")
        elif each.type in {"bitstring", "sigil"}:
            raise Refused(f"it stands in a {each.type}")
        elif each.type == "call" and callee(file, each) in {"put_in", "update_in", "get_and_update_in", "pop_in"}:
            raise Refused(f"`{callee(file, each)}` reads the way to a place there")
        inner = each


def refuse_order(tree: Tree, scopes: Scopes, node: Node, place: Place, *, acts: bool = False) -> None:
    """Raise Refused where something that its statement works out before an expression may act, or fail.

    `acts` says that what is to stand there is another expression, which may act.
    """
    file = tree.file
    if not acts and is_still(file, scopes, node):
        return
    for part in before(tree, node, place.statement):
        if not is_still(file, scopes, part):
            line, _ = file.position(part.start_byte)
            raise Refused(f"line {line}: {_said(file, part)} is worked out there before it, and would come after it")


def before(tree: Tree, node: Node, statement: Node) -> Iterator[Node]:
    """What the statement works out before an expression, in pieces."""
    file = tree.file
    inner = node
    for each in tree.around(node) if node.id != statement.id else ():
        is_match = operator(file, each) in {"=", "<-"}
        for child in each.named_children:
            is_word = each.type == "call" and child.type == "identifier" and child.start_byte == each.start_byte
            is_before = child.end_byte <= node.start_byte and child.id != inner.id
            if is_before and not is_word and not is_match and child.type not in {"keyword", "comment"}:
                yield from _worked_out(child)
        if callee(file, each) == "for":
            yield from _options(file, each)
        if operator(file, each) == "|>":
            yield from _given_first(file, each, inner)
        if each.id == statement.id:
            return
        inner = each


def _worked_out(child: Node) -> Iterator[Node]:
    """What is worked out of `Pond.swim`, in front of what it is given: nothing, if `Pond` is a module."""
    if child.type != "dot":
        yield child
        return
    left = child.child_by_field_name("left")
    if left is not None and left.type not in {"alias", "atom"}:
        yield left


def _options(file: SourceFile, call: Node) -> Iterator[Node]:
    for pair in (each for given in arguments(call) if given.type == "keywords" for each in given.named_children):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None and file.text(key).strip() != "do:":
            yield value


def _given_first(file: SourceFile, pipe: Node, inner: Node) -> Iterator[Node]:
    """`x |> then(f())` works out what it calls before what it gives it."""
    right = pipe.child_by_field_name("right")
    if right is not None and right.id != inner.id and callee(file, right) in {"then", "tap"}:
        yield from arguments(right)


def is_still(file: SourceFile, scopes: Scopes, node: Node) -> bool:
    """Whether working it out does nothing, cannot fail, and gives the same at any time."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type in _LITERALS:
            continue
        if each.type == "identifier":
            if each.id not in scopes.of and file.text(each) not in SPECIAL:
                return False
        elif each.type in {"unary_operator", "binary_operator"}:
            parts = _still_operands(file, each)
            if parts is None:
                return False
            stack.extend(parts)
        elif not _is_group(file, each):
            return False
        else:
            stack.extend(each.named_children)
    return True


def _is_group(file: SourceFile, node: Node) -> bool:
    """Whether a node is still as long as its parts are."""
    if node.type == "block":
        return len(node.named_children) == 1
    return node.type in _STILL and (node.type != "sigil" or file.text(node)[1:2] in SIGILS)


def _still_operands(file: SourceFile, node: Node) -> list[Node] | None:
    """What has to be still for an operation to be so; None where it can fail, or act."""
    word, operands = operator(file, node), node.named_children
    if word == "&":
        return []
    if word == "@":
        return [] if operands[0].type == "identifier" else None
    if word == "-" and node.type == "unary_operator":
        return [] if operands[0].type in {"integer", "float"} else None
    if word == "|" and node.parent is not None and node.parent.type == "map_content":
        return None  # an update fails where the map lacks the key
    return operands if word in {"|", "=>"} else None


def _in_keyword(file: SourceFile, call: Node, node: Node) -> Place:
    given = arguments(call)
    last = given[-1] if given else None
    if last is None or last.type != "keywords" or len(given) < 2:
        raise Refused("it stands in the head of a function")
    pairs = last.named_children
    value = pairs[0].child_by_field_name("value")
    key = pairs[0].child_by_field_name("key")
    is_body = key is not None and file.text(key).strip() == "do:" and len(pairs) == 1
    if not is_body or value is None or not (value.start_byte <= node.start_byte and node.end_byte <= value.end_byte):
        raise Refused("it stands in no body of its function")
    return Place(value, Holder.KEYWORD, call)


def _refuse_home(tree: Tree, module: Module, place: Place) -> None:
    """Raise Refused where a block is not surely done as it stands there."""
    refuse_macros(tree, module, place.around)


def _refuse_call(tree: Tree, module: Module, call: Node, inner: Node) -> None:
    file = tree.file
    construct = module.construct(call)
    given = arguments(call)
    if construct:
        first = given[0] if given else None
        is_first = first is not None and first.start_byte <= inner.start_byte and inner.type == "arguments"
        if not is_first:
            raise Refused(f"in `{construct}` it is worked out only sometimes, later or repeatedly")
        return
    if not module.is_plain(call):
        raise Refused(f"{_said(file, call)} may be a macro, and do anything with what stands in it")
    if callee(file, call) in {"then", "tap"}:
        raise Refused(f"`{callee(file, call)}` works out what it calls first")
    if callee(file, call) in {"put_in", "update_in", "get_and_update_in", "pop_in"}:
        raise Refused(f"`{callee(file, call)}` reads the way to a place there")


def _refuse_operator(file: SourceFile, each: Node, inner: Node, node: Node) -> None:
    word = operator(file, each)
    left = each.child_by_field_name("left")
    is_left = left is not None and left.id == inner.id
    if word in {"=", "<-"}:
        if is_left:
            raise Refused("it stands in a pattern")
    elif word in SHORT:
        if not is_left:
            raise Refused(f"on the right of '{word}' it is worked out only sometimes")
    elif word not in _OPERATORS:
        raise Refused(f"it stands beside '{word}', which is no plain operator")
    elif word == "|>" and not is_left and inner.id == node.id:
        raise Refused("it is a stage of a pipe, which lacks its first argument")


def require_first(tree: Tree, module: Module, node: Node) -> None:
    """Raise Refused where an expression stands in `if`, `case`, `with` or `for`, but not in what they do first."""
    file = tree.file
    for each in tree.around(node):
        if each.type in SECTIONS or each.type == "body":
            return
        word = module.construct(each) if each.type == "call" else ""
        if word:
            first = arguments(each)[0]
            if not (first.start_byte <= node.start_byte and node.end_byte <= first.end_byte):
                raise Refused(f"in `{word}` it is worked out only sometimes, later or repeatedly")
            if word in {"with", "for"} and operator(file, first) not in {"<-", "="}:
                raise Refused(f"it stands in a condition of `{word}`")


def _said(file: SourceFile, node: Node) -> str:
    said = " ".join(file.text(node).split())
    return f"'{said[:37]}…'" if len(said) > 38 else f"'{said}'"
