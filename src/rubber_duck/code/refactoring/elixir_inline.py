"""Puts the value of an Elixir variable where it is read: nothing changes, so only what acts has to keep its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_reading import shape, shape_of
from rubber_duck.code.refactoring.elixir_extract import binds_for_others
from rubber_duck.code.refactoring.elixir_module import Tree, inside, open_elixir, operator
from rubber_duck.code.refactoring.elixir_place import (
    SECTIONS,
    is_still,
    place_of,
    refuse_macros,
    refuse_order,
    require_first,
)
from rubber_duck.code.refactoring.elixir_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

MADE: Final = frozenset({"anonymous_function", "sigil"})
_ATOMS: Final = frozenset(
    {"identifier", "integer", "float", "atom", "string", "charlist", "boolean", "nil", "alias", "list", "tuple", "map"}
    | {"block", "char", "sigil", "bitstring", "access_call", "quoted_atom"}
)
_APART: Final = frozenset({"list", "tuple", "interpolation", "block"})
_GUARDED: Final = frozenset({"identifier", "integer", "float", "atom", "boolean", "nil"})


@dataclass(frozen=True, slots=True)
class Given:
    """A match that gives a variable its value: `name = value`, a statement of its own."""

    binding: Binding
    match: Node
    value: Node


def inline_variable(texts: Texts, spot: Spot) -> Refactored:
    """The file without the variable at `spot`: its value stands where it was read. Raises Refused, InvalidInput."""
    file = open_elixir(texts, spot.path)
    node = name_at(file, spot)
    tree = Tree(file)
    scopes = Scopes(tree.module(node), tree.function(node))
    if tree.module(node).is_asked:
        raise Refused("the file asks for the variables or the places of its own code (`binding`, `__ENV__`, `dbg`)")
    found = scopes.of.get(node.id)
    if found is None:
        raise InvalidInput(f"{file.text(node)!r} is no variable there")
    given = _given(file, tree, found)
    refuse_macros(tree, tree.module(node), given.match)
    _refuse_unseen(file, scopes, found)
    is_firm = is_still(file, scopes, given.value)
    made = [each for each in file.descendants(given.value) if each.type in MADE or operator(file, each) == "&"]
    if len(found.reads) > 1 and (not is_firm or made):
        raise Refused("its value is worked out once and read several times; inlined it would be worked out each time")
    for read in found.reads:
        _refuse_read(file, tree, scopes, given, read)
    if not is_firm:
        _require_near(tree, scopes, given)
    pieces = [(each, written(file, given.value, tree.parent(each))) for each in found.reads]
    after = _without(file, given.match, pieces)
    _require_same(file, after, given, pieces)
    return Refactored({spot.path: after.decode("utf-8", "surrogateescape")})


def name_at(file: SourceFile, spot: Spot) -> Node:
    """The name at a place, without a column the first of its line; raises InvalidInput."""
    for node in file.descendants(file.tree.root_node):
        line, column = file.position(node.start_byte)
        is_there = not spot.column or column <= spot.column <= column + len(file.text(node))
        if node.type == "identifier" and line == spot.line and is_there:
            return node
    raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column}")


def _given(file: SourceFile, tree: Tree, found: Binding) -> Given:
    name = found.name
    match = tree.parent(found.declared[0])
    left = match.child_by_field_name("left") if match is not None else None
    value = match.child_by_field_name("right") if match is not None else None
    is_plain = left is not None and left.id == found.declared[0].id and len(found.declared) == 1
    if match is None or value is None or operator(file, match) != "=" or not is_plain:
        raise Refused(f"{name!r} is bound by a pattern or a head, and has no value of its own")
    block = tree.parent(match)
    if block is None or block.type not in SECTIONS | {"body"}:
        raise Refused(f"{name!r} is bound inside of an expression")
    if not found.reads:
        raise Refused(f"{name!r} is never read: there is no place for its value")
    if binds_for_others(file, tree, value):
        raise Refused("its value binds another name, which what comes after it sees")
    return Given(found, match, value)


def _refuse_unseen(file: SourceFile, scopes: Scopes, found: Binding) -> None:
    """Raise Refused where a macro or a template may read the variable."""
    word = re.compile(rf"(?<![\w:]){re.escape(found.name)}(?![\w?!:])")
    for node in scopes.unsure:
        if node.start_byte > found.declared[0].start_byte and word.search(file.text(node)):
            line, _ = file.position(node.start_byte)
            raise Refused(f"line {line}: what says {found.name!r} there may be a macro")


def _refuse_read(file: SourceFile, tree: Tree, scopes: Scopes, given: Given, read: Node) -> None:
    line, _ = file.position(read.start_byte)
    value = given.value
    known = scopes.seen[read.id]
    for each in file.descendants(value):
        meant = scopes.of.get(each.id)
        is_own = meant is None or inside(meant.declared[0], value)
        if not is_own and known.get(file.text(each)) not in {meant, given.binding}:
            raise Refused(f"line {line}: {file.text(each)!r} is another variable there")
    refuse_value(file, tree, value, read, given.match)


def refuse_value(file: SourceFile, tree: Tree, value: Node, read: Node, end: Node) -> None:
    """Raise Refused where not every value may stand in the place of a variable: in guards, sizes, captures, sigils.

    What stands around is looked at up to the node `end`, or to the function.
    """
    line, _ = file.position(read.start_byte)
    inner = read
    for each in tree.around(read) if read.id != end.id else ():
        word = operator(file, each)
        right = each.child_by_field_name("right") if word in {"when", "::"} else None
        if right is not None and right.id == inner.id and value.type not in _GUARDED:
            raise Refused(f"line {line}: it is read in a guard or a size, where not every value may stand")
        if word == "^" and value.type != "identifier":
            raise Refused(f"line {line}: a pattern pins it (`^`), which takes a variable")
        if word == "&" and any(operator(file, part) == "&" for part in file.descendants(value)):
            raise Refused(f"line {line}: a capture would stand in a capture")
        if each.type == "sigil":
            raise Refused(f"line {line}: it is read in a sigil")
        if each.id == end.id:
            break
        inner = each


def _require_near(tree: Tree, scopes: Scopes, given: Given) -> None:
    """What acts is read once, in a statement of its own block, and nothing in between can tell the difference."""
    file = tree.file
    (read,) = given.binding.reads
    module = tree.module(read)
    place = place_of(tree, module, read)
    require_first(tree, module, read)
    refuse_macros(tree, module, read)
    block = tree.parent(given.match)
    if block is None or place.around.id != block.id:
        raise Refused("the place that reads it is reached only sometimes, later or repeatedly")
    for each in block.named_children:
        if not given.match.end_byte <= each.start_byte < place.statement.start_byte or each.type == "comment":
            continue
        left, right = each.child_by_field_name("left"), each.child_by_field_name("right")
        is_still_match = (
            operator(file, each) == "="
            and left is not None
            and right is not None
            and left.type == "identifier"
            and is_still(file, scopes, right)
        )
        if not is_still_match:
            line, _ = file.position(each.start_byte)
            raise Refused(f"line {line}: between the match and the place that reads it something may happen")
    refuse_order(tree, scopes, read, place, acts=True)


def written(file: SourceFile, value: Node, parent: Node | None) -> bytes:
    """The value as it stands in another place, in brackets where it might join with what stands around it."""
    said = file.content[value.start_byte : value.end_byte]
    is_dotted = parent is not None and parent.type == "dot"
    is_closed = value.type in _ATOMS or _is_closed(file, value)
    is_closed = is_closed or (value.type == "anonymous_function" and not is_dotted)
    is_statement = parent is not None and (parent.type in SECTIONS | {"body"} or operator(file, parent) == "=")
    is_apart = parent is not None and (parent.type in _APART or file.text(parent).startswith("("))
    if parent is not None and parent.type in {"arguments", "pair"}:
        calls = (each for each in file.descendants(value) if each.type == "call")
        is_clear = (said[:1].isalnum() or said[:1] in b"_@") and all(_is_closed(file, each) for each in calls)
        is_apart = is_apart or is_clear
    is_open = is_statement or (is_apart and value.type in {"binary_operator", "unary_operator"})
    is_piped = operator(file, value) == "|>" and parent is not None and operator(file, parent) == "|>"
    return said if is_closed or is_open or is_piped else b"(" + said + b")"


def _is_closed(file: SourceFile, call: Node) -> bool:
    """Whether brackets hold what a call is given; `bump two(1)` ends with one, and holds nothing together."""
    given = next((each for each in call.children if each.type == "arguments"), None)
    target = call.child_by_field_name("target")
    is_held = given is not None and target is not None and given.start_byte == target.end_byte
    return call.type == "call" and is_held and given is not None and given.end_byte == call.end_byte


def _without(file: SourceFile, match: Node, pieces: Sequence[tuple[Node, bytes]]) -> bytes:
    content = file.content
    start = content.rfind(b"\n", 0, match.start_byte) + 1
    newline = content.find(b"\n", match.end_byte)
    end = len(content) if newline < 0 else newline + 1
    if content[start : match.start_byte].strip() or content[match.end_byte : end].strip():
        raise Refused("the match shares its lines with something else, which would be lost")
    above = content[:start].rstrip(b" \t\r\n").endswith((b" do", b"->", b"else")) or content[:start].endswith(b"\n\n")
    if above and content[end : end + 1] == b"\n":
        end += 1  # the blank line that set the match apart
    if any(each.type == "comment" for each in file.descendants(match)):
        raise Refused("a comment stands in it, which would be lost")
    out, at = b"", 0
    edits = [(each.start_byte, each.end_byte, text) for each, text in pieces]
    for first, last, text in sorted([*edits, (start, end, b"")]):
        out += content[at:first] + text
        at = last
    return out + content[at:]


def _require_same(file: SourceFile, after: bytes, given: Given, pieces: Sequence[tuple[Node, bytes]]) -> None:
    """Raise Refused unless the file reads as before, but for the values in place of the names."""
    result = open_source(file.path, after, "elixir")
    want: list[str] = []
    value = list(shape_of(given.value))
    reads = {each.id: text for each, text in pieces}
    stack = [file.tree.root_node]
    while stack:
        each = stack.pop()
        if each.type == "comment" or each.id == given.match.id:
            continue
        if each.id in reads:
            is_put = reads[each.id].startswith(b"(") and not file.text(given.value).startswith("(")
            want += ["block", "(", *value, ")"] if is_put else value
            continue
        want.append(each.type)
        stack.extend(reversed(each.children))
    if result.problems or list(shape(result)) != want:
        raise Refused("the rest of the file would read otherwise afterwards")
