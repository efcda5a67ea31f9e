"""Puts the value of a JavaScript or TypeScript variable where it was read: the way back of extracting it.

What was put there is read from the file as it becomes, and stays only if it could be made a variable again at the same
place: the same rules of order hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_extract import refuse_kind
from rubber_duck.code.refactoring.ecmascript_flow import uses_arguments
from rubber_duck.code.refactoring.ecmascript_names import FUNCTIONS, Names, function_of
from rubber_duck.code.refactoring.ecmascript_order import acts_in, is_settled, is_written_out, refuse_order
from rubber_duck.code.refactoring.ecmascript_place import is_field, refuse_place, statement_of, unwrapped
from rubber_duck.code.refactoring.ecmascript_reading import kinds, open_whole, refuse_misread, shape
from rubber_duck.code.refactoring.ecmascript_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_ATOMS: Final = frozenset(
    {
        "identifier",
        "string",
        "template_string",
        "true",
        "false",
        "null",
        "undefined",
        "this",
        "parenthesized_expression",
    }
    | {"call_expression", "member_expression", "subscript_expression", "array"}
)
_OPEN: Final = frozenset(
    {"arguments", "variable_declarator", "return_statement", "parenthesized_expression", "template_substitution"}
    | {"array", "jsx_expression"}
)
"""Where any expression may stand as it is, but for one with a comma."""

_HARMLESS: Final = frozenset(
    {"function_declaration", "generator_function_declaration", "interface_declaration", "type_alias_declaration"}
    | {"empty_statement", "comment"}
)


@dataclass(frozen=True, slots=True)
class Put:
    """A node that gives way to the bytes `text`, an expression of these kinds of nodes."""

    node: Node
    text: bytes
    kinds: list[str]


def binding_at(file: SourceFile, scopes: Scopes, spot: Spot) -> Binding:
    """What the name at `spot` means; without a column what its line declares. Raises InvalidInput."""
    for node in file.descendants(file.tree.root_node):
        found = scopes.of(node)
        if found is None:
            continue
        line, column = file.position(node.start_byte)
        is_there = column <= spot.column <= column + len(file.text(node))
        is_declared = not spot.column and any(each.id == node.id for each in found.declared)
        if line == spot.line and (is_there or is_declared):
            return found
    raise InvalidInput(f"there is no name at {spot.path}:{spot.line}:{spot.column} that the file declares")


def inline_variable(texts: Texts, spot: Spot) -> Refactored:
    """The file without the variable at `spot`: its value stands where it was read. Raises Refused."""
    file = open_whole(texts, spot.path)
    scopes = Scopes(file)
    found = binding_at(file, scopes, spot)
    if scopes.is_unsure:
        raise Refused("the file uses `eval` or `with`, which may read any name")
    declaration, value = _declaration(file, scopes, found)
    refuse_misread(file, declaration)
    refuse_kind(value, file.language)
    reads = found.uses
    if not reads:
        raise Refused(f"{found.name!r} is never read: there is no place for its value")
    for node in reads:
        if node.start_byte < declaration.end_byte:
            raise Refused(f"{found.name!r} is read before it has its value")
        if found.kind == "var" and function_of(node) != function_of(declaration):
            raise Refused(f"{found.name!r} is a `var` that another function reads, perhaps before it has its value")
    is_steady = is_firm(file, scopes, value, reads)
    if not is_steady:
        _require_near(file, declaration, value, reads)
    said = file.content[value.start_byte : value.end_byte]
    puts = [Put(node, written(value, node, said), kinds(unwrapped(value))) for node in reads]
    after, starts = put(file, puts, without=declaration)
    changed = open_source(file.path, after, file.language)
    placed = _placed(file, declaration, changed, puts, starts)
    for node in placed:
        refuse_place(changed, node)
    if not is_steady:
        (node,) = placed
        statement = statement_of(node)
        refuse_misread(changed, statement)
        refuse_order(changed, node, statement)
    return Refactored({spot.path: after.decode("utf-8", "surrogateescape")})


def _declaration(file: SourceFile, scopes: Scopes, found: Binding) -> tuple[Node, Node]:
    """The declaration that gives a variable its one value, on lines of its own, and that value."""
    name = found.name
    if found.kind not in {"const", "let", "var"} or found.written or len(found.declared) != 1:
        raise Refused(f"{name!r} is not given its value once, by a declaration")
    declarator = found.declared[0].parent
    declaration = declarator.parent if declarator is not None else None
    value = declarator.child_by_field_name("value") if declarator is not None else None
    if declarator is None or declaration is None or value is None or declarator.type != "variable_declarator":
        raise Refused(f"{name!r} is a part of what is given, and has no value of its own")
    if declarator.child_by_field_name("type") is not None:
        raise Refused(f"{name!r} has a type that its value need not have")
    block = declaration.parent
    if len([each for each in declaration.named_children if each.type != "comment"]) != 1:
        raise Refused(f"{name!r} is declared together with others")
    if block is None or block.type not in {"statement_block", "program"}:
        raise Refused(f"{name!r} is exported, or declared where no block is")
    if found.is_top and not scopes.is_module:
        raise Refused(f"{name!r} stands at the top of a script, where others may read it")
    if found.kind == "var" and (
        block.type != "program" and block.parent is not None and block.parent.type not in FUNCTIONS
    ):
        raise Refused(f"{name!r} is a `var` in a block, which may keep a value from before")
    return declaration, value


def is_firm(file: SourceFile, scopes: Scopes, value: Node, reads: Sequence[Node]) -> bool:
    """Whether the value is the same whenever and how often it is worked out, wherever it is read."""
    bare = unwrapped(value)
    if is_written_out(bare) and bare.type != "regex":
        return True
    if bare.type == "unary_expression":
        return unwrapped(bare.named_children[-1]).type == "number" and bare.children[0].type in {"-", "+"}
    if bare.type != "identifier":
        return False
    said = scopes.of(bare)
    if said is None or said.kind not in {"const", "let", "param", "class", "function"} or said.written:
        return False
    if said.kind == "param" and uses_arguments(file, said.scope):
        return False
    return all(scopes.seen(said.name, node) is said for node in reads)


def _require_near(file: SourceFile, declaration: Node, value: Node, reads: Sequence[Node]) -> None:
    """Anything else stays in its block, is read once, and nothing between can tell the difference."""
    if len(reads) != 1:
        raise Refused("its value is worked out once and read several times; inlined it would be worked out each time")
    (read,) = reads
    block = declaration.parent
    if block is None or function_of(read) != function_of(declaration):
        raise Refused("the place that reads it is in another function")
    reading = statement_of(read)
    body = list(block.named_children)
    places = [each.id for each in body]
    if reading.id not in places:
        raise Refused("the place that reads it is reached only sometimes, later or repeatedly")
    between = body[places.index(declaration.id) + 1 : places.index(reading.id)]
    names = Names(file, reading, value)
    for each in between:
        if not _is_passed(file, each, value, names):
            line, _ = file.position(each.start_byte)
            raise Refused(f"line {line}: between the declaration and the place that reads it something may happen")


def _is_passed(file: SourceFile, statement: Node, value: Node, names: Names) -> bool:
    """Whether a statement between only gives new names values that the value cannot see, nor change."""
    if statement.type in _HARMLESS:
        return True
    if statement.type != "lexical_declaration":
        return False
    for each in statement.named_children:
        given = each.child_by_field_name("value") if each.type == "variable_declarator" else None
        name = each.child_by_field_name("name") if each.type == "variable_declarator" else None
        if given is None or name is None or name.type != "identifier":
            return False
        if not is_settled(given, names) if acts_in(value) else acts_in(given):
            return False
    return True


def written(value: Node, place: Node, said: bytes) -> bytes:
    """The value, `said`, as it stands in a place, in brackets where it might join with what stands around it."""
    parent = place.parent
    is_open = parent is not None and parent.type in _OPEN and value.type != "sequence_expression"
    is_joined = not is_open and (value.type not in _ATOMS or b"?." in said)
    if parent is not None and is_field(parent, "constructor", place):
        is_joined = value.type != "identifier"
    if value.type == "number":
        is_joined = parent is not None and parent.type == "member_expression"
    text = b"(" + said + b")" if is_joined else said
    return place.text + b": " + text if place.type == "shorthand_property_identifier" and place.text else text


def put(file: SourceFile, puts: Sequence[Put], *, without: Node) -> tuple[bytes, list[int]]:
    """The content with every node replaced and the lines of `without` left out; where each replacement begins."""
    content = file.content
    start = content.rfind(b"\n", 0, without.start_byte) + 1
    newline = content.find(b"\n", without.end_byte)
    end = len(content) if newline < 0 else newline + 1
    is_said = any(each.type == "comment" for each in without.named_children)
    if is_said or content[start : without.start_byte].strip() or content[without.end_byte : end].strip():
        raise Refused("the definition shares its lines with something else, which would be lost")
    out, starts, at = b"", [], 0
    pieces = [(each.node.start_byte, each.node.end_byte, each.text) for each in puts]
    for first, last, text in sorted([*pieces, (start, end, b"")]):
        out += content[at:first]
        if text:
            starts.append(len(out))
        out += text
        at = last
    return out + content[at:], starts


def _placed(
    file: SourceFile, declaration: Node, changed: SourceFile, puts: Sequence[Put], starts: Sequence[int]
) -> list[Node]:
    """The nodes that were put in; raises Refused where anything beside them reads otherwise than before."""
    spans = [(start, start + len(each.text)) for start, each in zip(starts, puts, strict=True)]
    outer: dict[tuple[int, int], Node] = {}
    for node in changed.descendants(changed.tree.root_node):
        outer.setdefault((node.start_byte, node.end_byte), node)
    marked = [outer[span] for span in spans if span in outer]
    placed = [each.named_children[-1] if each.type == "pair" else each for each in marked]
    before = list(shape(file, replaced=[each.node.id for each in puts], left_out=[declaration.id]))
    is_same = (
        not changed.problems
        and len(placed) == len(puts)
        and list(shape(changed, replaced=[each.id for each in marked])) == before
        and all(kinds(unwrapped(node)) == each.kinds for node, each in zip(placed, puts, strict=True))
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")
    return placed
