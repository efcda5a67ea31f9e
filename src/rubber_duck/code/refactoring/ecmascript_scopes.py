"""Which declaration each name of a JavaScript or TypeScript file means, by the language's own scopes.

Source: ECMAScript, "Static Semantics: LexicallyDeclaredNames" and "VarDeclaredNames". A function's parameters and its
body count as one scope. A name that `with` or `eval` may change means nothing sure: `is_unsure`. Nor does that of a
function in a block, which scripts know outside of it too (annex B.3.3): those are `risen`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rubber_duck.code.ecmascript.bindings import bound_names
from rubber_duck.code.refactoring.ecmascript_names import IMPORTS, PATTERNS, gives
from rubber_duck.code.refactoring.ecmascript_place import is_field

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

_BODIES: Final = frozenset(
    {"function_declaration", "generator_function_declaration", "function_expression", "generator_function"}
    | {"arrow_function", "method_definition", "class_static_block", "program"}
)
"""Scopes to which a `var` rises."""

_SIGNATURES: Final = frozenset(
    {"function_signature", "method_signature", "function_type", "constructor_type", "call_signature"}
    | {"construct_signature", "abstract_method_signature", "interface_declaration", "type_alias_declaration"}
)
_SCOPES: Final = (
    _BODIES
    | _SIGNATURES
    | {"statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body", "class"}
    | {"class_declaration", "abstract_class_declaration"}
)
_NAMED: Final = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "abstract_class_declaration": "class",
    "interface_declaration": "type",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "function_signature": "signature",
    "internal_module": "namespace",
}
"""What gives a name to the scope that it stands in."""

_OWN: Final = frozenset({"function_expression", "generator_function", "class"})
"""What gives a name to itself alone."""

_USES: Final = frozenset({"identifier", "shorthand_property_identifier", "type_identifier"})
_PATTERN_USE: Final = "shorthand_property_identifier_pattern"
_UNSURE: Final = frozenset({"with_statement", "import_alias", "import_require_clause"})


@dataclass(slots=True, eq=False)
class Binding:
    """A name of one scope: what kind of declaration made it, where, and where it is used.

    `kind` is const, let, var, param, catch, import, function, class, own, type, enum, signature or namespace; `mixed`
    where several declarations made it. `scope` is the node in which it is known; `uses` are in source order.
    """

    name: str
    kind: str
    scope: Node
    declared: list[Node] = field(default_factory=list)
    uses: list[Node] = field(default_factory=list)
    written: list[Node] = field(default_factory=list)

    @property
    def is_top(self) -> bool:
        """Whether the whole file knows it."""
        return self.scope.type == "program"

    @property
    def all(self) -> list[Node]:
        """Every node that says it."""
        return [*self.declared, *self.uses]


class Scopes:
    """The bindings of one file. A name that nothing in the file declares has none."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._known: dict[tuple[int, str], Binding] = {}
        self._by_node: dict[int, Binding] = {}
        self._parents: dict[int, int] = {}
        self.is_unsure = False
        self.risen: set[str] = set()
        self._free: set[str] = set()
        found: list[tuple[Node, int]] = []
        stack: list[tuple[Node, tuple[Node, ...]]] = [(file.tree.root_node, ())]
        while stack:
            node, around = stack.pop()
            if node.type in _SCOPES and not _is_body(node):
                self._parents[node.id] = around[-1].id if around else 0
                around = (*around, node)
            self._declare(node, around)
            if node.type in _USES or node.type == _PATTERN_USE:
                found.append((node, around[-1].id))
            elif node.type in _UNSURE:
                self.is_unsure = True
            stack.extend((child, around) for child in reversed(node.named_children))
        for node, scope in found:
            if node.id not in self._by_node and not _says_no_name(node):
                self._use(node, scope)

    @property
    def bindings(self) -> Iterator[Binding]:
        """All of them."""
        return iter(self._known.values())

    @property
    def is_module(self) -> bool:
        """Whether the file imports or exports, and so shares its names with nobody and is strict."""
        return any(each.type in {"import_statement", "export_statement"} for each in self.file.tree.root_node.children)

    @property
    def free(self) -> frozenset[str]:
        """The names that the file uses and nobody in it declares."""
        return frozenset(self._free)

    def of(self, node: Node) -> Binding | None:
        """What a name means; None where nothing in the file declares it, or where the node is none."""
        return self._by_node.get(node.id)

    def top(self, name: str) -> Binding | None:
        """What the whole file knows under a name."""
        return self._known.get((self.file.tree.root_node.id, name))

    def seen(self, name: str, at: Node) -> Binding | None:
        """What `name` would mean where `at` stands."""
        inner: Node | None = at
        while inner is not None and not (inner.type in _SCOPES and not _is_body(inner)):
            inner = inner.parent
        return self._found(name, inner.id if inner is not None else 0)

    def _found(self, name: str, scope: int) -> Binding | None:
        while scope:
            found = self._known.get((scope, name))
            if found is not None:
                return found
            scope = self._parents[scope]
        return None

    def _use(self, node: Node, scope: int) -> None:
        name = self.file.text(node)
        if name == "eval":
            self.is_unsure = True
        found = self._found(name, scope)
        if found is None:
            self._free.add(name)
            return
        self._by_node[node.id] = found
        found.uses.append(node)
        if is_written(node):
            found.written.append(node)

    def _declare(self, node: Node, around: tuple[Node, ...]) -> None:
        kind = node.type
        if kind in _NAMED:
            name = node.child_by_field_name("name")
            if name is not None:
                scope = around[-2] if kind in _SCOPES else around[-1]
                self._add([name], _NAMED[kind], scope)
                if kind == "function_declaration" and scope.type not in _BODIES:
                    self.risen.add(self.file.text(name))
        elif kind in _OWN:
            name = node.child_by_field_name("name")
            if name is not None:
                self._add([name], "own", around[-1])
        elif kind in {"lexical_declaration", "variable_declaration"}:
            word = node.children[0].type
            for each in node.named_children:
                if each.type == "variable_declarator":
                    self._add(bound_names(each.child_by_field_name("name") or each), word, _home(word, around))
        elif kind == "for_in_statement" and (said := node.child_by_field_name("kind")) is not None:
            left = node.child_by_field_name("left")
            self._add(bound_names(left) if left is not None else (), said.type, _home(said.type, around))
        elif kind == "type_parameter":
            self._add(node.named_children[:1], "type", around[-1])
        else:
            self._declare_given(node, around)

    def _declare_given(self, node: Node, around: tuple[Node, ...]) -> None:
        """What a function, a `catch` or an import is given."""
        if node.type == "formal_parameters":
            for each in node.named_children:
                self._add(_bound(each), "param", around[-1])
        elif node.type in {"arrow_function", "catch_clause"}:
            given = node.child_by_field_name("parameter")
            if given is not None:
                self._add(bound_names(given), "catch" if node.type == "catch_clause" else "param", around[-1])
        elif node.type in IMPORTS:
            names = [node.named_children[-1]] if node.type != "import_clause" else node.named_children
            self._add([each for each in names if each.type == "identifier"], "import", around[0])

    def _add(self, names: Iterator[Node] | list[Node] | tuple[()], kind: str, scope: Node) -> None:
        for node in names:
            if node.type.endswith("property_identifier"):
                continue
            name = self.file.text(node)
            found = self._known.setdefault((scope.id, name), Binding(name, kind, scope))
            if found.declared:
                found.kind = "mixed"
            found.declared.append(node)
            self._by_node[node.id] = found


