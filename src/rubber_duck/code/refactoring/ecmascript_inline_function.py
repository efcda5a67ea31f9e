"""Puts the one expression that a JavaScript or TypeScript function gives in the places that call it.

The arguments are worked out first by a call, and where they are read by its body. So each must be the same whenever it
is worked out, or be read once and stand where it could be worked out before all of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_extract import NAMELESS, refuse_kind
from rubber_duck.code.refactoring.ecmascript_flow import Piece, refuse_leaving
from rubber_duck.code.refactoring.ecmascript_inline import Put, binding_at, inline_variable, is_firm, put, written
from rubber_duck.code.refactoring.ecmascript_names import FUNCTIONS
from rubber_duck.code.refactoring.ecmascript_order import changes_in, refuse_order
from rubber_duck.code.refactoring.ecmascript_place import is_field, refuse_place, refuse_sometimes, unwrapped
from rubber_duck.code.refactoring.ecmascript_reading import kinds, open_whole, refuse_misread, shape, shape_of
from rubber_duck.code.refactoring.ecmascript_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile


def inline(texts: Texts, spot: Spot) -> Refactored:
    """The file without the variable or the function at `spot`; raises Refused and InvalidInput."""
    file = open_whole(texts, spot.path)
    scopes = Scopes(file)
    found = binding_at(file, scopes, spot)
    function = _function_of(found)
    if function is None:
        return inline_variable(texts, spot)
    return _Inlining(file, scopes, found, function).run()


def _function_of(found: Binding) -> Node | None:
    """The function that a name is, if it is one and called somewhere."""
    around = found.declared[0].parent
    if found.kind == "function":
        return around
    value = around.child_by_field_name("value") if around is not None and found.kind == "const" else None
    is_called = any(each.parent is not None and is_field(each.parent, "function", each) for each in found.uses)
    return value if value is not None and value.type == "arrow_function" and is_called else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A call, and what stands in its place."""

    call: Node
    arguments: tuple[Node, ...]


