"""One Python file as libcst reads it: nodes with their places, parents and scopes."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar, cast

import libcst as cst
from libcst import metadata
from libcst.metadata import CodeRange, ExpressionContext, Scope

from rubber_duck.code.refactoring.refactored import Spot, line_starts
from rubber_duck.errors import DuckError, LimitExceeded, Refused

N = TypeVar("N", bound=cst.CSTNode)

MOST_CHARACTERS = 2_000_000
"""A longer file is not refactored: a tree takes a hundred times as much memory."""


class Module:
    """A parsed file. Raises Refused for what does not parse, LimitExceeded for what is nested too deeply.

    Places, scopes and contexts are worked out when somebody first asks: most files are only looked through.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        if len(text) > MOST_CHARACTERS:
            raise LimitExceeded(f"'{path}' is too large to be refactored")
        parsed(path, text)
        with _reading(path):
            self._wrapper = metadata.MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.tree = self._wrapper.module
        self._starts = line_starts(text)
        self._every: list[cst.CSTNode] = []
        self._of_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        self._parents = _gathered(self.tree, self._every)

    @cached_property
    def places(self) -> Mapping[cst.CSTNode, CodeRange]:
        """Where each node stands."""
        with _reading(self.path):
            return self._wrapper.resolve(metadata.PositionProvider)

    @cached_property
    def scopes(self) -> Mapping[cst.CSTNode, Scope | None]:
        """The scope of each node that has one."""
        with _reading(self.path):
            return self._wrapper.resolve(metadata.ScopeProvider)

    @cached_property
    def contexts(self) -> Mapping[cst.CSTNode, ExpressionContext | None]:
        """Whether a name, an attribute or an element is read, given a value, or deleted."""
        with _reading(self.path):
            return self._wrapper.resolve(metadata.ExpressionContextProvider)

    def every(self, kind: type[N]) -> Iterator[N]:
        """All nodes of a kind in source order."""
        if kind not in self._of_kind:
            self._of_kind[kind] = [node for node in self._every if isinstance(node, kind)]
        return cast("Iterator[N]", iter(self._of_kind[kind]))

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The offsets [start, end) of a node in the text."""
        found: CodeRange = self.places[node]
        return self._offset(found.start), self._offset(found.end)

    def spot(self, node: cst.CSTNode) -> Spot:
        """Where a node begins."""
        start = self.places[node].start
        return Spot(self.path, start.line, start.column + 1)

    def source(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """The scope in which a node stands."""
        at: cst.CSTNode | None = node
        while at is not None:
            found = self.scopes.get(at)
            if found is not None:
                return found
            at = self.parent(at)
        return None

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node; None for the module."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, the nearest first."""
        at = self.parent(node)
        while at is not None:
            yield at
            at = self.parent(at)

    def name_at(self, line: int, column: int) -> cst.Name | None:
        """The name at a 1-based line and column; without a column, the first thing that the line defines, or names."""
        on_line = [name for name in self.every(cst.Name) if self.places[name].start.line == line]
        if column:
            column -= 1
            for name in on_line:
                place = self.places[name]
                if place.start.column <= column <= place.end.column:
                    return name
            return None
        defined = [name for name in on_line if isinstance(self.parent(name), cst.FunctionDef | cst.ClassDef)]
        return next(iter([*defined, *on_line]), None)

    def _offset(self, position: metadata.CodePosition) -> int:
        return self._starts[position.line - 1] + position.column


def parsed(path: str, text: str) -> ast.Module:
    """The file as Python's own parser reads it; raises Refused, or LimitExceeded for what is nested too deeply.

    It looks first: it ends on what is nested too deeply, where libcst's might not.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file that is read, not of ours
            return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Refused(f"'{path}' does not parse as Python, so nothing is changed: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise LimitExceeded(f"'{path}' is nested too deeply to be refactored") from error


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except DuckError:
        raise
    except RecursionError as error:
        raise LimitExceeded(f"'{path}' is nested too deeply to be refactored") from error
    except Exception as error:
        raise Refused(f"'{path}' does not parse as Python, so nothing is changed: {_first(error)}") from error


def _gathered(node: cst.CSTNode, into: list[cst.CSTNode]) -> dict[cst.CSTNode, cst.CSTNode]:
    """Put every node into the list, in source order; each node's parent."""
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    stack = [node]
    while stack:
        at = stack.pop()
        into.append(at)
        children = at.children
        for child in children:
            parents[child] = at
        stack.extend(reversed(children))
    return parents


def _first(error: Exception) -> str:
    return (getattr(error, "message", "") or str(error) or type(error).__name__).splitlines()[0]