def _bound(parameter: Node) -> Iterator[Node]:
    return bound_names(parameter) if parameter.type not in {"comment", "decorator"} else iter(())


def _home(word: str, around: tuple[Node, ...]) -> Node:
    """The scope of what is declared with that word."""
    if word != "var":
        return around[-1]
    return next(each for each in reversed(around) if each.type in _BODIES)


def _is_body(node: Node) -> bool:
    """Whether a block is a function's own, and so no scope beside that of its parameters."""
    parent = node.parent
    return node.type == "statement_block" and parent is not None and parent.type in _BODIES


def _says_no_name(node: Node) -> bool:
    """Whether a word is no use of a name: another name of what is imported or exported, or a tag of HTML."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "import_specifier":
        return True
    if parent.type == "export_specifier":
        clause = parent.parent
        statement = clause.parent if clause is not None else None
        is_taken = statement is not None and statement.child_by_field_name("source") is not None
        return is_taken or parent.named_children[0].id != node.id
    if parent.type.startswith("jsx") and is_field(parent, "name", node):
        return bytes(node.text or b"")[:1].islower()
    return parent.type in {"namespace_export", "enum_body", "jsx_namespace_name"}


def is_written(node: Node) -> bool:
    """Whether the name is given a value here, other than by its declaration."""
    inner, at = node, node.parent
    while at is not None and at.type in PATTERNS and not is_field(at, "right", inner):
        inner, at = at, at.parent
    return at is not None and gives(at, inner)
