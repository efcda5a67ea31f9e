"""The loaded grammar of one dialect: its parser, and its node kinds and fields by number."""

from __future__ import annotations

import importlib
import threading
from functools import cache
from typing import Final

import tree_sitter

from rubber_duck.code.language import language
from rubber_duck.errors import InvalidDeclaration

_ANY: Final = 1 << 32
"""More nodes than a tree can have."""

_PLAIN: Final = 4
"""The nodes of a plain string: itself, two quotes and what is between them; one with an expression in it has more."""

_parsers = threading.local()


class Grammar:
    """One dialect's grammar, loaded once a process.

    `leaf[kind_id]` is true for kinds that never have children. `size` is the number of kinds: tables indexed by
    `kind_id` have this length; the id of error nodes, 65,535, is beyond it.

    `whole[kind_id]` is the most nodes, itself included, with which a node of that kind need not be entered because
    it has no child, or, in `plain`, because it is a plain string: `literals` are the kinds of strings, `quoted` of
    what is in a plain one.
    """

    __slots__ = ("_kinds", "dialect", "language", "leaf", "literals", "plain", "quoted", "size", "tree_sitter", "whole")

    def __init__(self, language_name: str, dialect: str) -> None:
        found = language(language_name)
        self.language = language_name
        self.dialect = dialect
        module, _, function = found.grammars[dialect].partition(":")
        self.tree_sitter = tree_sitter.Language(getattr(importlib.import_module(module), function)())
        self.size = self.tree_sitter.node_kind_count
        self.leaf = [False] * self.size
        self._kinds: dict[str, list[int]] = {}
        for kind_id in range(self.size):
            name = self.tree_sitter.node_kind_for_id(kind_id)
            named = self.tree_sitter.node_kind_is_named(kind_id)
            if named and name is not None:
                self._kinds.setdefault(name, []).append(kind_id)
            self.leaf[kind_id] = not named or name in found.leaves
        self.leaf[0] = False  # the end of the file is in no tree: the walk takes error nodes for this kind
        self.whole = [_ANY if is_leaf else 1 for is_leaf in self.leaf]
        self.literals = [kind_id for kind in found.literals for kind_id in self.kind_ids(kind)]
        self.quoted = [
            kind_id for kinds in found.literals.values() for kind in kinds for kind_id in self.kind_ids(kind)
        ]
        self.plain = [_PLAIN if kind_id in self.literals else most for kind_id, most in enumerate(self.whole)]

    def kind_ids(self, kind: str) -> tuple[int, ...]:
        """Every number of the named node kind `kind`: aliases have several, an unknown kind has none."""
        return tuple(self._kinds.get(kind, ()))

    def has_kind(self, kind: str) -> bool:
        """Whether this grammar has a named node kind `kind`."""
        return kind in self._kinds

    def field_id(self, name: str) -> int:
        """The number of the field `name`; InvalidDeclaration when the grammar has none."""
        found = self.tree_sitter.field_id_for_name(name)
        if found is None:
            raise InvalidDeclaration(f"the grammar of {self.dialect!r} has no field {name!r}")
        return found

    def parser(self) -> tree_sitter.Parser:
        """This thread's parser: the read callback lets other threads run in the middle of a parse."""
        held: dict[str, tree_sitter.Parser] | None = getattr(_parsers, "held", None)
        if held is None:
            held = _parsers.held = {}
        found = held.get(self.dialect)
        if found is None:
            found = held[self.dialect] = tree_sitter.Parser(self.tree_sitter)
        return found


@cache
def grammar(language_name: str, dialect: str) -> Grammar:
    """The grammar of a dialect; UnknownName for an unknown language."""
    return Grammar(language_name, dialect)
