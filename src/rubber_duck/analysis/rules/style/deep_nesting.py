"""Finds control flow that is nested too deeply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import is_guard
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_CONTROL: Final = frozenset(
    {
        *("if_statement", "for_statement", "while_statement", "try_statement", "match_statement"),
        *("for_in_statement", "do_statement", "switch_statement"),
    }
)
_FUNCTIONS: Final = frozenset(
    {
        *("function_definition", "class_definition", "function_declaration", "generator_function_declaration"),
        *("function_expression", "generator_function", "arrow_function", "method_definition", "class_body"),
    }
)
_WORDS: Final = frozenset({"if", "unless", "case", "cond", "with", "try", "for", "receive"})


@rules.add
class DeepNesting(Rule):
    """More than `max_depth` levels of `if`, loops, `try` and `match` stand inside each other.

    To understand the innermost line a reader must hold all the conditions around it in mind, and its error handling
    is far from its cause.

    Mend it by leaving early (`if not x: return`, `continue`), or by moving an inner level into a function with a name.

    `elif` and `else if` do not count as a level, nor does `with`, nor an `if` that only leaves (`if x: continue`); a
    nested function begins anew. Of several such places in one outermost statement the first is reported. Ignore it in
    hand-written state machines that would not read better in parts.
    """

    name = "deep-nesting"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {
        "python": ("if_statement", "for_statement", "while_statement", "try_statement", "match_statement"),
        "ecmascript": (
            *("if_statement", "for_statement", "for_in_statement", "while_statement", "do_statement"),
            *("switch_statement", "try_statement"),
        ),
        "elixir": ("call",),
    }
    names = _WORDS
    options: ClassVar = {"max_depth": 5}
    replaces = ("ruff/PLR1702", "eslint/max-depth", "credo/Credo.Check.Refactor.Nesting")
    good = (
        Example("python", "if a:\n if b:\n  if c:\n   if d:\n    if e:\n     f()\n"),
        Example("python", "if a:\n if b:\n  if c:\n   if d:\n    def g():\n     if e:\n      if f:\n       g()\n"),
        Example("python", "if a:\n if b:\n  if c:\n   if d:\n    if e:\n     f()\n    elif f:\n     g()\n"),
        Example("javascript", "if (a) {} else if (b) {} else if (c) {} else if (d) {} else if (e) {} else if (f) {}"),
        Example("elixir", "if a do\n if b do\n  case c do\n   _ -> if d, do: (if e, do: 1)\n  end\n end\nend\n"),
    )
    bad = (
        Example(
            "python",
            "if a:\n if b:\n  for c in d:\n   while d:\n    try:\n     if f:\n      g()\n    finally:\n     h()\n",
        ),
        Example("python", "if a:\n if b:\n  if c:\n   if d:\n    if e:\n     if f:\n      if g:\n       h()\n"),
        Example(
            "javascript", "if (a) { for (;;) { while (b) { switch (c) { case 1: try { if (d) f() } finally {} } } } }"
        ),
        Example(
            "elixir", "if a do\n if b do\n  case c do\n   _ -> if d, do: (if e, do: (if f, do: 1))\n  end\n end\nend\n"
        ),
    )

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        super().__init__(options)
        self._limit = int(str(self.option("max_depth")))

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Count the levels around one statement; what stands inside or beside one that is too deep is not reported."""
        limit = self._limit
        if len(file.ancestors) < 2 * limit or _is_else_if(node, file):
            return
        levels = list(islice(_levels(file), limit + 1))
        if len(levels) != limit or is_guard(node):
            return
        key = (__name__, levels[-1].start_byte, levels[-1].end_byte)
        if file.kept.setdefault(key, node.start_byte) != node.start_byte:
            return
        outermost = file.position(levels[-1].start_byte)[0]
        word = file.name_of_call(node) if node.type == "call" else node.type.partition("_")[0]
        message = f"This `{word}` is {limit + 1} levels deep (at most {limit}) in what begins on line {outermost}"
        yield Hit(children.keyword(node), f"{message}: leave early, or move an inner part into a function")


def _levels(file: SourceFile) -> Iterator[Node]:
    """The control statements around the node that is visited, innermost first, up to the function."""
    ancestors = file.ancestors
    is_elixir = file.family == "elixir"
    for index in range(len(ancestors) - 1, -1, -1):
        above = ancestors[index]
        kind = above.type
        if is_elixir:
            name = file.name_of_call(above) if kind == "call" else ""
            if kind == "anonymous_function" or name.startswith("def"):
                return
            if name in _WORDS:
                yield above
        elif kind in _FUNCTIONS:
            return
        elif kind in _CONTROL and not (index and kind == "if_statement" and ancestors[index - 1].type == "else_clause"):
            yield above


def _is_else_if(node: Node, file: SourceFile) -> bool:
    parent = file.parent
    return node.type == "if_statement" and parent is not None and parent.type == "else_clause"
