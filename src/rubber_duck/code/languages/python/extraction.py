"""What a Python file defines, mentions, imports and exports."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from rubber_duck.code.extract import CALL, HIDDEN, IMPORT, TYPE, WRITE, Extractor
from rubber_duck.code.languages.python.bindings import bound_names
from rubber_duck.code.languages.python.docstrings import docstring
from rubber_duck.code.languages.python.imports import import_edges
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.symbols import Export, FileSymbols, Symbol, SymbolKind
from rubber_duck.code.walk import Visit

_EXTENDED = re.compile(rb"^__all__\.(?:extend|append)\(([^()]*)\)", re.MULTILINE)
_QUOTED = re.compile(rb"[\"']([^\"'\n]+)[\"']")
_PROPERTIES: Final = frozenset({"property", "cached_property", "functools.cached_property", "abc.abstractproperty"})
_ACCESSORS: Final = (".setter", ".getter", ".deleter")
_TYPE_MAKERS: Final = frozenset({"TypeVar", "NewType", "ParamSpec", "TypeVarTuple", "NamedTuple", "TypedDict"})
_SEPARATORS: Final = frozenset({"positional_separator", "keyword_separator", "comment", "line_continuation", "ERROR"})
_COLLECTORS: Final = frozenset({"list_splat_pattern", "dictionary_splat_pattern"})
# Looked up once: an enumeration takes three times as long to give its member as a module its name.
_CLASS, _METHOD, _FUNCTION, _PROPERTY = SymbolKind.CLASS, SymbolKind.METHOD, SymbolKind.FUNCTION, SymbolKind.PROPERTY
_TYPE, _CONSTANT, _FIELD, _VARIABLE = SymbolKind.TYPE, SymbolKind.CONSTANT, SymbolKind.FIELD, SymbolKind.VARIABLE


class PythonExtractor(Extractor):
    """Follows Python 3; names that are bound anywhere at module or class level are symbols."""

    def visits(self) -> list[tuple[str, Visit]]:
        """Node kinds of definitions, bindings, imports and calls."""
        field = self.grammar.field_id
        self._function, self._name, self._left = field("function"), field("name"), field("left")
        self._body, self._parameters, self._result = field("body"), field("parameters"), field("return_type")
        self._type, self._right = field("type"), field("right")
        self._bases, self._generics = field("superclasses"), field("type_parameters")
        self._is_identifier = frozenset(self.grammar.kind_ids("identifier"))
        self._is_attribute = frozenset(self.grammar.kind_ids("attribute"))
        self._is_call = frozenset(self.grammar.kind_ids("call"))
        self._is_decorated = frozenset(self.grammar.kind_ids("decorated_definition"))
        self._offered: list[tuple[str, int]] | None = None
        self._variables: set[tuple[int | None, bytes]] = set()
        return [
            ("identifier", self.mentions.append),
            ("call", self.call),
            ("keyword_argument", self.keyword_argument),
            ("class_definition", self.class_definition),
            ("function_definition", self.function_definition),
            ("lambda_parameters", self.parameters),
            ("assignment", self.assignment),
            ("augmented_assignment", self.augmented_assignment),
            ("named_expression", self.named_expression),
            ("for_statement", self.left_side),
            ("for_in_clause", self.left_side),
            ("as_pattern_target", self.target),
            ("case_pattern", self.case_pattern),
            ("delete_statement", self.target),
            ("type_alias_statement", self.type_alias),
            ("splat_pattern", self.splat_pattern),
            ("module", self.module),
        ]

    def leaving(self) -> list[tuple[str, Visit]]:
        """Imports and type hints are marked when all their names were met."""
        return [
            ("type", self.type_hint),
            ("import_statement", self.imported),
            ("import_from_statement", self.imported),
            ("future_import_statement", self.imported),
        ]

    def begin(self, file: SourceFile) -> None:
        """A new file. Not a visit of the root node, which in a broken file is an error node."""
        super().begin(file)
        self._offered = None
        self._variables.clear()

    def module(self, node: Node) -> None:
        """Take the module's docstring."""
        self.doc = docstring(node, self.file)

    def call(self, node: Node) -> None:
        """The callee's last name is a call."""
        callee = node.child_by_field_id(self._function)
        if callee is not None:
            self.marks[callee.end_byte] = CALL

    def keyword_argument(self, node: Node) -> None:
        """The name of an argument is the callee's business."""
        name = node.child_by_field_id(self._name)
        if name is not None:
            self.marks[name.end_byte] = HIDDEN

    def type_hint(self, node: Node) -> None:
        """Names inside a type hint are types, unless something closer said otherwise."""
        start = node.start_byte
        mark = self.marks.setdefault
        for mention in reversed(self.mentions):
            if mention.start_byte < start:
                return
            mark(mention.end_byte, TYPE)

    def class_definition(self, node: Node) -> None:
        """A class, with its bases as the signature."""
        name = node.child_by_field_id(self._name)
        if name is None:
            return
        self.marks[name.end_byte] = HIDDEN
        whole, decorators = self._decorated(node)
        bases = node.child_by_field_id(self._bases) or node.child_by_field_id(self._generics) or name
        around = self.inside(whole.start_byte)
        text = self.text(name)
        end, end_line = self._end(node)
        self.define(
            Symbol(
                _CLASS,
                text,
                f"{around.qualified_name}.{text}" if around else text,
                name.start_point.row + 1,
                whole.start_point.row + 1,
                end_line,
                whole.start_byte,
                end,
                self.one_line(node.start_byte, bases.end_byte),
                parent=around.symbol if around else None,
                decorators=decorators,
                doc=docstring(node.child_by_field_id(self._body), self.file),
                is_private=_is_private(text),
            )
        )

    def function_definition(self, node: Node) -> None:
        """A function or method; a property when a decorator says so."""
        name = node.child_by_field_id(self._name)
        if name is None:
            return
        self.marks[name.end_byte] = HIDDEN
        whole, decorators = self._decorated(node)
        parameters = node.child_by_field_id(self._parameters)
        arity, least = self.parameters(parameters) if parameters is not None else (0, 0)
        result = node.child_by_field_id(self._result)
        head_end = (result or parameters or name).end_byte
        around = self.inside(whole.start_byte)
        kind = _METHOD if around and around.kind is _CLASS else _FUNCTION
        if decorators and kind is _METHOD and any(map(_makes_property, decorators)):
            kind = _PROPERTY
        text = self.text(name)
        end, end_line = self._end(node)
        self.define(
            Symbol(
                kind,
                text,
                f"{around.qualified_name}.{text}" if around else text,
                name.start_point.row + 1,
                whole.start_point.row + 1,
                end_line,
                whole.start_byte,
                end,
                self.one_line(node.start_byte, head_end),
                self.one_line(result.start_byte, result.end_byte) if result is not None else "",
                arity,
                least,
                around.symbol if around else None,
                decorators,
                docstring(node.child_by_field_id(self._body), self.file),
                is_async=self.content.startswith(b"async", node.start_byte),
                is_static="staticmethod" in decorators,
                is_private=_is_private(text),
            )
        )

    def parameters(self, node: Node) -> tuple[int, int]:
        """Mark the names of parameters; how many there are, and how many have no default."""
        arity = least = 0
        marks = self.marks
        for parameter in node.named_children:
            if parameter.kind_id in self._is_identifier:
                marks[parameter.end_byte] = WRITE
                arity += 1
                least += 1
                continue
            kind = parameter.type
            if kind in _SEPARATORS:
                continue
            name = parameter.child_by_field_id(self._name)
            if name is None:
                name = parameter.named_child(0) if parameter.named_child_count else parameter
            collects = kind in _COLLECTORS or name.type in _COLLECTORS
            for bound in bound_names(name):
                marks[bound.end_byte] = WRITE
            if not collects:
                arity += 1
                least += kind in {"typed_parameter", "tuple_pattern"}
        return arity, least

    def assignment(self, node: Node) -> None:
        """Names bound; at module and class level they are symbols."""
        left = node.child_by_field_id(self._left)
        if left is None:
            return
        kind_id = left.kind_id
        if kind_id in self._is_attribute:  # its last name ends where it ends
            self.marks[left.end_byte] = WRITE
            return
        around = self.inside(node.start_byte)
        is_symbol = around is None or around.kind is _CLASS
        if kind_id in self._is_identifier:
            self.marks[left.end_byte] = WRITE
            if is_symbol:
                self._variable(left, node)
            return
        self.target(left)
        if is_symbol:
            for name in bound_names(left, with_attributes=False):
                self._variable(name, node)

    def augmented_assignment(self, node: Node) -> None:
        """`x += …` writes; `__all__ += […]` exports."""
        left = node.child_by_field_id(self._left)
        if left is not None:
            self.target(left)
            if self.content[left.start_byte : left.end_byte] == b"__all__":
                self._offer(node.child_by_field_id(self._right))

    def named_expression(self, node: Node) -> None:
        """`(x := …)` writes."""
        name = node.child_by_field_id(self._name)
        if name is not None:
            self.marks[name.end_byte] = WRITE

    def left_side(self, node: Node) -> None:
        """`for x in …` writes."""
        left = node.child_by_field_id(self._left)
        if left is not None:
            self.target(left)

    def target(self, node: Node) -> None:
        """Whatever `node` binds is written."""
        for name in bound_names(node):
            self.marks[name.end_byte] = WRITE

    def case_pattern(self, node: Node) -> None:
        """A single name in a pattern, and what stands after `as`, is bound."""
        pattern = node.named_child(0) if node.named_child_count else None
        if pattern is None:
            return
        if pattern.type == "keyword_pattern":
            name, *values = pattern.named_children
            self.marks[name.end_byte] = HIDDEN
            pattern = values[0] if values else name
        if pattern.type == "as_pattern":
            self.target(pattern.named_children[-1])
        elif pattern.type == "dotted_name" and pattern.named_child_count == 1:
            self.marks[pattern.end_byte] = WRITE

    def splat_pattern(self, node: Node) -> None:
        """`*rest` and `**rest` in a pattern."""
        self.marks[node.end_byte] = WRITE

    def type_alias(self, node: Node) -> None:
        """`type X = …`."""
        left = node.child_by_field_id(self._left)
        name = left
        while name is not None and name.type in {"type", "generic_type"}:
            name = name.named_child(0) if name.named_child_count else None
        if left is None or name is None:
            return
        if name.type != "identifier":  # `type(x).y = …`, which the grammar takes for an alias
            self.marks[left.end_byte] = WRITE
            return
        self.marks[name.end_byte] = HIDDEN
        signature = self.one_line(node.start_byte, node.end_byte)
        self._define(_TYPE, name, node, signature=signature)

    def imported(self, node: Node) -> None:
        """Every name of an import statement is an import."""
        start = node.start_byte
        for mention in reversed(self.mentions):
            if mention.start_byte < start:
                break
            self.marks[mention.end_byte] = IMPORT
        self.imports.extend(import_edges(node, self.content, is_conditional=len(self.file.ancestors) > 1))

    def finish(self) -> FileSymbols:
        """Decide what is exported: the names of `__all__`, or else what has no leading underscore."""
        offered = self._offered
        if offered is not None and b"__all__." in self.content:
            self._offer_more(offered)
        names = {name for name, _ in offered} if offered is not None else None
        for symbol in self.symbols:
            if symbol.parent is None:
                public = symbol.name in names if names is not None else not symbol.is_private
                if public:
                    msgspec.structs.force_setattr(symbol, "is_exported", True)
        if offered is not None:
            self.exports = [Export(name, line, name) for name, line in offered]
        return super().finish()

    def _end(self, node: Node) -> tuple[int, int]:
        """Where a definition ends: the byte after it, and its last line."""
        start, end = node.start_byte, node.end_byte
        last_line = self.content.rfind(b"\n", start, end) + 1
        mark = self.content.find(b"#", last_line, last_line + 200)
        if mark >= 0 and not self.content[last_line:mark].strip(b" \t\f"):
            end = _end_without_comments(node)
            return end, self.line_of(end)
        return end, node.end_point.row + 1

    def _define(self, kind: SymbolKind, name: Node, node: Node, *, signature: str, type_hint: str = "") -> None:
        """A name that stands for a value or a type, and that nothing is inside of."""
        start = node.start_byte
        around = self.inside(start)
        text = self.text(name)
        self.define(
            Symbol(
                kind,
                text,
                f"{around.qualified_name}.{text}" if around else text,
                name.start_point.row + 1,
                node.start_point.row + 1,
                node.end_point.row + 1,
                start,
                node.end_byte,
                signature,
                type_hint,
                parent=around.symbol if around else None,
                is_private=_is_private(text),
            ),
            encloses=False,
        )

    def _variable(self, name: Node, node: Node) -> None:
        text = self.content[name.start_byte : name.end_byte]
        around = self.inside(node.start_byte)
        parent = around.symbol if around else None
        right = node.child_by_field_id(self._right)
        if text == b"__all__" and around is None:
            self._offer(right)
        if (parent, text) in self._variables:
            return
        self._variables.add((parent, text))
        hint = node.child_by_field_id(self._type)
        type_hint = self.one_line(hint.start_byte, hint.end_byte) if hint is not None else ""
        called = self.file.name_of_call(right) if right is not None and right.kind_id in self._is_call else ""
        if called in _TYPE_MAKERS or type_hint.endswith("TypeAlias"):
            kind = _TYPE
        elif text.isupper():
            kind = _CONSTANT
        else:
            kind = _FIELD if around else _VARIABLE
        signature = f"{text.decode('utf-8', 'replace')}: {type_hint}" if type_hint else ""
        self._define(kind, name, node, signature=signature, type_hint=type_hint)

    def _decorated(self, node: Node) -> tuple[Node, tuple[str, ...]]:
        parent = self.file.parent
        if parent is None or parent.kind_id not in self._is_decorated:
            return node, ()
        if self.symbols and parent.start_byte < self.symbols[-1].start_byte:  # broken: it holds other definitions
            return node, ()
        return parent, tuple(
            self.one_line(child.start_byte + 1, child.end_byte).strip()
            for child in parent.named_children
            if child.type == "decorator"
        )

    def _offer(self, value: Node | None) -> None:
        if self._offered is None:
            self._offered = []
        if value is not None:
            for node in self.file.descendants(value):
                name = self.file.string_value(node) if node.type == "string" else None
                if name:
                    self._offered.append((name, node.start_point.row + 1))

    def _offer_more(self, offered: list[tuple[str, int]]) -> None:
        """`__all__.extend([…])` and `.append(…)`; looked for in the text because they are rare."""
        for found in _EXTENDED.finditer(self.content):
            line = self.content.count(b"\n", 0, found.start()) + 1
            offered.extend((name.decode("utf-8", "replace"), line) for name in _QUOTED.findall(found[1]))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _makes_property(decorator: str) -> bool:
    return decorator in _PROPERTIES or decorator.endswith(_ACCESSORS)


def _end_without_comments(node: Node) -> int:
    """Where the last statement in `node` ends: the grammar counts comments that follow it as part of the block."""
    while node.child_count:
        last = next((child for child in reversed(node.children) if child.type != "comment"), None)
        if last is None:
            break
        node = last
    return node.end_byte
