"""Finds jumps out of a `finally` block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_FUNCTIONS: Final = frozenset(
    {
        *("function_definition", "class_definition", "lambda", "function_declaration", "function_expression"),
        *("arrow_function", "method_definition", "generator_function", "generator_function_declaration"),
    }
)
_LOOPS: Final = frozenset(
    {"for_statement", "while_statement", "for_in_statement", "do_statement", "switch_statement", "labeled_statement"}
)

_LEVELS_READ: Final = 60


@rules.add
class ReturnInFinally(Rule):
    """`return`, `break` or `continue` leaves a `finally` block (and `throw` does in JavaScript).

    An exception that is on its way is dropped without a trace, and a value that `try` returns is replaced. Python
    3.14 warns of it (PEP 765).

    Mend it by moving the jump behind the whole `try` statement, or, if errors are to be dropped, by an `except` that
    says which.

    A `break` or `continue` of a loop that is inside the `finally` block is not reported.
    """

    name = "return-in-finally"
    kind = Kind.SEMANTIC
    severity = Severity.HIGH
    kinds: ClassVar = {
        "python": ("return_statement", "break_statement", "continue_statement"),
        "ecmascript": ("return_statement", "break_statement", "continue_statement"),
    }
    replaces = ("ruff/B012", "ruff/PLE0116", "ruff/SIM107", "eslint/no-unsafe-finally")
    good = (
        Example("python", "def f():\n    try:\n        return 1\n    finally:\n        g()\n"),
        Example("python", "try:\n    f()\nfinally:\n    for x in y:\n        if x:\n            break\n"),
        Example("python", "try:\n    f()\nfinally:\n    def g():\n        return 1\n"),
        Example("javascript", "try { f() } finally { xs.map((x) => { return x }) }"),
    )
    bad = (
        Example("python", "def f():\n    try:\n        g()\n    finally:\n        return 1\n"),
        Example("python", "for x in y:\n    try:\n        g()\n    finally:\n        if x:\n            continue\n"),
        Example("javascript", "function f() { try { return g() } finally { return 1 } }"),
        Example("typescript", "for (const x of y) { try { g(x) } finally { break } }"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look whether a jump crosses the border of a `finally` block."""
        stays_in_loops = node.type != "return_statement"
        for above in reversed(file.ancestors[-_LEVELS_READ:]):
            kind = above.type
            if kind == "finally_clause":
                word = node.type.removesuffix("_statement")
                message = f"`{word}` in `finally` drops an exception that is on its way"
                yield Hit(node, f"{message}, and any result of `try`: move it behind the statement")
                return
            if kind in _FUNCTIONS or (stays_in_loops and kind in _LOOPS):
                return
