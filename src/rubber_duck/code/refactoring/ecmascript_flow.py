"""What a piece of a JavaScript function takes from around it and gives back, so that it could be a function itself.

The piece is done at once (it may not wait or yield), so that nobody else's code runs in between but what it calls.
What such code could see or change (a variable that another function also has) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript_names import FUNCTIONS, function_of
from rubber_duck.code.refactoring.ecmascript_scopes import Binding, Scopes
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

LOOPS: Final = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_OPAQUE: Final = frozenset(
    {"function_declaration", "function_expression", "generator_function", "method_definition"}
) | {
    "generator_function_declaration",
    "class_static_block",
    "field_definition",
    "public_field_definition",
}
"""What has a `this` of its own."""

_OUTSIDE: Final = {
    "this": "`this`",
    "super": "`super`",
    "meta_property": "`new.target` or `import.meta`",
    "private_property_identifier": "a private member of its class",
}
_VARIABLES: Final = frozenset({"const", "let", "var", "param", "catch"})


@dataclass(frozen=True, slots=True)
class Piece:
    """What is selected: statements that follow each other in one block, or one expression; bytes [start, end)."""

    nodes: tuple[Node, ...]
    is_expression: bool

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.nodes[0].start_byte

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.nodes[-1].end_byte

    @property
    def function(self) -> int:
        """The id of the function around it; 0 at the top of the file."""
        parent = self.nodes[0].parent
        return function_of(parent) if parent is not None else 0

    def holds(self, node: Node) -> bool:
        """Whether a node stands in it."""
        return self.start <= node.start_byte and node.end_byte <= self.end

    def around(self) -> Iterator[Node]:
        """The nodes around it, up to the function that it stands in."""
        at = self.nodes[0].parent
        while at is not None and at.type not in FUNCTIONS:
            yield at
            at = at.parent

    @property
    def is_repeated(self) -> bool:
        """Whether a loop around it, in its own function, may do it again."""
        return any(each.type in LOOPS or each.type == "labeled_statement" for each in self.around())


@dataclass(frozen=True, slots=True)
class Flow:
    """What a piece takes, what it declares for those after it (`makes`), and what it gives a new value (`sets`)."""

    takes: tuple[Binding, ...]
    makes: tuple[Binding, ...]
    sets: tuple[Binding, ...]
    returns: bool


def flow(file: SourceFile, scopes: Scopes, piece: Piece) -> Flow:
    """What goes in and out of a piece; raises Refused where that cannot be told, or cannot be done."""
    if scopes.is_unsure:
        raise Refused("the file uses `eval` or `with`, which may change any name")
    returns = refuse_leaving(file, piece)
    takes: dict[int, Binding] = {}
    makes: dict[int, Binding] = {}
    sets: dict[int, Binding] = {}
    for node in (each for part in piece.nodes for each in file.descendants(part)):
        found = scopes.of(node)
        if file.text(node) in scopes.risen and "identifier" in node.type:
            raise Refused(f"{file.text(node)!r} is a function in a block, which scripts and modules do not agree about")
        if found is None or (piece.holds(found.scope) and found.scope.type != "program"):
            continue
        inside = [piece.holds(each) for each in found.declared]
        if all(inside):
            makes[id(found)] = found
        elif any(inside):
            raise Refused(f"{found.name!r} is declared there and elsewhere")
        elif not found.is_top:
            takes[id(found)] = found
            if any(piece.holds(each) for each in found.written):
                sets[id(found)] = found
    for each in takes.values():
        _refuse_taken(file, piece, each, is_set=id(each) in sets)
    given = tuple(each for each in makes.values() if _is_made_for_others(file, piece, each, is_module=scopes.is_module))
    given_back = tuple(each for each in sets.values() if _is_read_after(piece, each))
    if returns and (given or given_back):
        raise Refused(f"it returns, and {(*given, *given_back)[0].name!r} is used afterwards")
    return Flow(tuple(takes.values()), given, given_back, returns)


def refuse_leaving(file: SourceFile, piece: Piece) -> bool:
    """Whether the piece ends its function as its last deed; raises Refused where it leaves itself any other way."""
    returns = False
    for node, around in _own(piece.nodes):
        line, _ = file.position(node.start_byte)
        if node.type in {"await_expression", "yield_expression"} or _awaits(node):
            raise Refused(f"line {line}: it waits or yields, which a call would do one turn later, or not at all")
        if node.type == "return_statement":
            if node.id != piece.nodes[-1].id:
                raise Refused(f"line {line}: a return would only leave the new function")
            returns = True
        if node.type in {"break_statement", "continue_statement"} and not _is_inside(file, node, around):
            raise Refused(f"line {line}: it leaves a loop that is not selected")
    for node in _with_this(piece.nodes):
        said = _OUTSIDE.get(node.type) or ("`arguments`" if _is_arguments(file, node) else "")
        if said:
            line, _ = file.position(node.start_byte)
            raise Refused(f"line {line}: {said} would mean something else in a function of its own")
    return returns


def _own(nodes: Sequence[Node]) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """The nodes that run in the piece's own function, each with those of the piece around it."""
    stack: list[tuple[Node, tuple[Node, ...]]] = [(each, ()) for each in reversed(nodes)]
    while stack:
        node, around = stack.pop()
        yield node, around
        if node.type not in FUNCTIONS:
            stack.extend((child, (*around, node)) for child in reversed(node.named_children))


