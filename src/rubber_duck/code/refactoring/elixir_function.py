"""Makes statements or an expression of an Elixir function a `defp` behind it, and calls that in their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_reading import chosen_bytes, shape, shape_of
from rubber_duck.code.refactoring.elixir_extract import refuse_expression, selected
from rubber_duck.code.refactoring.elixir_module import (
    LEXICAL,
    Module,
    Tree,
    arguments,
    block_of,
    callee,
    inside,
    name_of,
    open_elixir,
    operator,
    require_fresh,
)
from rubber_duck.code.refactoring.elixir_place import SECTIONS, refuse_macros, refuse_position
from rubber_duck.code.refactoring.elixir_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_HERE: Final = re.compile(r"\b(?:__ENV__|__CALLER__|__STACKTRACE__|super)(?![\w?!])")
_WRITTEN: Final = frozenset({"string", "charlist", "sigil"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is selected: statements that follow each other in `block`, or one expression (`block` is None)."""

    nodes: tuple[Node, ...]
    block: Node | None

    @property
    def start(self) -> int:
        return self.nodes[0].start_byte

    @property
    def end(self) -> int:
        return self.nodes[-1].end_byte

    def holds(self, node: Node) -> bool:
        return self.start <= node.start_byte and node.end_byte <= self.end

    def is_last(self) -> bool:
        """Whether its value is that of its block."""
        if self.block is None:
            return True
        kept = [each for each in self.block.named_children if each.type not in SECTIONS | {"comment"}]
        return kept[-1].id == self.nodes[-1].id


