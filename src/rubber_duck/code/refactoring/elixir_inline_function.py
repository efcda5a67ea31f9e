"""Puts the one expression of a private Elixir function in the place of its calls, with what each call gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.ecmascript_reading import shape
from rubber_duck.code.refactoring.elixir_extract import binds_for_others
from rubber_duck.code.refactoring.elixir_function import refuse_unsure
from rubber_duck.code.refactoring.elixir_inline import MADE, inline_variable, name_at, refuse_value, written
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
)
from rubber_duck.code.refactoring.elixir_place import (
    SECTIONS,
    before,
    is_still,
    place_of,
    refuse_macros,
    refuse_position,
    require_first,
)
from rubber_duck.code.refactoring.elixir_scopes import Binding, Scopes
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Texts
from rubber_duck.errors import Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_FUNCTIONS: Final = frozenset({"def", "defp"})


@dataclass(frozen=True, slots=True)
class _Function:
    """A `defp` of one clause and one expression; `params` by their order."""

    name: str
    definition: Node
    value: Node
    params: tuple[Binding, ...]
    scopes: Scopes


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, or the pipe that ends in it, with what it gives; `scopes` are those of the function around it."""

    node: Node
    given: tuple[Node, ...]
    scopes: Scopes


def inline(texts: Texts, spot: Spot) -> Refactored:
    """What stands at `spot` in the places that use it: a variable, a private function, or one call of that."""
    file = open_elixir(texts, spot.path)
    node = name_at(file, spot)
    tree = Tree(file)
    parent = tree.parent(node)
    is_called = callee(file, parent) == file.text(node) if parent is not None else False
    head = next((each for each in tree.around(node) if callee(file, each) in _FUNCTIONS), None)
    is_head = head is not None and bool(arguments(head)) and name_of(file, arguments(head)[0]) == file.text(node)
    is_defined = is_head and head is not None and inside(node, arguments(head)[0])
    if not is_called and not is_defined:
        return inline_variable(texts, spot)
    module = tree.module(node)
    if is_called and not is_defined and callee(file, parent or node) not in module.functions:
        raise Refused(f"{file.text(node)!r} is no function of this module")
    return _Inlining(file, tree, module).run(file.text(node), None if is_defined else parent)