def _with_this(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes that share `this` and `arguments` with the place where the piece stands."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        is_own = node.type not in _OPAQUE
        stack.extend(each for each in reversed(node.named_children) if is_own or each.type == "computed_property_name")


def _awaits(node: Node) -> bool:
    return node.type == "for_in_statement" and any(child.type == "await" for child in node.children)


def _is_inside(file: SourceFile, node: Node, around: tuple[Node, ...]) -> bool:
    label = node.child_by_field_name("label")
    if label is None:
        ends = LOOPS | {"switch_statement"} if node.type == "break_statement" else LOOPS
        return any(each.type in ends for each in around)
    said = file.text(label)
    labels = (each.child_by_field_name("label") for each in around if each.type == "labeled_statement")
    return any(each is not None and file.text(each) == said for each in labels)


def _is_arguments(file: SourceFile, node: Node) -> bool:
    return node.type == "identifier" and file.text(node) == "arguments"


def _refuse_taken(file: SourceFile, piece: Piece, taken: Binding, *, is_set: bool) -> None:
    """Raise Refused unless the variable has its value before the piece, and nobody else changes it meanwhile."""
    name = taken.name
    if taken.kind not in _VARIABLES | {"function", "class", "own"} or taken.scope.type == "class":
        raise Refused(f"{name!r} is known only where it stands, and cannot be passed on")
    (declared,) = taken.declared
    end = _declaration(declared).end_byte if taken.kind not in {"param", "catch", "own"} else declared.end_byte
    is_hoisted = taken.kind == "function"
    if taken.scope.type == "switch_body":
        raise Refused(f"{name!r} belongs to a `switch`, in which it may have no value yet")
    if not is_hoisted and taken.kind != "own" and end > piece.start:
        raise Refused(f"{name!r} may have no value yet when the new function is called")
    own = {function_of(each) for each in taken.written}
    is_captured = any(function_of(each) != piece.function for each in taken.uses if piece.holds(each))
    home = function_of(taken.scope)
    changes = bool(taken.written) or (taken.kind == "var" and (is_captured or home != piece.function))
    if changes and is_captured:
        raise Refused(f"{name!r} is kept by a function in it, and changes")
    if changes and (own - {piece.function} or home != piece.function):
        raise Refused(f"{name!r} is given a value by another function")
    if taken.kind == "param" and taken.written and uses_arguments(file, taken.scope):
        raise Refused(f"{name!r} is a parameter that `arguments` may change")
    if is_set:
        _refuse_set(piece, taken)


def _refuse_set(piece: Piece, taken: Binding) -> None:
    name = taken.name
    if piece.is_expression:
        raise Refused(f"{name!r} is given a value in it, which a function could not do")
    if taken.kind not in {"let", "var", "param", "catch"}:
        raise Refused(f"{name!r} cannot be given a value")
    if any(function_of(each) != piece.function for each in taken.uses):
        raise Refused(f"{name!r} is given a value in it and used by another function")
    if any(each.type == "try_statement" for each in piece.around()):
        raise Refused(f"{name!r} would keep its old value if the new function fails, and a `try` stands around it")


def _is_made_for_others(file: SourceFile, piece: Piece, made: Binding, *, is_module: bool) -> bool:
    """Whether what a piece declares is used outside of it; raises Refused where that cannot be handed out."""
    outside = [each for each in made.uses if not piece.holds(each)]
    if made.kind == "var":
        _refuse_var(piece, made, is_used=bool(outside))
    if made.is_top and not is_module:
        raise Refused(f"{made.name!r} stands at the top of the file, where others may use it")
    if not outside:
        return False
    if made.kind not in {"const", "let", "var"} or len(made.declared) != 1:
        raise Refused(f"{made.name!r} is declared in it and used outside")
    if any(each.start_byte < piece.start for each in outside):
        raise Refused(f"{made.name!r} is used before it is declared")
    for each in outside:
        if function_of(each) != piece.function and _is_risen(each):
            line, _ = file.position(each.start_byte)
            raise Refused(f"line {line}: a function that may be called before uses {made.name!r}")
    if made.written and any(function_of(each) != piece.function for each in made.all):
        raise Refused(f"{made.name!r} changes, and functions share it")
    if any(each.type == "try_statement" for each in piece.around()) and made.kind == "var":
        raise Refused(f"{made.name!r} may be used behind the `try`")
    return True


def _refuse_var(piece: Piece, made: Binding, *, is_used: bool) -> None:
    """A `var` lives as long as its function: what it held before must be nothing that anybody reads."""
    if not (is_used or piece.is_repeated):
        return
    declarator = made.declared[0].parent
    declaration = declarator.parent if declarator is not None else None
    is_first = (
        len(made.declared) == 1
        and declarator is not None
        and declaration is not None
        and declarator.child_by_field_name("value") is not None
        and any(each.id == declaration.id for each in piece.nodes)
        and all(each.start_byte > declarator.end_byte for each in made.uses)
        and all(function_of(each) == piece.function for each in made.uses)
    )
    if not is_first:
        raise Refused(f"{made.name!r} is a `var`, which may keep a value from before")


def _is_read_after(piece: Piece, changed: Binding) -> bool:
    return piece.is_repeated or any(each.start_byte >= piece.end for each in changed.uses)


def _declaration(declared: Node) -> Node:
    """What has to be done before the name has a value: its declarator, or the whole definition."""
    at: Node = declared
    while at.parent is not None and at.type not in {"variable_declarator", "class_declaration", "for_in_statement"}:
        if at.type in {"abstract_class_declaration", "function_declaration", "generator_function_declaration"}:
            break
        at = at.parent
    if at.type == "for_in_statement":
        return at.child_by_field_name("right") or at
    return at


def _is_risen(node: Node) -> bool:
    """Whether a function around it is known before it stands there."""
    at: Node | None = node
    while at is not None:
        if at.type in {"function_declaration", "generator_function_declaration"}:
            return True
        at = at.parent
    return False


def uses_arguments(file: SourceFile, function: Node) -> bool:
    """Whether a function, or one in it, says `arguments`."""
    return any(_is_arguments(file, each) for each in file.descendants(function))
