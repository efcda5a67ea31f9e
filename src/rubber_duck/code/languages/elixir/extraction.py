"""What an Elixir file defines, mentions and imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from rubber_duck.code.extract import CALL, HIDDEN, IMPORT, TYPE, WRITE, Enclosing, Extractor
from rubber_duck.code.languages.elixir.heads import Head, arguments, bound_names, has_default, head, operator
from rubber_duck.code.languages.elixir.imports import import_edges
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.symbols import Symbol, SymbolKind
from rubber_duck.code.walk import Visit

_FUNCTIONS: Final = {
    b"def": SymbolKind.FUNCTION,
    b"defp": SymbolKind.FUNCTION,
    b"defdelegate": SymbolKind.FUNCTION,
    b"defmacro": SymbolKind.MACRO,
    b"defmacrop": SymbolKind.MACRO,
    b"defguard": SymbolKind.GUARD,
    b"defguardp": SymbolKind.GUARD,
}
_MODULES: Final = {
    b"defmodule": SymbolKind.MODULE,
    b"defprotocol": SymbolKind.PROTOCOL,
    b"defimpl": SymbolKind.IMPLEMENTATION,
}
_IMPORTS: Final = (b"alias", b"import", b"require", b"use")
_PRIVATE: Final = frozenset({b"defp", b"defmacrop", b"defguardp", b"typep"})
_TYPES: Final = frozenset({b"type", b"typep", b"opaque"})
_CALLBACKS: Final = frozenset({b"callback", b"macrocallback"})
_DOCS: Final = frozenset({b"doc", b"typedoc", b"moduledoc", b"shortdoc"})
_NOTES: Final = frozenset({b"impl", b"deprecated"})
_BINDING: Final = frozenset({b"=", b"<-"})
_MODULE_KINDS: Final = frozenset(_MODULES.values())
_SETTINGS: Final = frozenset(
    b"behaviour derive enforce_keys before_compile after_compile after_verify on_definition on_load compile dialyzer "
    b"external_resource vsn file tag moduletag describetag optional_callbacks fallback_to_any".split()
)


class ElixirExtractor(Extractor):
    """Everything in Elixir is a call: definitions are told by the name called."""

    def visits(self) -> list[tuple[str, Visit]]:
        """Node kinds of calls, attributes and patterns."""
        self._target = self.grammar.field_id("target")
        self._words: dict[bytes, Callable[[Node, bytes], None]] = {
            **dict.fromkeys(_FUNCTIONS, self.function),
            **dict.fromkeys(_MODULES, self.module),
            **dict.fromkeys(_IMPORTS, self.imported),
            b"defstruct": self.struct,
            b"defexception": self.struct,
        }
        self._known: dict[tuple[int | None, str, int], int] = {}
        self._attributes: set[tuple[int | None, str]] = set()
        self._heads: set[int] = set()  # where what looks like a call is a head: `def alias(…)`
        self._forget()
        return [
            ("identifier", self.mentions.append),
            ("alias", self.mentions.append),
            ("call", self.call),
            ("unary_operator", self.attribute),
            ("binary_operator", self.binding),
            ("stab_clause", self.clause),
            ("struct", self.struct_name),
        ]

    def leaving(self) -> list[tuple[str, Visit]]:
        """Names in specs and types are types."""
        return [("unary_operator", self.typed_attribute)]

    def begin(self, file: SourceFile) -> None:
        """A new file. Not a visit of the root node, which in a broken file is an error node."""
        super().begin(file)
        self._known.clear()
        self._attributes.clear()
        self._heads.clear()
        self._forget()

    def call(self, node: Node) -> None:
        """The last name of the callee is a call, unless it is a word that defines or imports."""
        target = node.child_by_field_id(self._target)
        if target is None:
            return
        end = target.end_byte
        define = self._words.get(self.content[target.start_byte : end])
        if define is None or node.start_byte in self._heads:
            self.marks.setdefault(end, CALL)
        else:
            self.marks[end] = HIDDEN
            define(node, self.content[target.start_byte : end])

    def module(self, node: Node, word: bytes) -> None:
        """`defmodule`, `defprotocol`, `defimpl`."""
        parts = arguments(node)
        if not parts:
            return
        self.marks[parts[0].end_byte] = HIDDEN
        name = self.text(parts[0])
        around = self._module_around(node)
        if word == b"defimpl":
            self.marks.pop(parts[0].end_byte)
            target = self._option(parts, "for")
            name = f"{name}.{target or (around.qualified_name if around else '')}".rstrip(".")
        elif around and not name.startswith(":"):
            name = name.replace("__MODULE__.", "")
            name = f"{around.qualified_name}.{name}"
        self._forget()
        self.define(
            Symbol(
                _MODULES[word],
                name.rpartition(".")[2] if word != b"defimpl" else name,
                name,
                node.start_point.row + 1,
                node.start_point.row + 1,
                node.end_point.row + 1,
                node.start_byte,
                node.end_byte,
                self.one_line(node.start_byte, parts[-1].end_byte),
                parent=around.symbol if around else None,
                is_exported=True,
            )
        )

    def function(self, node: Node, word: bytes) -> None:
        """`def` and its kin; further clauses of the same name and arity extend the first."""
        parts = arguments(node)
        if not parts:
            return
        found = head(parts[0], self.content)
        self._heads.add(found.node.start_byte)
        for argument in found.arguments:
            for name in bound_names(argument, self.content):
                self.marks[name.end_byte] = WRITE
        if found.name is None:
            self._forget()
            return
        self.marks[found.name.end_byte] = HIDDEN
        around = self.inside(node.start_byte)
        parent = around.symbol if around else None
        key = (parent, self.text(found.name), len(found.arguments))
        known = self._known.get(key)
        if known is not None:
            self._extend(known, node, found)
            return
        signature = f"{word.decode()} {self.one_line(parts[0].start_byte, parts[0].end_byte)}"
        self._known[key] = self._define(_FUNCTIONS[word], found, node, signature, is_private=word in _PRIVATE)
        self._forget()

    def struct(self, node: Node, word: bytes) -> None:
        """`defstruct` and `defexception`: the struct is called like its module."""
        del word
        around = self._module_around(node)
        if around is None:
            return
        name = self.symbols[around.symbol].name
        line, last = node.start_point.row + 1, node.end_point.row + 1
        signature = self.one_line(node.start_byte, node.end_byte)
        self.define(
            Symbol(
                SymbolKind.STRUCT,
                name,
                around.qualified_name,
                line,
                line,
                last,
                node.start_byte,
                node.end_byte,
                signature,
                parent=around.symbol,
                is_exported=True,
            ),
            encloses=False,
        )

    def imported(self, node: Node, word: bytes) -> None:
        """`alias`, `import`, `require`, `use`."""
        for part in arguments(node):
            for name in self.file.descendants(part):
                if name.type == "alias":
                    self.marks[name.end_byte] = IMPORT
        around = self.inside(node.start_byte)
        module = self._module_around(node)
        self.imports.extend(
            import_edges(
                node,
                word.decode(),
                self.content,
                module=module.qualified_name if module else "",
                is_conditional=around is not None and around.kind not in _MODULE_KINDS,
            )
        )

    def binding(self, node: Node) -> None:
        """`pattern = …` and `pattern <- …` bind."""
        if operator(node, self.content) in _BINDING:
            left = node.child_by_field_name("left")
            if left is not None:
                for name in bound_names(left, self.content):
                    self.marks[name.end_byte] = WRITE

    def clause(self, node: Node) -> None:
        """`pattern -> …` binds."""
        left = node.child_by_field_name("left")
        if left is not None:
            for name in bound_names(left, self.content):
                self.marks[name.end_byte] = WRITE

    def struct_name(self, node: Node) -> None:
        """`%Name{}`."""
        self.marks[node.end_byte] = TYPE

    def attribute(self, node: Node) -> None:
        """`@doc`, `@spec`, `@type`, `@callback`, or a constant of the module."""
        if not self.content.startswith(b"@", node.start_byte):
            return
        operand = node.child_by_field_name("operand")
        if operand is None or operand.type != "call":
            return
        target = operand.child_by_field_id(self._target)
        values = arguments(operand)
        if target is None or not values:
            return
        self.marks[target.end_byte] = HIDDEN
        name = self.content[target.start_byte : target.end_byte]
        if name in _DOCS:
            self._document(name, values[0], node)
        elif name == b"spec":
            specified = self._specified(values[0])
            if specified.name is not None:
                self.marks[specified.name.end_byte] = HIDDEN
                key = (self.text(specified.name), len(specified.arguments))
                self._specs[key] = self.one_line(values[0].start_byte, values[0].end_byte)
        elif name in _TYPES or name in _CALLBACKS:
            specified = self._specified(values[0])
            kind = SymbolKind.TYPE if name in _TYPES else SymbolKind.CALLBACK
            if specified.name is not None:
                signature = self.one_line(node.start_byte, node.end_byte)
                index = self._define(kind, specified, node, signature, is_private=name in _PRIVATE)
                spec = self.one_line(values[0].start_byte, values[0].end_byte)
                msgspec.structs.force_setattr(self.symbols[index], "type_hint", spec)
                self.marks[specified.name.end_byte] = HIDDEN
            self._doc = ""
        elif name in _NOTES:
            self._notes.append(self.one_line(node.start_byte + 1, node.end_byte))
        elif name not in _SETTINGS:
            self._constant(node, name)

    def typed_attribute(self, node: Node) -> None:
        """The names in `@spec`, `@type`, `@callback` are types, not calls."""
        content, start = self.content, node.start_byte
        if not content.startswith((b"@spec", b"@type", b"@opaque", b"@callback", b"@macrocallback"), start):
            return
        for mention in reversed(self.mentions):
            if mention.start_byte < start:
                return
            if self.marks.get(mention.end_byte) != HIDDEN:
                self.marks[mention.end_byte] = TYPE

    def _constant(self, node: Node, name: bytes) -> None:
        around = self.inside(node.start_byte)
        written = "@" + name.decode("utf-8", "replace")
        key = (around.symbol if around else None, written)
        if key in self._attributes or (around is not None and around.kind not in _MODULE_KINDS):
            return
        self._attributes.add(key)
        line = node.start_point.row + 1
        symbol = Symbol(
            SymbolKind.CONSTANT,
            written,
            f"{around.qualified_name}.{written}" if around else written,
            line,
            line,
            node.end_point.row + 1,
            node.start_byte,
            node.end_byte,
            parent=key[0],
            is_private=True,
        )
        self.define(symbol, encloses=False)

    def _document(self, attribute: bytes, value: Node, node: Node) -> None:
        written = self.file.string_value(value) or ""
        paragraph = " ".join(written.strip().partition("\n\n")[0].split())
        if attribute == b"doc":
            self._doc = paragraph
        elif attribute == b"moduledoc":
            around = self._module_around(node)
            if around is None:
                return
            msgspec.structs.force_setattr(self.symbols[around.symbol], "doc", paragraph)
            if not self.doc:
                self.doc = paragraph
        elif attribute == b"typedoc":
            self._doc = paragraph

    def _specified(self, node: Node) -> Head:
        """The head that a spec, type or callback speaks of: what stands left of `::`."""
        while node.type == "binary_operator" and operator(node, self.content) in {b"::", b"when"}:
            left = node.child_by_field_name("left")
            if left is None:
                break
            node = left
        self._heads.add(node.start_byte)
        return head(node, self.content)

    def _define(self, kind: SymbolKind, found: Head, node: Node, signature: str, *, is_private: bool) -> int:
        around = self.inside(node.start_byte)
        name = self.text(found.name) if found.name is not None else ""
        arity = len(found.arguments)
        defaults = sum(has_default(argument, self.content) for argument in found.arguments)
        is_type = kind is SymbolKind.TYPE
        line = node.start_point.row + 1
        return self.define(
            Symbol(
                kind,
                name,
                f"{around.qualified_name}.{name}" if around else name,
                line,
                line,
                node.end_point.row + 1,
                node.start_byte,
                node.end_byte,
                signature,
                self._specs.get((name, arity), ""),
                None if is_type else arity,
                None if is_type else arity - defaults,
                around.symbol if around else None,
                tuple(self._notes),
                self._doc,
                is_private=is_private,
                is_exported=not is_private,
            ),
            encloses=kind not in {SymbolKind.TYPE, SymbolKind.CALLBACK},
        )

    def _extend(self, index: int, node: Node, found: Head) -> None:
        """One more clause: the symbol ends where it ends, and needs no more arguments than it does."""
        symbol = self.symbols[index]
        defaults = sum(has_default(argument, self.content) for argument in found.arguments)
        least = min(symbol.arity_least or 0, len(found.arguments) - defaults)
        changes = {"end_line": node.end_point.row + 1, "end_byte": node.end_byte, "arity_least": least}
        if self._doc and not symbol.doc:
            changes["doc"] = self._doc  # type: ignore[assignment]  # a str among ints
        for field, value in changes.items():
            msgspec.structs.force_setattr(symbol, field, value)
        self.enclosing.append(Enclosing(node.end_byte, index, symbol.qualified_name, symbol.kind))
        self._forget()

    def _module_around(self, node: Node) -> Enclosing | None:
        self.inside(node.start_byte)
        return next((found for found in reversed(self.enclosing) if found.kind in _MODULE_KINDS), None)

    def _option(self, parts: tuple[Node, ...], name: str) -> str:
        for part in parts[1:]:
            for pair in part.named_children if part.type == "keywords" else ():
                key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                if key is not None and value is not None and self.text(key).strip() == f"{name}:":
                    return self.text(value)
        return ""

    def _forget(self) -> None:
        """What was said before a definition belongs to that one only."""
        self._doc = ""
        self._notes: list[str] = []
        self._specs: dict[tuple[str, int], str] = {}
