"""One parsed file as rules, extraction and outlines see it: its text, its tree, and where the walk is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from tree_sitter import Node, Tree

from rubber_duck.code.grammar import Grammar
from rubber_duck.code.language import language
from rubber_duck.code.syntax import Syntax

__all__ = ["Node", "Place", "SourceFile", "SyntaxProblem", "Tree"]

Place: TypeAlias = tuple[int, int, int, int]
"""start line, start column, end line, end column: 1-based, columns in Unicode code points, end exclusive."""

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """A place where the text is not what the grammar expects, or, with `is_encoding`, bytes that are no text."""

    start_byte: int
    end_byte: int
    message: str
    is_encoding: bool = False


class SourceFile:
    """A file that was read, decoded and parsed.

    `content` is UTF-8, whatever the file's own `encoding` was; all byte offsets count in it, and where
    `encoding` is `"utf-8"` they are the file's own. `ancestors` is the path from the root to the parent of the
    node that is being visited, and is meaningful only during a walk. `kept` is for what a rule works out once about
    the file; keys are tuples that begin with the module's name.
    """

    __slots__ = (
        "_line_starts",
        "ancestors",
        "content",
        "dialect",
        "encoding",
        "grammar",
        "kept",
        "language",
        "path",
        "problems",
        "syntax",
        "tree",
    )

    def __init__(self, path: str, content: bytes, grammar: Grammar, tree: Tree, *, encoding: str = "utf-8") -> None:
        self.path = path
        self.content = content
        self.grammar = grammar
        self.language = grammar.language
        self.dialect = grammar.dialect
        self.tree = tree
        self.encoding = encoding
        self.problems: tuple[SyntaxProblem, ...] = ()
        self.ancestors: list[Node] = []
        self.kept: dict[tuple[object, ...], object] = {}
        self.syntax: Syntax = language(grammar.language).syntax()
        self._line_starts: list[int] | None = None

    @property
    def family(self) -> str:
        """The language's family, e.g. `"ecmascript"`."""
        return language(self.language).family

    @property
    def parent(self) -> Node | None:
        """The parent of the node that is being visited; None at the root."""
        return self.ancestors[-1] if self.ancestors else None

    def ancestor(self, *kinds: str) -> Node | None:
        """The nearest ancestor of the node that is being visited whose kind is among `kinds`."""
        for node in reversed(self.ancestors):
            if node.type in kinds:
                return node
        return None

    def text(self, node: Node) -> str:
        """The source text of `node`."""
        return self.content[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def descendants(self, node: Node) -> Iterator[Node]:
        """`node` and every named node below it in source order, without recursion."""
        stack = [node]
        while stack:
            found = stack.pop()
            yield found
            stack.extend(reversed(found.named_children))

    def name_of_call(self, node: Node) -> str:
        """The last name of a call's callee: `"execute"` for `cursor.execute(…)`; `""` where it has no name."""
        return self.syntax.name_of_call(node, self.content).decode("utf-8", "replace")

    def callee(self, node: Node) -> str:
        """A call's callee as names joined by dots: `"os.system"`, `":os.cmd"`.

        It begins with a dot where the first part is not a name: `".join"` for `" ".join(…)` and `f().join(…)`.
        """
        return self.syntax.callee(node, self.content).decode("utf-8", "replace")

    def string_value(self, node: Node) -> str | None:
        """What the string at `node` says, escapes resolved; None when it is interpolated or no string."""
        return self.syntax.string_value(node, self.content)

    def is_interpolated(self, node: Node) -> bool:
        """Whether the string at `node` contains an expression: an f-string, a template, `#{…}`."""
        return self.syntax.is_interpolated(node)

    @property
    def line_starts(self) -> list[int]:
        """The byte offset at which each line begins. Lines end at `\\n`, as in tree-sitter."""
        if self._line_starts is None:
            lengths = map((1).__add__, map(len, self.content.split(b"\n")))
            self._line_starts = [0, *accumulate(lengths)][:-1]
        return self._line_starts

    @property
    def lines(self) -> int:
        """How many lines the file has; a last line without a line break counts."""
        return len(self.line_starts) - (1 if self.content.endswith(b"\n") or not self.content else 0)

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (in code points) of the byte `offset`."""
        starts = self.line_starts
        line = bisect_right(starts, offset)
        before = self.content[starts[line - 1] : offset]
        if line == 1 and before.startswith(BOM):
            before = before[3:]
        return line, len(before.decode("utf-8", "replace")) + 1

    def span(self, start_byte: int, end_byte: int) -> Place:
        """The place of the bytes [start_byte, end_byte)."""
        return (*self.position(start_byte), *self.position(end_byte))

    def line(self, number: int) -> str:
        """The text of the 1-based line `number` without its line break; empty beyond the end."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.content)
        text = self.content[starts[number - 1] : end].rstrip(b"\r\n")
        if number == 1:
            text = text.removeprefix(BOM)
        return text.decode("utf-8", "replace")
