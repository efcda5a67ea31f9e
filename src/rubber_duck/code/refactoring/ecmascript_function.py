"""Makes a JavaScript or TypeScript selection a function behind the definition that it stands in, and calls it there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript import refuse_shared_name
from rubber_duck.code.refactoring.ecmascript_extract import JOINS, refuse_kind
from rubber_duck.code.refactoring.ecmascript_flow import Flow, Piece, flow
from rubber_duck.code.refactoring.ecmascript_names import FUNCTIONS
from rubber_duck.code.refactoring.ecmascript_place import refuse_place
from rubber_duck.code.refactoring.ecmascript_reading import (
    chosen_bytes,
    is_ended,
    kinds,
    open_whole,
    refuse_misread,
    require_fresh,
    selected,
    shape,
)
from rubber_duck.code.refactoring.ecmascript_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Stretch, Texts, newline_of
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_BLOCKS: Final = frozenset({"statement_block", "program"})
_KEPT: Final = frozenset({"template_string", "string", "jsx_element", "jsx_self_closing_element"})
"""What holds lines whose beginning may mean something."""

_STACK: Final = re.compile(
    r"\b(?:captureStackTrace|console\.trace|new\s+\w*Error\s*\([^)]*\)\.stack|prepareStackTrace)\b"
)
"""What looks at who calls it."""

_AT_TOP: Final = frozenset({"import_statement", "export_statement", "ambient_declaration", "internal_module"})
_GUESSED: Final = {"number": "number", "string": "string", "template_string": "string", "true": "boolean"} | {
    "false": "boolean"
}
_NARROWED: Final = frozenset({"union_type", "optional_type", "this_type"})


def extract_function(texts: Texts, stretch: Stretch, name: str) -> Refactored:
    """The selection as a function `name` at the top of the file; raises Refused and InvalidInput."""
    file = open_whole(texts, stretch.path)
    require_fresh(file, name)
    piece = _piece(file, stretch)
    if _STACK.search(file.content[piece.start : piece.end].decode("utf-8", "replace")):
        raise Refused("it looks at the functions that are running, of which the new one would be another")
    scopes = Scopes(file)
    if not scopes.is_module:
        refuse_shared_name(texts, stretch.path, name)
    for each in piece.nodes:
        refuse_misread(file, each)
    if piece.is_expression:
        refuse_place(file, piece.nodes[0])
        refuse_kind(piece.nodes[0], file.language)
    _refuse_place(file, scopes, piece)
    known = flow(file, scopes, piece)
    made = _Made(file, scopes, piece, known, name)
    changed = open_source(stretch.path, made.after(newline_of(texts[stretch.path])), file.language)
    _require_same(file, piece, changed, name, returns=bool(known.makes or known.sets))
    return Refactored({stretch.path: changed.content.decode("utf-8", "surrogateescape")}, tuple(made.notes))


def _piece(file: SourceFile, stretch: Stretch) -> Piece:
    """The statements that are selected, or the expression."""
    start, end = chosen_bytes(file, stretch)
    for block in file.descendants(file.tree.root_node):
        if block.type not in _BLOCKS:
            continue
        inside = [each for each in block.named_children if start <= each.start_byte and each.end_byte <= end]
        if inside and inside[0].start_byte == start and inside[-1].end_byte == end:
            statements = [each for each in inside if each.type != "comment"]
            if not statements or any(each.type in _AT_TOP for each in statements):
                raise Refused("what is selected is no deed, but imports, exports or words")
            if statements[-1].id != inside[-1].id or statements[0].id != inside[0].id:
                raise Refused("select without the comments before and behind it")
            return Piece(tuple(statements), is_expression=False)
    node = selected(file, stretch)
    if node.parent is not None and node.parent.type == "expression_statement":
        return Piece((node.parent,), is_expression=False)
    return Piece((node,), is_expression=True)


def _refuse_place(file: SourceFile, scopes: Scopes, piece: Piece) -> None:
    """Raise Refused where the top of the file follows other rules than the place of the piece."""
    at = piece.nodes[0].parent
    is_strict = scopes.is_module or file.path.endswith((".mjs", ".mts")) or _directs(file, file.tree.root_node)
    while at is not None:
        if at.type in {"internal_module", "module", "ambient_declaration"}:
            raise Refused("it stands in a namespace, whose names are not known at the top of the file")
        body = at.child_by_field_name("body") if at.type in FUNCTIONS else None
        if not is_strict and (at.type == "class_body" or (body is not None and _directs(file, body))):
            raise Refused("it is in strict mode, and the top of the file is not")
        if at.type in {"decorator", "enum_declaration"}:
            raise Refused("it is worked out while something is being declared")
        at = at.parent
    for each in piece.nodes:
        is_text = each.type == "expression_statement" and each.named_children[0].type == "string"
        if is_text and not piece.is_expression:
            raise Refused("a text by itself may be a directive")


def _directs(file: SourceFile, body: Node) -> bool:
    """Whether a body begins with "use strict"."""
    for each in body.named_children:
        if each.type in {"comment", "hash_bang_line"}:
            continue
        if each.type != "expression_statement" or each.named_children[0].type != "string":
            return False
        if file.text(each.named_children[0])[1:-1] == "use strict":
            return True
    return False


@dataclass(slots=True)
class _Made:
    """The file as it becomes, in bytes."""

    file: SourceFile
    scopes: Scopes
    piece: Piece
    flow: Flow
    name: str
    notes: list[str]

    def __init__(self, file: SourceFile, scopes: Scopes, piece: Piece, known: Flow, name: str) -> None:
        self.file, self.scopes, self.piece, self.flow, self.name = file, scopes, piece, known, name
        self.notes = []

    def after(self, newline: str) -> bytes:
        """The whole text."""
        content, end = self.file.content, self._behind()
        call = self._call()
        if not self.piece.is_expression:
            rest = content[self.piece.end :].lstrip()
            is_closed = content[: self.piece.end].endswith(b";") or is_ended(self.file)
            call += ";" if is_closed or rest.startswith(tuple(each.encode() for each in JOINS)) else ""
        made = f"{newline}{newline}{self._function(newline)}".encode("utf-8", "surrogateescape")
        return content[: self.piece.start] + call.encode() + content[self.piece.end : end] + made + content[end:]

    def _behind(self) -> int:
        """The end of the line on which the definition ends that the piece stands in."""
        at = self.piece.nodes[-1]
        while at.parent is not None and at.parent.type != "program":
            at = at.parent
        content = self.file.content
        newline = content.find(b"\n", at.end_byte)
        end = len(content) if newline < 0 else newline
        rest = content[at.end_byte : end].strip()
        if rest and not rest.startswith(b"//"):
            raise Refused("the definition that it stands in shares its last line with another")
        return end - (1 if content[:end].endswith(b"\r") else 0)

    def _call(self) -> str:
        taken = ", ".join(each.name for each in self.flow.takes)
        call = f"{self.name}({taken})"
        makes, sets = self.flow.makes, self.flow.sets
        if self.flow.returns:
            return f"return {call}"
        if (makes and sets) or len(sets) > 1:
            said = ", ".join(repr(each.name) for each in (*makes, *sets))
            raise Refused(f"it gives several things to what comes after it: {said}")
        if sets:
            return f"{sets[0].name} = {call}"
        if not makes:
            return call
        words = {each.kind for each in makes}
        if len(makes) > 1 and "var" in words:
            raise Refused("it gives several variables to what comes after it, one of them by `var`")
        word = "const" if words == {"const"} else "let" if "let" in words else "var"
        said = ", ".join(each.name for each in makes)
        return f"{word} {said if len(makes) == 1 else f'{{ {said} }}'} = {call}"

    def _function(self, newline: str) -> str:
        parameters = ", ".join(self._parameter(each) for each in self.flow.takes)
        unit = self._unit()
        ends = ";" if is_ended(self.file) else ""
        if self.piece.is_expression:
            body = f"{unit}return {self.file.text(self.piece.nodes[0])}{ends}{newline}"
        else:
            body = self._moved(unit) + newline
            gives = [each.name for each in (*self.flow.makes, *self.flow.sets)]
            if gives:
                value = gives[0] if len(gives) == 1 else f"{{ {', '.join(gives)} }}"
                body += f"{unit}return {value}{ends}{newline}"
        return f"function {self.name}({parameters}) {{{newline}{body}}}"

    def _moved(self, unit: str) -> str:
        """The statements, indented as a function's; lines that begin inside of a text stay as they are."""
        content = self.file.content
        start = content.rfind(b"\n", 0, self.piece.start) + 1
        indent = content[start : self.piece.start]
        newline = content.find(b"\n", self.piece.end)
        tail = content[self.piece.end : len(content) if newline < 0 else newline].strip()
        if indent.strip() or (tail and not tail.startswith(b"//")):
            raise Refused("what is selected shares a line with something else")
        kept: set[int] = set()
        for node in (each for part in self.piece.nodes for each in self.file.descendants(part)):
            if node.type in _KEPT:
                first, last = self.file.position(node.start_byte)[0], self.file.position(node.end_byte)[0]
                kept.update(range(first + 1, last + 1))
        number = self.file.position(self.piece.start)[0]
        lines = content[start : self.piece.end].decode("utf-8", "surrogateescape").split("\n")
        prefix = indent.decode()
        out = []
        for each in lines:
            is_moved = number not in kept and each.strip() and each.startswith(prefix)
            out.append(unit + each.removeprefix(prefix) if is_moved else each)
            number += 1
        return "\n".join(out)

    def _unit(self) -> str:
        found = re.search(rb"(?:^|\n)(\t| {2,8})(?=[^\s*])", self.file.content)
        return found[1].decode() if found else "  "

    def _parameter(self, taken: Binding) -> str:
        if self.file.language != "typescript":
            return taken.name
        declared = taken.declared[0]
        around = declared.parent
        said = around.child_by_field_name("type") if around is not None else None
        if around is None or around.type not in {"required_parameter", "optional_parameter", "variable_declarator"}:
            said = None
        if said is not None and around is not None:
            self._refuse_local_types(said)
            missing = " | undefined" if around.type == "optional_parameter" else ""
            if missing or any(each.type in _NARROWED for each in self.file.descendants(said)):
                self.notes.append(f"{taken.name!r} has the type that is written down: what was ruled out before is not")
            return f"{taken.name}{self.file.text(said)}{missing}"
        value = (
            around.child_by_field_name("value") if around is not None and around.type == "variable_declarator" else None
        )
        guessed = _GUESSED.get(value.type) if value is not None else None
        if guessed is None:
            raise Refused(f"the type of {taken.name!r} is not written down, and a parameter needs one")
        return f"{taken.name}: {guessed}"

    def _refuse_local_types(self, said: Node) -> None:
        for each in self.file.descendants(said):
            found = self.scopes.of(each)
            if found is not None and not found.is_top:
                raise Refused(f"the type {found.name!r} is known only where it stands")


