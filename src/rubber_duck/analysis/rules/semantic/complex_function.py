"""Finds functions with too many paths through them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_WORDS: Final = {
    "python": re.compile(rb"\b(?:if|elif|for|while|except|case|and|or)\b"),
    "ecmascript": re.compile(rb"\b(?:if|for|while|case|catch)\b|&&|\|\||\?"),
    "elixir": re.compile(rb"->|\b(?:if|unless|for|and|or)\b|&&|\|\|"),
}
"""At least one match for each decision, so that few matches spare the count."""

_SEARCHED_BYTES: Final = 50_000
_SMALLEST_DECISION_BYTES: Final = 6
_DECISIONS_OF_A_PART: Final = 5
_PARTS: Final = ("if_statement", "for_statement", "while_statement", "try_statement", "match_statement", "in_statement",
                 "with_statement", "do_statement", "switch_statement", "do_block")  # fmt: skip
"""What the kinds of statements end with that can be moved into a function of their own."""

_DECISIONS: Final = {
    **dict.fromkeys(("if_statement", "elif_clause"), "if"),
    **dict.fromkeys(("conditional_expression", "ternary_expression"), "conditional expression"),
    **dict.fromkeys(("for_statement", "for_in_statement", "while_statement", "do_statement"), "loop"),
    **dict.fromkeys(("except_clause", "catch_clause"), "except"),
    **dict.fromkeys(("for_in_clause", "if_clause"), "comprehension"),
    **dict.fromkeys(("case_clause", "switch_case"), "case"),
    "boolean_operator": "and/or",
}
_FUNCTIONS: Final = frozenset(
    {
        *("function_definition", "class_definition", "function_declaration", "generator_function_declaration"),
        *("function_expression", "generator_function", "arrow_function", "method_definition", "class_declaration"),
        *("class", "class_static_block"),
    }
)
_DEFINITIONS: Final = frozenset({"def", "defp", "defmacro", "defmacrop"})
_LOGIC: Final = frozenset({"&&", "||", "and", "or"})


@rules.add
class ComplexFunction(Rule):
    """A function has many independent paths: its cyclomatic complexity (McCabe 1976) is above `max_complexity`.

    It is one plus the number of decisions: `if`, `elif`, conditional expressions, loops, `except`, comprehensions and
    their conditions, `case`s, and each `and` and `or`. As many tests are needed to take every decision both ways, and
    readers must hold as many cases in their head. Nested functions are counted on their own; so is each clause of an
    Elixir function.

    Mend it by moving a part with a purpose into a function of its own; the message names the statement that holds the
    most decisions.

    A flat list of cases in one `match`, `switch` or `case` reads well and is not reported, as long as other decisions
    make up less than half of what is allowed. Ignore the finding in generated code.
    """

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
    good = (
        Example("python", "def f(x):\n" + "    if x:\n        g()\n" * 19),
        Example("python", "def f(x):\n    def g(x):\n" + "        x and h()\n" * 10 + "    if x:\n        x()\n" * 10),
        Example("python", "def f():\n    '''" + " if and or for" * 20 + "'''\n"),
        Example("javascript", "function f(a) { " + "a && b();" * 19 + " }"),
        Example("typescript", "const f = (a?: number): number => { " + "a ? b : c;" * 19 + " }"),
        Example("javascript", "function f(a) { switch (a) { " + "case 1: return 2; " * 40 + "} }"),
        Example("elixir", "def f(x) do\n  case x do\n" + "    1 when x -> 2\n" * 22 + "  end\nend\n"),
        Example("elixir", "def f(x) do\n" + "  if x, do: g()\n" * 19 + "end\n"),
    )
    bad = (
        Example("python", "def f(x):\n" + "    if x:\n        g()\n" * 20),
        Example("python", "def f(x):\n    if x and y or z:\n" + "        a = [b for b in c if b]\n" * 9),
        Example("javascript", "function f(a) { " + "a && b();" * 20 + " }"),
        Example("typescript", "class A { m(a: A) { " + "for (const x of a) { a ??= x ? 1 : 2 }" * 10 + " } }"),
        Example("elixir", "def f(x) do\n  case x do\n" + "    1 when x -> if a, do: b\n" * 12 + "  end\nend\n"),
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
        largest, most = None, 0
        for statement in _statements(node):
            decisions = _decisions(statement, file)
            counted += decisions
            if decisions.total() > most and statement.type.endswith(_PARTS):
                largest, most = statement, decisions.total()
        complexity = 1 + counted.total()
        if complexity <= limit or counted.total() - counted["case"] < limit // 2:
            return
        name, underlined = _name(node, file)
        parts = ", ".join(f"{count} × {what}" for what, count in counted.most_common(3))
        message = f"{name} has a cyclomatic complexity of {complexity} (at most {limit}): {parts}"
        if most >= _DECISIONS_OF_A_PART and counted.total() // 4 <= most < counted.total():
            line = file.position(largest.start_byte)[0] if largest is not None else 0
            message += f"; line {line} begins a part with {most} of its decisions: move it into a function of its own"
        else:
            message += "; split it into functions with one purpose each"
        yield Hit(underlined, message, severity=Severity.MEDIUM if complexity > 2 * limit else None)


def _statements(function: Node) -> list[Node]:
    body = function.child_by_field_name("body")
    if body is None:
        return [child for child in function.named_children if child.type in {"do_block", "arguments"}]
    return body.named_children if body.type in {"block", "statement_block"} else [body]


def _decisions(statement: Node, file: SourceFile) -> Counter[str]:
    """The decisions of a statement by what makes them, without those of functions within it."""
    found: Counter[str] = Counter()
    stack = [statement]
    is_elixir = file.family == "elixir"
    while stack:
        node = stack.pop()
        kind = node.type
        if kind in _FUNCTIONS:
            continue
        what = _elixir_decision(node, file) if is_elixir else _DECISIONS.get(kind)
        if what is None and kind == "binary_expression":
            operator = node.child_by_field_name("operator")
            what = "and/or" if operator is not None and operator.type in {"&&", "||", "??"} else None
        if what is not None and not (what == "case" and _adds_no_path(node)):
            found[what] += 1
        stack.extend(node.named_children)
    return found


def _elixir_decision(node: Node, file: SourceFile) -> str | None:
    if node.type == "binary_operator":
        operator = node.child_by_field_name("operator")
        return "and/or" if operator is not None and operator.type in _LOGIC else None
    if node.type == "call":
        return {"if": "if", "unless": "if", "for": "comprehension"}.get(file.name_of_call(node))
    if node.type in {"do_block", "else_block", "rescue_block", "catch_block", "anonymous_function"}:
        return None
    return "case" if node.type == "stab_clause" and node.prev_named_sibling is not None else None


def _adds_no_path(clause: Node) -> bool:
    """Whether it is Python's `case _` or an ECMAScript `case` that falls through to the next one."""
    if clause.type == "switch_case":
        return clause.child_by_field_name("body") is None
    pattern = children.first(clause)
    return clause.type == "case_clause" and pattern is not None and pattern.text == b"_"


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