class _Inlining:
    def __init__(self, file: SourceFile, scopes: Scopes, found: Binding, function: Node) -> None:
        self.file = file
        self.scopes = scopes
        self.found = found
        self.function = function
        self.body = self._body()
        self.parameters = [self._parameter(each) for each in self._listed()]

    def run(self) -> Refactored:
        """The file with the body in every place that calls the function."""
        definition = self._definition()
        refuse_misread(self.file, definition)
        refuse_leaving(self.file, Piece((self.body,), is_expression=True))
        if changes_in(self.body):
            raise Refused(f"{self.found.name!r} gives something a value, or deletes it")
        refuse_kind(self.body, self.file.language)
        places = [self._place(each) for each in self.found.uses]
        if not places:
            raise Refused(f"{self.found.name!r} is never called: there is no place for its body")
        for each in places:
            self._refuse_names(each)
        puts = [Put(each.call, self._text(each), kinds(self.body)) for each in places]
        after, starts = put(self.file, puts, without=definition)
        changed = open_source(self.file.path, after, self.file.language)
        self._require_same(
            changed, definition, places, [(at, at + len(one.text)) for at, one in zip(starts, puts, strict=True)]
        )
        return Refactored({self.file.path: after.decode("utf-8", "surrogateescape")})

    def _body(self) -> Node:
        """The one expression that the function gives."""
        body = self.function.child_by_field_name("body")
        if any(each.type == "async" for each in self.function.children) or self.function.type.startswith("generator"):
            raise Refused(f"{self.found.name!r} gives a promise or an iterator, which its body alone does not")
        if self.function.child_by_field_name("type_parameters") is not None:
            raise Refused(f"{self.found.name!r} has parameters for types")
        said = self.function.child_by_field_name("return_type")
        if said is not None and said.type != "type_annotation":
            raise Refused(f"{self.found.name!r} says what its argument is, which its body alone does not")
        if body is not None and body.type == "statement_block":
            held = body.named_children
            if len(held) != 1 or held[0].type != "return_statement" or len(held[0].named_children) != 1:
                raise Refused(f"{self.found.name!r} is more than one expression that it returns")
            return held[0].named_children[0]
        if body is None:
            raise Refused(f"{self.found.name!r} has no body")
        return body

    def _definition(self) -> Node:
        """The statement that makes the function and nothing else; raises Refused where others may call it."""
        name = self.found.name
        around = self.found.declared[0].parent
        definition = around.parent if around is not None and around.type == "variable_declarator" else around
        block = definition.parent if definition is not None else None
        if definition is None or block is None or block.type not in {"statement_block", "program"}:
            raise Refused(f"{name!r} is exported, or declared where no block is")
        if (
            around is not definition
            and len([each for each in definition.named_children if each.type != "comment"]) != 1
        ):
            raise Refused(f"{name!r} is declared together with others")
        if self.found.is_top and not self.scopes.is_module:
            raise Refused(f"{name!r} stands at the top of a script, where others may call it")
        if self.scopes.is_unsure or name in self.scopes.risen or self.found.written or len(self.found.declared) != 1:
            raise Refused(f"{name!r} is not surely this function wherever it is called")
        return definition

    def _listed(self) -> list[Node]:
        alone = self.function.child_by_field_name("parameter")
        several = self.function.child_by_field_name("parameters")
        return [alone] if alone is not None else [] if several is None else several.named_children

    def _parameter(self, given: Node) -> Binding:
        is_plain = given.type == "identifier" or (
            given.type == "required_parameter" and given.child_by_field_name("value") is None
        )
        name = given.child_by_field_name("pattern") if given.type == "required_parameter" else given
        found = self.scopes.of(name) if name is not None and name.type == "identifier" else None
        if not is_plain or found is None or found.written or len(found.declared) != 1:
            raise Refused(f"{self.found.name!r} has a parameter that is more than a name")
        return found

    def _place(self, use: Node) -> _Place:
        call = use.parent
        given = call.child_by_field_name("arguments") if call is not None else None
        line, _ = self.file.position(use.start_byte)
        is_call = (
            call is not None
            and given is not None
            and call.type == "call_expression"
            and is_field(call, "function", use)
            and given.type == "arguments"
            and not any(each.type in {"optional_chain", "?.", "type_arguments"} for each in call.children)
        )
        if call is None or given is None or not is_call:
            raise Refused(f"line {line}: {self.found.name!r} is used there, but not called")
        arguments = tuple(each for each in given.named_children if each.type != "comment")
        if len(arguments) != len(self.parameters) or any(each.type == "spread_element" for each in arguments):
            raise Refused(f"line {line}: the arguments are not one for each parameter")
        if self.function.start_byte <= call.start_byte < self.function.end_byte:
            raise Refused(f"{self.found.name!r} calls itself")
        if any(call.start_byte < each.start_byte < call.end_byte for each in self.found.uses if each.id != use.id):
            raise Refused(f"line {line}: a call stands in the arguments of another")
        return _Place(call, arguments)

    def _refuse_names(self, place: _Place) -> None:
        """Raise Refused where a name would mean something else in its new place."""
        own = set()
        for node in self.file.descendants(self.body):
            found = self.scopes.of(node)
            if (
                found is not None
                and self.body.start_byte <= found.scope.start_byte
                and found.scope.end_byte <= self.body.end_byte
            ):
                own.add(found.name)
            elif "identifier" in node.type and found not in self.parameters:
                name = self.file.text(node)
                is_name = found is not None or name in self.scopes.free
                if is_name and (self.scopes.seen(name, place.call) is not found or name in self.scopes.risen):
                    raise Refused(f"{name!r} means something else where {self.found.name!r} is called")
        for argument in place.arguments:
            for node in self.file.descendants(argument):
                if "identifier" in node.type and self.file.text(node) in own:
                    raise Refused(f"{self.file.text(node)!r} would be taken for a name of {self.found.name!r}")

    def _text(self, place: _Place) -> bytes:
        """The body with the arguments in it, as it stands in the place of a call."""
        content, start = self.file.content, self.body.start_byte
        given = {
            each.id: argument
            for one, argument in zip(self.parameters, place.arguments, strict=True)
            for each in one.uses
        }
        out, at = b"", start
        for node in self.file.descendants(self.body):
            if node.id in given:
                argument = given[node.id]
                out += content[at : node.start_byte] + written(
                    argument, node, content[argument.start_byte : argument.end_byte]
                )
                at = node.end_byte
        return written(self.body, place.call, out + content[at : self.body.end_byte])

    def _require_same(
        self, changed: SourceFile, definition: Node, places: Sequence[_Place], spans: Sequence[tuple[int, int]]
    ) -> None:
        """Raise Refused unless everything reads as before, and each argument could be worked out before the body."""
        outer: dict[tuple[int, int], Node] = {}
        for node in changed.descendants(changed.tree.root_node):
            outer.setdefault((node.start_byte, node.end_byte), node)
        marked = [outer[span] for span in spans if span in outer]
        before = list(shape(self.file, replaced=[each.call.id for each in places], left_out=[definition.id]))
        if (
            changed.problems
            or len(marked) != len(places)
            or list(shape(changed, replaced=[each.id for each in marked])) != before
        ):
            raise Refused("the rest of the file would read otherwise afterwards")
        for node, place in zip(marked, places, strict=True):
            self._refuse_arguments(changed, unwrapped(node), place)
            parent = node.parent
            is_deed = parent is not None and parent.type == "expression_statement"
            if not is_deed or unwrapped(node).type not in {"call_expression", "new_expression"}:
                refuse_place(changed, node)

    def _refuse_arguments(self, changed: SourceFile, placed: Node, place: _Place) -> None:
        body = unwrapped(self.body)
        reads = {each.id for one in self.parameters for each in one.uses}
        old = [each for each in self.file.descendants(body) if each.id in reads]
        new = _stand_ins(body, placed, reads)
        if new is None or list(shape_of(body, reads)) != list(shape_of(placed, {each.id for each in new})):
            raise Refused("the body would read otherwise in its new place")
        where = {node.id: _value(node, stands) for node, stands in zip(old, new, strict=True)}
        for parameter, argument in zip(self.parameters, place.arguments, strict=True):
            stands = [where[each.id] for each in parameter.uses if each.id in where]
            if any(kinds(unwrapped(each)) != kinds(unwrapped(argument)) for each in stands):
                raise Refused("an argument would read otherwise in its new place")
            if is_firm(self.file, self.scopes, argument, [place.call]):
                continue
            if len(stands) != 1:
                raise Refused(f"{parameter.name!r} is not read once, and its argument is worked out once")
            (node,) = stands
            bare = unwrapped(node)
            if bare.type in NAMELESS and node.parent is not None and node.parent.type != "arguments":
                raise Refused("a function without a name is called after the place where it stands")
            inner, at = node, node.parent
            while at is not None and inner.id != placed.id:
                if at.type in FUNCTIONS:
                    raise Refused(f"{parameter.name!r} is read later, by a function")
                refuse_sometimes(at, inner)
                inner, at = at, at.parent
            if node.id != placed.id:
                refuse_place(changed, node)
            refuse_order(changed, node, placed)


def _stand_ins(body: Node, placed: Node, reads: set[int]) -> list[Node] | None:
    """The nodes of `placed` that stand where `body` reads a parameter; None where the two are not alike."""
    found: list[Node] = []
    stack = [(body, placed)]
    while stack:
        one, other = stack.pop()
        if one.id in reads:
            found.append(other)
            continue
        if len(one.children) != len(other.children):
            return None
        stack.extend(reversed(list(zip(one.children, other.children, strict=True))))
    return found


def _value(read: Node, stands: Node) -> Node:
    """What stands where `read` stood: in `{ x: 1 }`, which was `{ x }`, the 1."""
    return stands.named_children[-1] if read.type == "shorthand_property_identifier" else stands
