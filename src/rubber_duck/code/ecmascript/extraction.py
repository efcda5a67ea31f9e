"""What a JavaScript or TypeScript file defines, mentions, imports and exports."""

from __future__ import annotations

from typing import Final

import msgspec

from rubber_duck.code.ecmascript.bindings import bound_names
from rubber_duck.code.ecmascript.definitions import Definitions
from rubber_duck.code.ecmascript.modules import assigned_exports, call_edge, exports, import_edge, reexport_edge
from rubber_duck.code.extract import CALL, HIDDEN, IMPORT, JSX, TYPE, WRITE
from rubber_duck.code.source import Node
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.code.walk import Visit

_IDENTIFIERS: Final = (
    "identifier",
    "property_identifier",
    "private_property_identifier",
    "shorthand_property_identifier",
)


class EcmascriptExtractor(Definitions):
    """Mentions, imports and exports; what is defined is found in `definitions`."""

    def visits(self) -> list[tuple[str, Visit]]:
        """Node kinds of definitions, bindings, imports and calls."""
        field = self.grammar.field_id
        self._function, self._constructor = field("function"), field("constructor")
        self._left, self._name, self._key = field("left"), field("name"), field("key")
        return [
            *((kind, self.mentions.append) for kind in _IDENTIFIERS),
            ("shorthand_property_identifier_pattern", self.written),
            ("type_identifier", self.type_identifier),
            ("call_expression", self.call),
            ("new_expression", self.new),
            ("pair", self.pair),
            ("pair_pattern", self.key),
            ("formal_parameters", self.formal_parameters),
            ("arrow_function", self.arrow_function),
            ("catch_clause", self.catch_clause),
            ("assignment_expression", self.assignment),
            ("augmented_assignment_expression", self.left_side),
            ("update_expression", self.update),
            ("for_in_statement", self.left_side),
            ("jsx_opening_element", self.jsx_element),
            ("jsx_self_closing_element", self.jsx_element),
            ("jsx_closing_element", self.jsx_closing_element),
            ("jsx_attribute", self.jsx_attribute),
            ("namespace_export", self.hidden_child),
            ("export_statement", self.exported),
            *self.definition_visits(),
        ]

    def leaving(self) -> list[tuple[str, Visit]]:
        """Import statements are marked when all their names were met."""
        return [("import_statement", self.imported), ("export_specifier", self.export_specifier)]

    def written(self, node: Node) -> None:
        """`{a}` in a pattern binds `a`."""
        self.mentions.append(node)
        self.marks[node.end_byte] = WRITE

    def type_identifier(self, node: Node) -> None:
        """The name of a type; its own definition has hidden it already."""
        self.mentions.append(node)
        self.marks.setdefault(node.end_byte, TYPE)

    def call(self, node: Node) -> None:
        """The callee's last name is a call; `require` and `import` are edges too."""
        callee = node.child_by_field_id(self._function)
        if callee is None:
            return
        start, end = callee.start_byte, callee.end_byte
        self.marks[end] = CALL
        if (end - start == 7 and self.content.startswith(b"require", start)) or callee.type == "import":
            edge = call_edge(node, self.file.parent, self.content, is_conditional=not self._is_at_top())
            if edge is not None:
                self.imports.append(edge)

    def new(self, node: Node) -> None:
        """`new X(…)` calls `X`."""
        callee = node.child_by_field_id(self._constructor)
        if callee is not None:
            self.marks[callee.end_byte] = CALL

    def key(self, node: Node) -> None:
        """A key is no mention."""
        key = node.child_by_field_id(self._key)
        if key is not None and key.type == "property_identifier":
            self.marks[key.end_byte] = HIDDEN

    def pair(self, node: Node) -> None:
        """`key: function …` defines a method."""
        self.key(node)
        self.function_in_pair(node)

    def formal_parameters(self, node: Node) -> None:
        """Parameters are bound."""
        for parameter in node.named_children:
            for name in bound_names(parameter):
                self.marks[name.end_byte] = WRITE

    def arrow_function(self, node: Node) -> None:
        """`x => …` binds x."""
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            self.marks[parameter.end_byte] = WRITE

    def catch_clause(self, node: Node) -> None:
        """`catch (e)` binds e."""
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            self._write(parameter)

    def assignment(self, node: Node) -> None:
        """`x.y = …` writes y; a function on the right makes it a definition, `exports.y` an export."""
        left, right = node.child_by_field_id(self._left), node.child_by_field_name("right")
        if left is None:
            return
        self._write(left)
        if left.type == "member_expression":
            if self.content.startswith((b"module.exports", b"exports."), left.start_byte):
                self.exports.extend(assigned_exports(left, right, self.content))
            self.assigned_function(node, left, right)

    def left_side(self, node: Node) -> None:
        """`x += …` and `for (x of …)` write x."""
        left = node.child_by_field_id(self._left)
        if left is not None:
            self._write(left)

    def update(self, node: Node) -> None:
        """`x++` writes x."""
        argument = node.child_by_field_name("argument")
        if argument is not None:
            self._write(argument)

    def jsx_element(self, node: Node) -> None:
        """`<Name …>` uses the element."""
        name = node.child_by_field_id(self._name)
        if name is not None:
            self.marks[name.end_byte] = JSX

    def jsx_closing_element(self, node: Node) -> None:
        """`</Name>` says nothing new."""
        name = node.child_by_field_id(self._name)
        if name is not None:
            for part in self.file.descendants(name):
                self.marks[part.end_byte] = HIDDEN

    def jsx_attribute(self, node: Node) -> None:
        """The name of an attribute is the element's business."""
        self.hidden_child(node)

    def hidden_child(self, node: Node) -> None:
        """The first named child is no mention."""
        if node.named_child_count:
            first = node.named_child(0)
            if first is not None:
                self.marks[first.end_byte] = HIDDEN

    def imported(self, node: Node) -> None:
        """Every name of an import statement is an import."""
        self._mark_since(node.start_byte, IMPORT)
        edge = import_edge(node, self.content, is_conditional=not self._is_at_top())
        if edge is not None:
            self.imports.append(edge)

    def exported(self, node: Node) -> None:
        """An export statement, which imports as well when it says from where."""
        if len(self.file.ancestors) == 1:  # not what a namespace offers to those who have the namespace
            self.exports.extend(exports(node, self.content))
            self.default_export(node)
        edge = reexport_edge(node, self.content)
        if edge is not None:
            self.imports.append(edge)

    def export_specifier(self, node: Node) -> None:
        """`a as b` mentions a; b is only a new name. With `from` both are imports."""
        ancestors = self.file.ancestors
        if len(ancestors) > 1 and ancestors[-2].child_by_field_name("source") is not None:
            self._mark_since(node.start_byte, IMPORT)
            return
        alias = node.child_by_field_name("alias")
        if alias is not None:
            self.marks[alias.end_byte] = HIDDEN

    def finish(self) -> FileSymbols:
        """Mark what is exported by name somewhere else in the file."""
        names = {found.local or found.name for found in self.exports if not found.module}
        for symbol in self.symbols:
            if symbol.parent is None and symbol.name in names and not symbol.is_exported:
                msgspec.structs.force_setattr(symbol, "is_exported", True)
        return super().finish()

    def _write(self, target: Node) -> None:
        for name in bound_names(target):
            self.marks[name.end_byte] = WRITE

    def _mark_since(self, start_byte: int, mark: int) -> None:
        for mention in reversed(self.mentions):
            if mention.start_byte < start_byte:
                return
            self.marks[mention.end_byte] = mark

    def _is_at_top(self) -> bool:
        """Whether no function, branch or block is around the visited node."""
        return not any(above.type in _BLOCKS for above in self.file.ancestors)


_BLOCKS: Final = frozenset(
    {
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
        "statement_block",
        "if_statement",
        "ternary_expression",
        "binary_expression",
    }
)