def extract_function(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The selection as a private function `name` behind the one that it stands in; raises Refused, InvalidInput."""
    file = open_elixir(texts, stretch.path)
    require_fresh(file, name)
    tree = Tree(file)
    piece = _piece(file, tree, stretch)
    function, module = tree.function(piece.nodes[0]), tree.module(piece.nodes[0])
    if not module.home(function):
        raise Refused("the function is made by code around it, perhaps several times")
    scopes = Scopes(module, function)
    refuse_unsure(file, module, scopes, *piece.nodes)
    takes, gives = _flow(file, scopes, piece)
    last = _last_clause(file, tree, function)
    _refuse_attributes(file, piece, function, last)
    newline = newline_of(texts[stretch.path])
    given = f"{name}({', '.join(takes)})"
    if gives:
        given = f"{gives[0] if len(gives) == 1 else '{' + ', '.join(gives) + '}'} = {given}"
    end = _end_of_line(file, last)
    indent = _indent_of(file, last)
    made = f"{indent}defp {name}({', '.join(takes)}) do{newline}{_body(file, piece, indent, gives, newline)}{indent}end"
    content = file.content
    after = content[: piece.start] + given.encode() + content[piece.end : end]
    after += f"{newline}{newline}{made}".encode("utf-8", "surrogateescape") + content[end:]
    result = open_source(file.path, after, "elixir")
    _require_same(file, piece, result, name, returns=bool(gives))
    return Refactored({stretch.path: after.decode("utf-8", "surrogateescape")})


def _piece(file: SourceFile, tree: Tree, stretch: Stretch) -> _Piece:
    """The statements that are selected, or the expression."""
    start, end = chosen_bytes(file, stretch)
    for block in file.descendants(file.tree.root_node):
        if block.type not in SECTIONS | {"body"}:
            continue
        kept = [each for each in block.named_children if start <= each.start_byte and each.end_byte <= end]
        kept = [each for each in kept if each.type not in SECTIONS]
        if kept and kept[0].start_byte == start and kept[-1].end_byte == end:
            statements = tuple(each for each in kept if each.type != "comment")
            if not statements or statements[0].id != kept[0].id or statements[-1].id != kept[-1].id:
                raise Refused("select without the comments before and behind it")
            if any(each.type == "stab_clause" for each in statements):
                raise Refused("what is selected are clauses, and no statements")
            refuse_macros(tree, tree.module(statements[0]), statements[0])
            if callee(file, tree.parent(block) or block) in {"defmodule", "defimpl"}:
                raise Refused("it stands in no function: only what does is refactored in Elixir")
            return _Piece(statements, block)
    node = selected(file, stretch)
    tree.function(node)
    refuse_expression(file, tree, node)
    refuse_position(tree, tree.module(node), node)
    refuse_macros(tree, tree.module(node), node)
    return _Piece((node,), None)


def refuse_unsure(file: SourceFile, module: Module, scopes: Scopes, *nodes: Node) -> None:
    """Raise Refused where what is to move means something only where it stands, or nobody can read it."""
    if module.is_asked or re.search(r"@on_definition\b", file.content.decode("utf-8", "replace")):
        raise Refused("the file asks for the variables or the places of its own code (`binding`, `__ENV__`, `dbg`)")
    start, end = nodes[0].start_byte, nodes[-1].end_byte
    found = _HERE.search(file.content[start:end].decode("utf-8", "replace"))
    if found is not None:
        raise Refused(f"`{found[0]}` means something only in the function that it stands in")
    for node in scopes.unsure:
        if start <= node.start_byte and node.end_byte <= end:
            line, _ = file.position(node.start_byte)
            shown = " ".join(file.text(node).split())[:40]
            raise Refused(f"line {line}: '{shown}' may be a macro, and do anything with what stands in it")
    for node in scopes.free:
        if start <= node.start_byte and node.end_byte <= end and file.text(node) not in module.functions:
            raise Refused(f"{file.text(node)!r} is neither a variable nor a function of the module")
    function = next((each for each in module.tree.around(nodes[0]) if callee(file, each) in {"def", "defp"}), None)
    own = file.descendants(function) if function is not None else ()
    if any(callee(file, each) in LEXICAL for each in own):
        raise Refused("the function has an `alias`, `import` or `require` of its own")


def _flow(file: SourceFile, scopes: Scopes, piece: _Piece) -> tuple[list[str], list[str]]:
    """The names that a piece takes, by where they are first read, and those that it gives to what comes after it."""
    takes: list[tuple[int, str]] = []
    gives: list[tuple[int, str]] = []
    for each in scopes.all:
        inner = [node.start_byte for node in each.reads if piece.holds(node)]
        is_own = piece.holds(each.declared[0])
        if not is_own and inner:
            takes.append((min(inner), each.name))
        if is_own and any(not piece.holds(node) for node in each.reads):
            gives.append((each.declared[0].start_byte, each.name))
        if is_own:
            _refuse_unseen(file, scopes, piece, each)
    if gives and (piece.block is None or piece.is_last()):
        raise Refused(f"{gives[0][1]!r} is bound in it and read outside")
    names = [name for _, name in sorted(takes)]
    if len(set(names)) != len(names):
        raise Refused("it reads two variables of one name")
    return names, [name for _, name in sorted(gives)]


def _refuse_unseen(file: SourceFile, scopes: Scopes, piece: _Piece, bound: Binding) -> None:
    word = re.compile(rf"(?<![\w:]){re.escape(bound.name)}(?![\w?!:])")
    for node in scopes.unsure:
        is_read = any(inside(each, node) for each in bound.reads)
        if node.start_byte >= piece.end and not is_read and word.search(file.text(node)):
            line, _ = file.position(node.start_byte)
            raise Refused(f"line {line}: what says {bound.name!r} there may be a macro")


def _last_clause(file: SourceFile, tree: Tree, function: Node) -> Node:
    """The last of the definitions in a row that have the function's name."""
    block = tree.parent(function)
    name = name_of(file, arguments(function)[0])
    last = function
    for each in block.named_children if block is not None else ():
        if each.start_byte <= function.start_byte or each.type == "comment" or operator(file, each) == "@":
            continue
        given = arguments(each) if callee(file, each) in {"def", "defp"} else []
        if not given or name_of(file, given[0]) != name:
            break
        last = each
    return last


def _refuse_attributes(file: SourceFile, piece: _Piece, function: Node, last: Node) -> None:
    """An attribute has the value that it has where it is read: behind the function it must be the same."""
    read = {file.text(each) for part in piece.nodes for each in file.descendants(part) if operator(file, each) == "@"}
    block = last.parent
    for each in block.named_children if block is not None else ():
        is_between = function.end_byte <= each.start_byte < last.start_byte and operator(file, each) == "@"
        if is_between and any(file.text(each).startswith(f"{name} ") for name in read):
            raise Refused(f"{file.text(each).split()[0]!r} is given another value behind the function")


def _end_of_line(file: SourceFile, node: Node) -> int:
    content = file.content
    newline = content.find(b"\n", node.end_byte)
    end = len(content) if newline < 0 else newline
    rest = content[node.end_byte : end].strip()
    if rest and not rest.startswith(b"#"):
        raise Refused("the definition that it stands in shares its last line with another")
    return end - (1 if content[:end].endswith(b"\r") else 0)


def _indent_of(file: SourceFile, node: Node) -> str:
    start = file.content.rfind(b"\n", 0, node.start_byte) + 1
    indent = file.content[start : node.start_byte].decode("utf-8", "replace")
    if indent.strip():
        raise Refused("the definition that it stands in shares its first line with another")
    return indent


def _body(file: SourceFile, piece: _Piece, indent: str, gives: Sequence[str], newline: str) -> str:
    """The selection as the lines of a function; what stands in a text keeps its place."""
    content, unit = file.content, f"{indent}  "
    start = content.rfind(b"\n", 0, piece.start) + 1
    before = content[start : piece.start].decode("utf-8", "surrogateescape")
    if piece.block is not None:
        stop = content.find(b"\n", piece.end)
        tail = content[piece.end : len(content) if stop < 0 else stop].strip()
        is_free = not before.strip() or before.rstrip().endswith("->")
        if not is_free or (tail and not tail.startswith((b"#", b"end", b")"))):
            raise Refused("what is selected shares a line with something else")
    old = before if not before.strip() else before[: len(before) - len(before.lstrip())]
    kept: set[int] = set()
    for node in (each for part in piece.nodes for each in file.descendants(part)):
        if node.type in _WRITTEN:
            kept.update(range(file.position(node.start_byte)[0] + 1, file.position(node.end_byte)[0] + 1))
    number = file.position(piece.start)[0]
    first, *rest = content[piece.start : piece.end].decode("utf-8", "surrogateescape").split("\n")
    out = [unit + first]
    for at, each in enumerate(rest, number + 1):
        is_moved = at not in kept and each.strip()
        out.append(
            (unit + each.removeprefix(old) if each.startswith(old) else unit + each.lstrip()) if is_moved else each
        )
    if gives:
        out.append(unit + (gives[0] if len(gives) == 1 else f"{{{', '.join(gives)}}}"))
    return "\n".join(out) + newline


def _require_same(file: SourceFile, piece: _Piece, result: SourceFile, name: str, *, returns: bool) -> None:
    """Raise Refused unless the file reads as before, but for a call and a function that holds what the piece was."""
    nodes = list(result.descendants(result.tree.root_node))
    made = [each for each in nodes if callee(result, each) == "defp" and name_of(result, arguments(each)[0]) == name]
    block = block_of(made[0]) if len(made) == 1 else None
    held = [each for each in block.named_children if each.type != "comment"] if block is not None else []
    held = held[:-1] if returns else held
    first, *others = (each.id for each in piece.nodes)
    before = list(shape(file, replaced=[first], left_out=others))
    places = [each for each in nodes if each.start_byte == piece.start and each.is_named]
    is_same = (
        not result.problems
        and [list(shape_of(each)) for each in held] == [list(shape_of(each)) for each in piece.nodes]
        and any(list(shape(result, replaced=[each.id], left_out=[made[0].id])) == before for each in places)
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")