def _require_same(file: SourceFile, piece: Piece, changed: SourceFile, name: str, *, returns: bool) -> None:
    """Raise Refused unless the file reads as before, but for a call and a function that holds what the piece was."""
    made = next(
        (
            each
            for each in changed.tree.root_node.children
            if each.type == "function_declaration" and changed.text(each.child_by_field_name("name") or each) == name
        ),
        None,
    )
    body = made.child_by_field_name("body") if made is not None else None
    if changed.problems or made is None or body is None:
        raise Refused("the file would not parse afterwards")
    held = [each for each in body.named_children if each.type != "comment"]
    if piece.is_expression:
        held = [each for each in held[0].named_children if each.type != "comment"] if held else []
    elif returns:
        held = held[:-1]
    first, *others = (each.id for each in piece.nodes)
    calls = [
        each
        for each in changed.descendants(changed.tree.root_node)
        if each.start_byte == piece.start and (piece.is_expression or each.parent is not None)
    ]
    before = list(shape(file, replaced=[first], left_out=others))
    is_same = [_bare(each) for each in held] == [_bare(each) for each in piece.nodes] and any(
        list(shape(changed, replaced=[each.id], left_out=[made.id])) == before for each in calls
    )
    if not is_same:
        raise Refused("the rest of the file would read otherwise afterwards")


def _bare(node: Node) -> list[str]:
    """The kinds in a statement, with or without the semicolon that ends it."""
    found = kinds(node)
    return found[:-1] if found[-1] == ";" else found