class _Inlining:
    def __init__(self, file: SourceFile, tree: Tree, module: Module) -> None:
        self.file = file
        self.tree = tree
        self.module = module

    def run(self, name: str, only: Node | None) -> Refactored:
        function = self._function(name)
        calls = self._calls(function)
        chosen = [each for each in calls if only is None or (inside(only, each.node) and only.id in _ends(each.node))]
        if not chosen:
            raise Refused(f"{name!r} is never called")
        for each in chosen:
            self._refuse_call(function, each)
            for other in chosen:
                if other is not each and inside(other.node, each.node):
                    raise Refused(f"a call of {name!r} stands in another")
        is_gone = len(chosen) == len(calls)
        texts = {each.node.id: self._text(function, each) for each in chosen}
        content = self.file.content
        edits = [(each.node.start_byte, each.node.end_byte, texts[each.node.id]) for each in chosen]
        if is_gone:
            edits.append((*self._lines(function), b""))
        out, at = b"", 0
        for start, end, text in sorted(edits):
            out += content[at:start] + text
            at = end
        after = out + content[at:]
        self._require_same(function, chosen, after, is_gone=is_gone)
        return Refactored({self.file.path: after.decode("utf-8", "surrogateescape")})

    def _function(self, name: str) -> _Function:
        clauses = self.module.functions.get(name, [])
        if len(clauses) != 1 or callee(self.file, clauses[0]) != "defp":
            raise Refused(f"{name!r} is public, or has several clauses: only a `defp` of one clause is inlined")
        (definition,) = clauses
        head, *rest = arguments(definition)
        params = arguments(head)
        if head.type not in {"call", "identifier"} or any(each.type != "identifier" for each in params):
            raise Refused(f"{name!r} has a guard, a default or a pattern in its head")
        value = _value(self.file, definition, rest)
        if value is None:
            raise Refused(f"{name!r} is more than one expression")
        scopes = Scopes(self.module, definition)
        bound = [scopes.of.get(each.id) for each in params]
        names = [each.name for each in bound if each is not None]
        if len(names) != len(params) or len(set(names)) != len(names):
            raise Refused(f"{name!r} does not name what it is given")
        refuse_unsure(self.file, self.module, scopes, value)
        if binds_for_others(self.file, self.tree, value) or any(inside(each, value) for each in scopes.free):
            raise Refused("its value binds a name, or calls something that looks like a variable")
        self._refuse_attributes(value)
        return _Function(name, definition, value, tuple(each for each in bound if each is not None), scopes)

    def _refuse_attributes(self, value: Node) -> None:
        """What is read by a name that the module gives another meaning further down refuses."""
        block = block_of(self.module.node)
        body = block.named_children if block is not None else []
        first = next((each.start_byte for each in body if callee(self.file, each) in _FUNCTIONS), 0)
        later = [each for each in body if each.start_byte > first]
        if any(callee(self.file, each) in LEXICAL for each in later):
            raise Refused("an `alias`, `import` or `require` stands behind the first function")
        for each in self.file.descendants(value):
            said = self.file.text(each) if operator(self.file, each) == "@" else ""
            given = [one for one in body if self.file.text(one).startswith(f"{said} ")] if said else []
            if len(given) > 1:
                raise Refused(f"{said!r} is given several values in the module")

    def _calls(self, function: _Function) -> list[_Call]:
        """Every call; raises Refused where the file says the name in any other way."""
        name = function.name
        found: list[_Call] = []
        known: dict[int, Scopes] = {function.definition.id: function.scopes}
        for node in self.file.descendants(self.file.tree.root_node):
            said = self.file.text(node) if node.type in {"identifier", "atom", "keyword", "quoted_content"} else ""
            if not re.search(rf"(?<!\w){re.escape(name)}(?![\w?!])", said):
                continue
            parent = self.tree.parent(node)
            is_call = node.type == "identifier" and parent is not None and callee(self.file, parent) == name
            home = next((each for each in self.tree.around(node) if callee(self.file, each) in _FUNCTIONS), None)
            line, _ = self.file.position(node.start_byte)
            if home is function.definition or (home is not None and home.id == function.definition.id):
                if not inside(node, arguments(home)[0]):
                    raise Refused(f"line {line}: {name!r} calls itself, or says its name")
                continue
            if home is None and any(self._is_spec(name, each) for each in self.tree.around(node)):
                continue
            if not is_call or home is None or parent is None or self.tree.module(node).node.id != self.module.node.id:
                raise Refused(f"line {line}: {name!r} is said there, and not called")
            if home.id not in known:
                known[home.id] = Scopes(self.module, home)
            found.append(self._call(function, parent, known[home.id]))
        return found

    def _is_spec(self, name: str, node: Node) -> bool:
        said = self.file.text(node) if operator(self.file, node) == "@" else ""
        return re.match(rf"@spec\s+{re.escape(name)}\b", said) is not None

    def _call(self, function: _Function, call: Node, scopes: Scopes) -> _Call:
        given = arguments(call)
        node, parent = call, self.tree.parent(call)
        if parent is not None and operator(self.file, parent) == "|>" and parent.named_children[-1].id == call.id:
            node, given = parent, [parent.named_children[0], *given]
        if len(given) != len(function.params) or block_of(call) is not None:
            line, _ = self.file.position(call.start_byte)
            raise Refused(f"line {line}: what {function.name!r} is given there cannot be told")
        if given and given[-1].type == "keywords":
            line, _ = self.file.position(call.start_byte)
            raise Refused(f"line {line}: it is given keywords without brackets")
        return _Call(node, tuple(given), scopes)

    def _refuse_call(self, function: _Function, call: _Call) -> None:
        refuse_position(self.tree, self.module, call.node)
        refuse_macros(self.tree, self.module, call.node)
        home = self.tree.function(call.node)
        if any(callee(self.file, each) in LEXICAL for each in self.file.descendants(home)):
            raise Refused("a function that calls it has an `alias`, `import` or `require` of its own")
        acting: list[Node] = []
        for param, given in zip(function.params, call.given, strict=True):
            still = is_still(self.file, call.scopes, given)
            made = [
                each for each in self.file.descendants(given) if each.type in MADE or operator(self.file, each) == "&"
            ]
            if binds_for_others(self.file, self.tree, given):
                raise Refused("a call binds a name in what it gives")
            if not still and len(param.reads) != 1:
                raise Refused(f"{param.name!r} is not read once, and what a call gives for it is worked out once")
            if made and len(param.reads) > 1:
                raise Refused(f"{param.name!r} is read several times, and a call gives a function for it")
            for read in param.reads:
                refuse_value(self.file, self.tree, given, read, function.value)
                self._refuse_caught(function, given, read)
            if not still:
                self._refuse_order(function, param.reads[0], acting)
                acting.append(param.reads[0])

    def _refuse_caught(self, function: _Function, given: Node, read: Node) -> None:
        """Raise Refused where the body binds a name that the call's own code has."""
        known = function.scopes.seen[read.id]
        for each in self.file.descendants(given):
            said = self.file.text(each) if each.type == "identifier" else ""
            caught = known.get(said)
            if caught is not None and caught not in function.params:
                raise Refused(f"{said!r} is another name in the body of {function.name!r}")

    def _refuse_order(self, function: _Function, read: Node, acting: Sequence[Node]) -> None:
        """What acts must be worked out before all else in the body, and in the order in which the call gives it."""
        if read.id != function.value.id:
            place = place_of(self.tree, self.module, read)
            require_first(self.tree, self.module, read)
            if place.statement.id != function.value.id:
                raise Refused("what a call gives would be worked out only sometimes, later or repeatedly")
        passed = {each.id for each in acting}
        parts = list(before(self.tree, read, function.value))
        for each in parts:
            if each.id not in passed and not is_still(self.file, function.scopes, each):
                raise Refused("the body does something before it reads what a call gives, which acts too")
        inner = {node.id for part in parts for node in self.file.descendants(part)}
        if not passed <= inner:
            raise Refused("the body reads what a call gives in another order")

    def _text(self, function: _Function, call: _Call) -> bytes:
        """The value with what the call gives in place of the parameters."""
        value, content = function.value, self.file.content
        out, at = b"", value.start_byte
        for read, given in sorted(_put(function, call), key=lambda each: each[0].start_byte):
            parent = self.tree.parent(read) if read.id != value.id else self.tree.parent(call.node)
            out += content[at : read.start_byte] + written(self.file, given, parent)
            at = read.end_byte
        text = out + content[at : value.end_byte]
        return b"(" + text + b")" if self._is_bracketed(function, call) else text

    def _is_bracketed(self, function: _Function, call: _Call) -> bool:
        """Whether the value needs brackets in the place of a call; what stands for a parameter brings its own."""
        said = self.file.text(function.value)
        plain = written(self.file, function.value, self.tree.parent(call.node))
        return function.value.type != "identifier" and plain != said.encode("utf-8", "surrogateescape")

    def _lines(self, function: _Function) -> tuple[int, int]:
        """The whole lines of the definition, with its `@spec`, and a blank line."""
        content, node = self.file.content, function.definition
        start = content.rfind(b"\n", 0, node.start_byte) + 1
        newline = content.find(b"\n", node.end_byte)
        end = len(content) if newline < 0 else newline + 1
        block = self.tree.parent(node)
        above = [each for each in block.named_children if each.end_byte <= start] if block is not None else []
        last = above[-1] if above else None
        specs = [each for each in self.file.descendants(self.module.node) if self._is_spec(function.name, each)]
        if any(last is None or each.id != last.id for each in specs):
            raise Refused(f"the `@spec` of {function.name!r} does not stand just before its definition")
        if last is not None and operator(self.file, last) == "@":
            said = self.file.text(last)
            if self._is_spec(function.name, last):
                start = content.rfind(b"\n", 0, last.start_byte) + 1
            elif re.match(r"@(?:doc|impl|deprecated|dialyzer|since)\b", said):
                raise Refused("the attribute before the definition belongs to it")
        is_alone = not content[start : node.start_byte].strip() or last is not None
        if not is_alone or content[node.end_byte : end].strip():
            raise Refused("the definition shares its lines with something else, which would be lost")
        if any(each.type == "comment" for each in self.file.descendants(node)):
            raise Refused("a comment stands in the definition, which would be lost")
        if content[end : end + 1] == b"\n":
            end += 1
        elif content[:start].endswith(b"\n\n"):
            start -= 1
        return start, end

    def _require_same(self, function: _Function, calls: Sequence[_Call], after: bytes, *, is_gone: bool) -> None:
        """Raise Refused unless the file reads as before, but for the values in place of the calls."""
        result = open_source(self.file.path, after, "elixir")
        by_node = {each.node.id: each for each in calls}
        start, end = self._lines(function) if is_gone else (0, 0)

        def read(node: Node) -> Iterator[str]:
            if node.type == "comment" or (is_gone and start <= node.start_byte and node.end_byte <= end):
                return
            call = by_node.get(node.id)
            if call is None:
                yield node.type
                for each in node.children:
                    yield from read(each)
                return
            inner = self._shape_of_value(function, call)
            yield from (["block", "(", *inner, ")"] if self._is_bracketed(function, call) else inner)

        if result.problems or list(shape(result)) != list(read(self.file.tree.root_node)):
            raise Refused("the rest of the file would read otherwise afterwards")

    def _shape_of_value(self, function: _Function, call: _Call) -> list[str]:
        given = {read.id: each for read, each in _put(function, call)}
        found: list[str] = []
        stack = [function.value]
        while stack:
            node = stack.pop()
            if node.type == "comment":
                continue
            if node.id in given:
                parent = self.tree.parent(node) if node.id != function.value.id else self.tree.parent(call.node)
                value = given[node.id]
                text = written(self.file, value, parent)
                kinds = [each.type for each in _all(value)]
                is_put = text.startswith(b"(") and not self.file.text(value).startswith("(")
                found += ["block", "(", *kinds, ")"] if is_put else kinds
                continue
            found.append(node.type)
            stack.extend(reversed(node.children))
        return found


def _value(file: SourceFile, definition: Node, rest: Sequence[Node]) -> Node | None:
    """The one expression of a definition."""
    block = block_of(definition)
    if block is not None and not rest:
        parts = [each for each in block.named_children if each.type != "comment"]
        is_plain = len(parts) == 1 and parts[0].type not in SECTIONS | {"stab_clause"}
        return parts[0] if is_plain else None
    if block is None and len(rest) == 1 and rest[0].type == "keywords":
        pairs = rest[0].named_children
        key = pairs[0].child_by_field_name("key")
        is_body = len(pairs) == 1 and key is not None and file.text(key).strip() == "do:"
        return pairs[0].child_by_field_name("value") if is_body else None
    return None


def _put(function: _Function, call: _Call) -> list[tuple[Node, Node]]:
    """The places of the body that read what is given, each with what this call gives."""
    pairs = zip(function.params, call.given, strict=True)
    return [(read, given) for param, given in pairs for read in param.reads]


def _ends(node: Node) -> set[int]:
    return {node.id, node.named_children[-1].id}


def _all(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        each = stack.pop()
        if each.type != "comment":
            yield each
            stack.extend(reversed(each.children))
