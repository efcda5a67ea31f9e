"""Finds functions with too many paths through them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.decisions import FUNCTIONS, decisions
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_WORDS: Final = {
    "python": re.compile(rb"\b(?:if|elif|for|while|except|match|and|or)\b"),
    "ecmascript": re.compile(rb"\b(?:if|for|while|switch|catch)\b|&&|\|\||\?"),
    "elixir": re.compile(rb"->|\b(?:if|unless|for|and|or)\b|&&|\|\|"),
}
"""At least one match for each decision, so that few matches spare the count."""

_SEARCHED_BYTES: Final = 50_000
_SMALLEST_DECISION_BYTES: Final = 6
_DECISIONS_OF_A_PART: Final = 5
_MOST_OF_A_PART: Final = 0.8
_LEVELS: Final = 4
_BLOCKS: Final = frozenset({"block", "statement_block", "switch_case", "do_block", "else_block", "body"})
_PARTS: Final = ("if_statement", "for_statement", "while_statement", "try_statement", "match_statement", "in_statement",
                 "with_statement", "do_statement", "switch_statement", "call", "binary_operator")  # fmt: skip
"""What the kinds of statements end with that can be moved into a function of their own; the last two are Elixir's."""

_DEFINITIONS: Final = frozenset({"def", "defp", "defmacro", "defmacrop"})


