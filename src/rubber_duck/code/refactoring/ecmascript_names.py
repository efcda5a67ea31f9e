"""What a JavaScript file does to its names and to the properties that it names: declared, given a value, replaced.

Names are told apart by their text alone: two variables of one name count as one, which refuses more than it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.ecmascript_place import WRAPS, is_field

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

FUNCTIONS: Final = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition", "generator_function"}
    | {"generator_function_declaration", "class_static_block", "field_definition", "public_field_definition"}
)
"""What holds code that runs when it is called, and not where it stands."""

_IDENTIFIERS: Final = frozenset({"identifier", "shorthand_property_identifier_pattern"})
PATTERNS: Final = WRAPS | {
    *("array_pattern", "object_pattern", "pair_pattern", "rest_pattern", "assignment_pattern", "array", "object"),
    *("object_assignment_pattern", "pair", "spread_element", "shorthand_property_identifier"),
}
_PARAMETERS: Final = frozenset({"formal_parameters", "required_parameter", "optional_parameter"})
IMPORTS: Final = frozenset({"import_clause", "import_specifier", "namespace_import", "import_require_clause"})
_CHANGES: Final = frozenset({"assignment_expression", "augmented_assignment_expression"})
_UNSURE: Final = frozenset({"with_statement", "internal_module", "module"})
_REPLACERS: Final = frozenset(
    {"assign", "defineProperty", "defineProperties", "setPrototypeOf", "__proto__", "Proxy", "Reflect", "spyOn"}
)


class Names:
    """The names of one file as a statement in it sees them, and an expression in that."""

    def __init__(self, file: SourceFile, statement: Node, node: Node) -> None:
        self._file = file
        self._own = function_of(statement)
        self._around = {0, *(each.id for each in _around(statement) if each.type in FUNCTIONS)}
        self._declared: dict[str, set[int]] = {}
        self._imported: set[str] = set()
        self._namespaces: set[str] = set()
        self._given: dict[str, set[int]] = {}
        self._given_before: set[str] = set()
        self._before = (statement.start_byte, node.start_byte)
        self._replaced: set[str] = set()
        self._is_unsure = False
        self._replaces_any = False
        self._wanted = {file.text(each) for each in file.descendants(statement) if "identifier" in each.type}
        for each in file.descendants(file.tree.root_node):
            self._look(each)

    def text(self, node: Node) -> str:
        """The text of a node."""
        return self._file.text(node)

    def is_declared(self, name: str) -> bool:
        """Whether the file declares or imports it anywhere."""
        return name in self._declared or name in self._imported

    def is_namespace(self, name: str) -> bool:
        """Whether it is a whole module: such a name always means the same."""
        return name in self._namespaces and name not in self._declared

    def is_given(self, name: str) -> bool:
        """Whether it is given another value anywhere in the file, or may be."""
        return name in self._given or self._is_unsure

    def is_settled(self, name: str) -> bool:
        """Whether nothing before the expression, nor a function that the statement calls, could give it another value.

        What another module exports may change there, and what nobody declares is everybody's.
        """
        if self._is_unsure or name in self._imported or name in self._given_before:
            return False
        declared, given = self._declared.get(name, set()), self._given.get(name)
        if given is None:
            return bool(declared & self._around)
        return declared == {self._own} and given == {self._own}

    def is_replaced(self, name: str) -> bool:
        """Whether the file puts something in the place of a property of that name, or may."""
        return self._replaces_any or name in self._replaced

    def _look(self, node: Node) -> None:
        kind = node.type
        if kind in _IDENTIFIERS or kind == "shorthand_property_identifier":
            self._look_at_name(node)
        elif kind in _UNSURE:
            self._is_unsure = True
        elif kind in {"property_identifier", "private_property_identifier"}:
            parent = node.parent
            if self.text(node) in _REPLACERS:
                self._replaces_any = True
            if parent is not None and parent.type == "member_expression" and _is_target(parent):
                self._replaced.add(self.text(node))
        elif kind == "subscript_expression" and _is_target(node):
            index = node.child_by_field_name("index")
            if index is None or index.type != "number":
                self._replaces_any = True

    def _look_at_name(self, node: Node) -> None:
        name = self.text(node)
        if name in {"eval", "arguments"}:
            self._is_unsure = True
        if name in _REPLACERS:
            self._replaces_any = True
        inner, at = node, node.parent if name in self._wanted else None
        while at is not None and at.type in PATTERNS and not is_field(at, "right", inner):
            inner, at = at, at.parent
        if at is None:
            return
        if at.type in IMPORTS:
            self._imported.add(name)
            if at.type == "namespace_import":
                self._namespaces.add(name)
        elif _declares(at, inner):
            holder = function_of(at) if not _is_own_name(at, inner) else function_of(at.parent) if at.parent else 0
            self._declared.setdefault(name, set()).add(holder)
        elif gives(at, inner):
            self._given.setdefault(name, set()).add(function_of(at))
            if self._before[0] <= at.start_byte and at.end_byte <= self._before[1]:
                self._given_before.add(name)


def _declares(at: Node, inner: Node) -> bool:
    if at.type in _PARAMETERS:
        return True
    if at.type == "for_in_statement":
        return is_field(at, "left", inner) and at.child_by_field_name("kind") is not None
    return any(
        is_field(at, field, inner)
        for field in ("name", "parameter")
        if at.type in FUNCTIONS or at.type in {"variable_declarator", "class_declaration", "class", "catch_clause"}
    )


def _is_own_name(at: Node, inner: Node) -> bool:
    return at.type in FUNCTIONS and is_field(at, "name", inner)


def gives(at: Node, inner: Node) -> bool:
    """Whether `at` gives a value to `inner`."""
    if at.type in _CHANGES or at.type == "for_in_statement":
        return is_field(at, "left", inner)
    return at.type == "update_expression"


def _is_target(node: Node) -> bool:
    """Whether a property is given a value, or deleted, here."""
    inner, at = node, node.parent
    while at is not None and at.type in PATTERNS and not is_field(at, "right", inner):
        inner, at = at, at.parent
    if at is None:
        return False
    deletes = at.type == "unary_expression" and at.children[0].type == "delete"
    return deletes or gives(at, inner)


def _around(node: Node) -> Iterator[Node]:
    at = node.parent
    while at is not None:
        yield at
        at = at.parent


def function_of(node: Node) -> int:
    """The id of the function that a node stands in, or is; 0 at the top of the file."""
    at: Node | None = node
    while at is not None:
        if at.type in FUNCTIONS:
            return at.id
        at = at.parent
    return 0
