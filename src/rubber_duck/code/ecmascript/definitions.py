"""The definitions in a JavaScript or TypeScript file."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from rubber_duck.code.ecmascript.bindings import arity, bound_names
from rubber_duck.code.ecmascript.modules import text, unquoted
from rubber_duck.code.extract import HIDDEN, WRITE, Extractor
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.symbols import Symbol, SymbolKind
from rubber_duck.code.walk import Visit

_FUNCTIONS: Final = frozenset({"arrow_function", "function_expression", "generator_function"})
_NAMED: Final = frozenset({"identifier", "member_expression"})
_OUTER: Final = frozenset({"export_statement", "ambient_declaration"})
_DECLARATIONS: Final = frozenset({"lexical_declaration", "variable_declaration"})
_MODULE_LEVEL: Final = frozenset({"program", "export_statement", "ambient_declaration"})
_NAMESPACES: Final = frozenset({"internal_module", "module"})
_NEAR_BYTES: Final = 1_000
"""White space at most between a comment or decorator and what it belongs to."""

_DOC = re.compile(r"\n[ \t]*\n|(?:^|\n)[ \t]*@", re.DOTALL)


class Whole(NamedTuple):
    """Where a definition begins with its `export`, its decorators; and what was said before it."""

    start_byte: int
    decorators: tuple[str, ...]
    doc: str


class Definitions(Extractor):
    """Classes, functions, variables, interfaces, types, enums and namespaces."""

    def definition_visits(self) -> list[tuple[str, Visit]]:
        """Node kinds that define something, and the comments and decorators before them."""
        self._comment: tuple[int, int] = (0, 0)
        self._decorators: list[Node] = []
        return [
            ("program", self.program),
            ("comment", self.comment),
            ("decorator", self.decorator),
            ("class_declaration", self.class_declaration),
            ("abstract_class_declaration", self.class_declaration),
            ("class", self.hidden_name),
            ("function_expression", self.hidden_name),
            ("generator_function", self.hidden_name),
            ("function_declaration", self.function),
            ("generator_function_declaration", self.function),
            ("function_signature", self.function),
            ("method_definition", self.method),
            ("method_signature", self.method),
            ("abstract_method_signature", self.method),
            ("field_definition", self.field),
            ("public_field_definition", self.field),
            ("property_signature", self.property_signature),
            ("variable_declarator", self.variable),
            ("interface_declaration", self.interface),
            ("type_alias_declaration", self.type_alias),
            ("enum_declaration", self.enum),
            ("internal_module", self.namespace),
            ("module", self.namespace),
        ]

    def begin(self, file: SourceFile) -> None:
        """A new file. Not a visit of the root node, which in a broken file is an error node."""
        super().begin(file)
        self._comment = (0, 0)
        self._decorators.clear()

    def program(self, node: Node) -> None:
        """The first comment, when it is a `/** … */` that nothing follows at once, is the file's doc."""
        first = node.named_child(0) if node.named_child_count else None
        if first is not None and first.type == "comment":
            after = self.content[first.end_byte : first.end_byte + 200].replace(b"\r", b"")
            written = text(first, self.content)
            if written.startswith("/**") and (after.startswith(b"\n\n") or "@file" in written):
                self.doc = _doc(written.replace("@fileoverview", "").replace("@file", ""))

    def comment(self, node: Node) -> None:
        """Remember the last comment: the next definition may be what it documents."""
        self._comment = (node.start_byte, node.end_byte)

    def decorator(self, node: Node) -> None:
        """Remember decorators for the definition that follows."""
        self._decorators.append(node)

    def hidden_name(self, node: Node) -> None:
        """The name of a class or function expression is seen only inside of it."""
        name = node.child_by_field_name("name")
        if name is not None:
            self.marks[name.end_byte] = HIDDEN

    def class_declaration(self, node: Node) -> None:
        """`class A extends B {…}`."""
        self._class(node.child_by_field_name("name"), node, node)

    def function(self, node: Node) -> None:
        """`function f() {…}`, and an overload without a body."""
        name = node.child_by_field_name("name")
        if name is not None:
            self._function_symbol(SymbolKind.FUNCTION, name, node, node)

    def method(self, node: Node) -> None:
        """A method, getter or setter of a class, an interface or an object."""
        name = node.child_by_field_name("name")
        if name is None:
            return
        parent = self.file.parent
        if parent is not None and parent.type == "object_type" and not self._is_alias_body():
            self.marks[name.end_byte] = HIDDEN
            return
        words = self._modifiers(node, name)
        kind = SymbolKind.PROPERTY if words & {"get", "set"} else SymbolKind.METHOD
        self._function_symbol(kind, name, node, node, words=words)

    def field(self, node: Node) -> None:
        """A field of a class; one that holds a function is a method."""
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        if name is None:
            return
        words = self._modifiers(node, name)
        value = node.child_by_field_name("value")
        if value is not None and value.type in _FUNCTIONS:
            self._function_symbol(SymbolKind.METHOD, name, node, value, words=words)
        else:
            self._value_symbol(SymbolKind.FIELD, name, node, node, words=words)

    def property_signature(self, node: Node) -> None:
        """A property of an interface or of a type alias."""
        name = node.child_by_field_name("name")
        if name is None:
            return
        self.marks[name.end_byte] = HIDDEN
        parent = self.file.parent
        if parent is not None and (parent.type == "interface_body" or self._is_alias_body()):
            self._value_symbol(SymbolKind.FIELD, name, node, node, words=self._modifiers(node, name))

    def variable(self, node: Node) -> None:
        """`const x = …`: a symbol at the top level, and anywhere when it holds a function or class."""
        pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if pattern is None:
            return
        for name in bound_names(pattern):
            self.marks[name.end_byte] = WRITE
        declaration = self.file.parent
        whole = declaration if declaration is not None and declaration.named_child_count == 1 else node
        if pattern.type == "identifier" and value is not None and value.type in _FUNCTIONS:
            self._function_symbol(SymbolKind.FUNCTION, pattern, whole, value)
        elif pattern.type == "identifier" and value is not None and value.type == "class":
            self._class(pattern, whole, value)
        elif self._is_module_level():
            is_constant = declaration is not None and self.content.startswith(b"const", declaration.start_byte)
            kind = SymbolKind.CONSTANT if is_constant else SymbolKind.VARIABLE
            for name in bound_names(pattern):
                self._value_symbol(kind, name, whole, node)

    def function_in_pair(self, node: Node) -> None:
        """`key: function () {…}` in an object."""
        value = node.child_by_field_name("value")
        if value is not None and value.type in _FUNCTIONS:
            key = node.child_by_field_name("key")
            if key is not None:
                self._function_symbol(SymbolKind.METHOD, key, node, value)

    def assigned_function(self, node: Node, left: Node, right: Node | None) -> None:
        """`A.prototype.f = function () {…}`."""
        name = left.child_by_field_name("property")
        if name is not None and right is not None and right.type in _FUNCTIONS:
            owner = text(left.child_by_field_name("object"), self.content)
            kind = SymbolKind.METHOD if "prototype" in owner else SymbolKind.FUNCTION
            self._function_symbol(kind, name, node, right)

    def default_export(self, node: Node) -> None:
        """`export default …` of something that has no name of its own: it is called `default`."""
        value = node.child_by_field_name("value")
        word = next((child for child in node.children if child.type == "default"), None)
        if value is None or word is None or value.type in _NAMED:
            return
        if value.type in _FUNCTIONS:
            self._function_symbol(SymbolKind.FUNCTION, word, node, value)
        elif value.type == "class":
            self._class(word, node, value)
        else:
            self._add(SymbolKind.CONSTANT, word, node)

    def interface(self, node: Node) -> None:
        """`interface A extends B {…}`."""
        self._block(SymbolKind.INTERFACE, node)

    def type_alias(self, node: Node) -> None:
        """`type A = …`."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None and value is not None:
            self._add(
                SymbolKind.TYPE,
                name,
                node,
                signature=self._uncommented(node),
                type_hint=self._uncommented(value),
            )

    def enum(self, node: Node) -> None:
        """`enum A {…}` and its members."""
        self._block(SymbolKind.ENUM, node)
        body = node.child_by_field_name("body")
        for member in body.named_children if body is not None else ():
            name = member.child_by_field_name("name") if member.type == "enum_assignment" else member
            if name is not None and name.type != "comment":
                self._add(SymbolKind.CONSTANT, name, member, is_member=True, encloses=False)

    def namespace(self, node: Node) -> None:
        """`namespace A {…}` and `declare module "a" {…}`."""
        self._block(SymbolKind.NAMESPACE, node)

    def _class(self, name: Node | None, whole: Node, node: Node) -> None:
        if name is None:
            return
        body = node.child_by_field_name("body")
        first = next((child for child in node.children if child.type != "decorator"), node)
        end = body.start_byte if body is not None else name.end_byte
        if node.child_by_field_name("name") is None and first is not node:  # an expression: the name stands before it
            signature = f"{self.text(first)} {self.text(name)} {self.one_line(first.end_byte, end)}".rstrip()
        else:
            signature = self.one_line(first.start_byte, end)
        self._add(SymbolKind.CLASS, name, whole, signature=signature)

    def _block(self, kind: SymbolKind, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None:
            end = body.start_byte if body is not None else node.end_byte
            self._add(kind, name, node, signature=self.one_line(node.start_byte, end).rstrip(" ;"))

    def _function_symbol(
        self, kind: SymbolKind, name: Node, whole: Node, node: Node, *, words: frozenset[str] = frozenset()
    ) -> None:
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        result = node.child_by_field_name("return_type")
        most, least = arity(parameters)
        head_end = (result or parameters or name).end_byte
        is_async = "async" in words or self.content.startswith(b"async", node.start_byte)
        if node.start_byte <= name.start_byte:
            signature = self.one_line(node.start_byte, head_end)
        else:
            generics = node.child_by_field_name("type_parameters") or parameters
            head = self.one_line(generics.start_byte, head_end) if generics is not None else "()"
            head = head if head[:1] in "(<" else f"({head})"  # `x => …`
            signature = f"{'async ' if is_async else ''}{self.text(name)}{head}"
        self._add(
            kind,
            name,
            whole,
            signature=signature,
            type_hint=self.one_line(result.start_byte, result.end_byte).lstrip(": ") if result is not None else "",
            arity=most,
            arity_least=least,
            is_async=is_async,
            is_static="static" in words,
            is_private=bool(words & {"private", "protected"}),
        )

    def _value_symbol(
        self, kind: SymbolKind, name: Node, whole: Node, node: Node, *, words: frozenset[str] = frozenset()
    ) -> None:
        hint, value = node.child_by_field_name("type"), node.child_by_field_name("value")
        type_hint = self.one_line(hint.start_byte, hint.end_byte).lstrip(": ") if hint is not None else ""
        self._add(
            kind,
            name,
            whole,
            signature=f"{self.text(name)}: {type_hint}" if type_hint else "",
            type_hint=type_hint,
            encloses=value is not None and value.type == "object",
            is_static="static" in words,
            is_private=bool(words & {"private", "protected"}),
        )

    def _add(
        self,
        kind: SymbolKind,
        name: Node,
        node: Node,
        *,
        encloses: bool = True,
        is_member: bool = False,
        **more: object,
    ) -> None:
        self.marks[name.end_byte] = HIDDEN
        outer, is_exported = (node, False) if is_member else self._outermost(node)
        whole = self._before(outer)
        around = self.inside(whole.start_byte)
        written = unquoted(name, self.content)
        is_private = bool(more.pop("is_private", False)) or written.startswith("#")
        self.define(
            Symbol(
                kind,
                written,
                f"{around.qualified_name}.{written}" if around else written,
                name.start_point.row + 1,
                self.line_of(whole.start_byte),
                outer.end_point.row + 1,
                whole.start_byte,
                outer.end_byte,
                parent=around.symbol if around else None,
                decorators=whole.decorators,
                doc=whole.doc,
                is_private=is_private,
                is_exported=is_exported,
                **more,  # type: ignore[arg-type]  # keywords of Symbol, each given right by its caller
            ),
            encloses=encloses,
        )

    def _outermost(self, node: Node) -> tuple[Node, bool]:
        """`node` or the `export` and `declare` around it; whether it is exported."""
        above = self.file.ancestors[::-1]
        at = 0
        if above and above[0].type in _DECLARATIONS:
            at = 1
        is_whole = at == 0 or node.type in _DECLARATIONS  # and not one declarator of several
        is_exported = False
        last_start = self.symbols[-1].start_byte if self.symbols else 0
        while at < len(above) and above[at].type in _OUTER:
            is_exported = is_exported or above[at].type == "export_statement"
            if is_whole and above[at].start_byte >= last_start:  # else it is broken and holds other definitions
                node = above[at]
            at += 1
        return node, is_exported

    def _before(self, node: Node) -> Whole:
        """Decorators and the doc comment right before `node`; they are used up."""
        content, start = self.content, node.start_byte
        own = [child for child in node.children if child.type == "decorator"] if content.startswith(b"@", start) else []
        decorators = [self.one_line(child.start_byte + 1, child.end_byte) for child in reversed(own)]
        while self._decorators:
            last = self._decorators.pop()
            if 0 <= start - last.end_byte <= _NEAR_BYTES and not content[last.end_byte : start].strip():
                decorators.append(self.one_line(last.start_byte + 1, last.end_byte))
                start = last.start_byte
        comment_start, comment_end = self._comment
        doc = ""
        is_near = 0 <= start - comment_end <= _NEAR_BYTES
        if is_near and content.startswith(b"/**", comment_start) and not content[comment_end:start].strip():
            doc = _doc(content[comment_start:comment_end].decode("utf-8", "replace"))
        if self.symbols and start < self.symbols[-1].start_byte:  # a decorator's own arguments define something
            start = node.start_byte
        return Whole(start, tuple(reversed(decorators)), doc)

    def _modifiers(self, node: Node, name: Node) -> frozenset[str]:
        """The words before the name: `static`, `async`, `get`, `private` …."""
        words = set()
        for child in node.children:
            if child.start_byte >= name.start_byte:
                break
            words.add(text(child, self.content))
        return frozenset(words)

    def _uncommented(self, node: Node) -> str:
        """The text of a type on one line, without the comments inside it."""
        if not any(mark in self.content[node.start_byte : node.end_byte] for mark in (b"//", b"/*")):
            return self.one_line(node.start_byte, node.end_byte).rstrip(" ;")
        pieces: list[str] = []
        at = node.start_byte
        for part in self.file.descendants(node):
            if part.type == "comment":
                pieces.append(self.one_line(at, part.start_byte))
                at = part.end_byte
        return " ".join([*pieces, self.one_line(at, node.end_byte)]).rstrip(" ;")

    def _is_alias_body(self) -> bool:
        ancestors = self.file.ancestors
        return len(ancestors) > 1 and ancestors[-2].type == "type_alias_declaration"

    def _is_module_level(self) -> bool:
        """Whether the declaration around the visited declarator is a statement of the module or a namespace."""
        above = [node.type for node in self.file.ancestors[-4:]]
        if len(above) >= 2 and above[-2] in _MODULE_LEVEL:
            return True
        return len(above) >= 3 and above[-2] == "statement_block" and above[-3] in _NAMESPACES


def _doc(comment: str) -> str:
    """The first paragraph of a `/** … */` comment on one line."""
    lines = [line.strip().removeprefix("*").strip() for line in comment[3:].removesuffix("*/").split("\n")]
    written = "\n".join(lines).strip()
    end = _DOC.search(written)
    return " ".join((written[: end.start()] if end else written).split())