@rules.add
class ComplexFunction(Rule):
    """A function has many independent paths: its cyclomatic complexity (McCabe 1976) is above `max_complexity`.

    It is one plus the number of decisions: `if`, `elif`, conditional expressions, loops, `except`, comprehensions and
    their conditions, each `and`, `or` and `??`. A `match`, a `switch` and a list of Elixir clauses count once, however
    many cases they have (lizard's `--modified`): cases side by side are read one at a time. As many tests as that are
    needed to take every decision both ways, and readers must hold as many cases in their head. Nested functions are
    counted on their own; so is each clause of an Elixir function.

    Mend it by moving a part with a purpose into a function of its own; the message names the statement that holds the
    most decisions, but not nearly all."""

    name = "complex-function"
    kind = Kind.SEMANTIC
    severity = Severity.LOW
    kinds: ClassVar = {
        "python": ("function_definition",),
        "ecmascript": (
            *("function_declaration", "generator_function_declaration", "function_expression"),
            *("generator_function", "arrow_function", "method_definition"),
        ),
        "elixir": ("call",),
    }
    names = _DEFINITIONS
    options: ClassVar = {"max_complexity": 20}
    replaces = ("ruff/C901", "ruff/PLR0912", "eslint/complexity", "credo/Credo.Check.Refactor.CyclomaticComplexity")
    good = (
        Example("python", "def f(x):\n    if x and y:\n        g()\n", {"max_complexity": 3}),
        Example(
            "python",
            "def f(x):\n    def g(x):\n        if x:\n            h()\n    x and g(x)\n",
            {"max_complexity": 2},
        ),
        Example("python", "def f():\n    '''For a while, if x and y or z.'''\n", {"max_complexity": 1}),
        Example("javascript", "function f(a) { a && b() || c(); }", {"max_complexity": 3}),
        Example("typescript", "const f = (a?: number): number => { a ? b : c; }", {"max_complexity": 2}),
        Example(
            "javascript", "function f(a) { switch (a) { case 1: return 2; case 2: return 4; } }", {"max_complexity": 2}
        ),
        Example(
            "elixir",
            "def f(x) do\n  case x do\n    1 -> 2\n    2 -> 4\n    3 -> 6\n  end\nend\n",
            {"max_complexity": 2},
        ),
        Example("elixir", "def f(x) do\n  if x, do: g()\nend\n", {"max_complexity": 2}),
    )
    bad = (
        Example("python", "def f(x):\n    if x and y or z:\n        a = [b for b in c if b]\n", {"max_complexity": 4}),
        Example("javascript", "function f(a) { a && b(); c?.d ?? e(); }", {"max_complexity": 2}),
        Example("typescript", "class A { m(a: A) { for (const x of a) { a ??= x ? 1 : 2 } } }", {"max_complexity": 2}),
        Example(
            "elixir", "def f(x) do\n  case x do\n    1 -> if a, do: b\n    2 -> c\n  end\nend\n", {"max_complexity": 2}
        ),
        Example(
            "elixir",
            "def f(x) do\n  cond do\n    x -> 1\n    y -> 2\n    true -> 3\n  end\nend\n",
            {"max_complexity": 2},
        ),
    )

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        super().__init__(options)
        self._limit = int(str(self.option("max_complexity")))

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Count the decisions of one function."""
        limit = self._limit
        if node.end_byte - node.start_byte < limit * _SMALLEST_DECISION_BYTES:
            return
        words = _WORDS[file.family]
        is_small = node.end_byte - node.start_byte < _SEARCHED_BYTES  # what is larger is rare, and may be nested
        found = islice(words.finditer(file.content, node.start_byte, node.end_byte), limit) if is_small else ()
        if is_small and sum(1 for _ in found) < limit:
            return
        counted: Counter[str] = Counter()
        for statement in _statements(node):
            counted += decisions(statement, file)
        complexity = 1 + counted.total()
        if complexity <= limit:
            return
        name, underlined = _name(node, file)
        parts = ", ".join(f"{count} × {what}" for what, count in counted.most_common(3))
        message = f"{name} has a cyclomatic complexity of {complexity} (at most {limit}): {parts}"
        part, within = _part_to_move(node, counted.total(), file)
        if part is not None:
            line = file.position(part.start_byte)[0]
            message += f"; line {line} begins a part with {within} of its decisions: move it into a function of its own"
        else:
            message += "; split it into functions with one purpose each"
        yield Hit(underlined, message, severity=Severity.MEDIUM if complexity > 2 * limit else None)


def _statements(function: Node) -> list[Node]:
    body = function.child_by_field_name("body")
    if body is None:
        head, block = children.of_kind(function, "arguments"), children.of_kind(function, "do_block")
        return [*([head] if head is not None else ()), *(block.named_children if block is not None else ())]
    return body.named_children if body.type in {"block", "statement_block"} else [body]


def _part_to_move(function: Node, total: int, file: SourceFile) -> tuple[Node | None, int]:
    """The statement whose move leaves two functions that are both clearly simpler, and its number of decisions.

    Where one statement holds nearly all of the decisions, it is looked for among the statements inside that one.
    """
    statements = _statements(function)
    for _ in range(_LEVELS):
        counts = [(decisions(each, file).total(), -each.start_byte, each) for each in statements]
        most, _, largest = max(counts, key=lambda count: count[:2], default=(0, 0, function))
        if most <= _MOST_OF_A_PART * total:
            is_part = most >= max(_DECISIONS_OF_A_PART, total // 4) and largest.type.endswith(_PARTS)
            return (largest, most) if is_part else (None, 0)
        statements = _statements_within(largest)
    return None, 0


def _statements_within(statement: Node) -> list[Node]:
    """The statements in the blocks that are nearest below: those of all branches of a conditional, of a loop's body."""
    found: list[Node] = []
    stack = list(reversed(statement.named_children))
    while stack:
        node = stack.pop()
        if node.type in _BLOCKS:
            found += (child for child in node.named_children if child.type != "stab_clause")
            stack.extend(child for child in reversed(node.named_children) if child.type == "stab_clause")
        elif node.type not in FUNCTIONS:
            stack.extend(reversed(node.named_children))
    return found


def _name(function: Node, file: SourceFile) -> tuple[str, Node]:
    """How to call the function in a message, and what to underline of it."""
    name = function.child_by_field_name("name")
    if name is not None:
        return f"`{file.text(name)}`", name
    if function.type == "call":
        arguments = children.of_kind(function, "arguments")
        head = children.first(arguments)
        while head is not None and head.type == "binary_operator":
            head = head.child_by_field_name("left")
        target = head.child_by_field_name("target") if head is not None and head.type == "call" else head
        if target is not None:
            return f"`{file.text(target)}`", target
    parent = file.parent
    if parent is not None:
        named = (
            parent.child_by_field_name("name")
            or parent.child_by_field_name("left")
            or parent.child_by_field_name("key")
        )
        if named is not None and named.start_byte < function.start_byte:
            return f"`{file.text(named)}`", named
    return "This function", children.keyword(function)
