"""Finds comparisons of a value with itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.sameness import may_change, same
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_OPERATORS: Final = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">=", "is", "is not"})
_NAN_TESTS: Final = frozenset({"!=", "!==", "==", "==="})
_EXPLAINED: Final = re.compile(r"NaN|[Nn]ot-a-number|self-compare")
_ALWAYS_TRUE: Final = frozenset({"==", "===", "<=", ">=", "is"})
_ASSERTS: Final = ("assert", "expect", "refute", "ok", "test", "fail")
_LITERALS: Final = frozenset({"integer", "float", "number", "string", "true", "false", "boolean", "null", "none"})


@rules.add
class SelfComparison(Rule):
    """A comparison has the same expression on both sides.

    `x == x` is always true and `x < x` always false, so one side was meant to be something else, often a field of
    another object with the same name (`self.size == self.size` for `self.size == other.size`).

    Mend it by naming the other side. Where the comparison asks whether `x` is not-a-number, say so: `math.isnan(x)`,
    `Number.isNaN(x)`; `x != x` is reported with low and `x == x` with medium confidence for that reason.

    Ignore it in code that tests an `__eq__`. It is not reported inside assertions, nor where that line or the one above
    speaks of NaN.
    """

    name = "self-comparison"
    kind = Kind.SEMANTIC
    severity = Severity.HIGH
    kinds: ClassVar = {
        "python": ("comparison_operator",),
        "ecmascript": ("binary_expression",),
        "elixir": ("binary_operator",),
    }
    replaces = ("ruff/PLR0124", "eslint/no-self-compare", "credo/Credo.Check.Warning.OperationOnSameValues")
    good = (
        Example("python", "a.size == b.size\nx == y\nnext(i) == next(i)\na < b < a\n"),
        Example("python", "assert x == x\nself.assertTrue(x == x)\nself.assertIs(p == p, True)\n"),
        Example("javascript", "if (x !== x) f() // only NaN is not itself"),
        Example("javascript", "a.x === b.x; it.next() === it.next(); a + a; expect(x == x).toBe(true)"),
        Example("elixir", "a == b\nf(a) == f(a)\na <> a\nassert a == a\n@spec term < term :: boolean\n"),
    )
    bad = (
        Example("python", "if self.size == self.size:\n    f()\n"),
        Example("python", "x = a[i] is not a[ i ]\n"),
        Example("python", "if value != value:\n    f()\n"),
        Example("javascript", "if (a.length > a.length) f()"),
        Example("typescript", "const nan = x !== x"),
        Example("elixir", "if user.id == user.id, do: 1"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Compare the two sides of one operator."""
        if node.child_count != 3:
            return
        left, operator, right = node.children
        if left.kind_id != right.kind_id or operator.type not in _OPERATORS or left.type in _LITERALS:
            return
        if not same(left, right, file):
            return
        if may_change(left, file) or _is_exempt(file):
            return
        shown, sign = file.text(left), operator.type
        result = "true" if sign in _ALWAYS_TRUE else "false"
        test = {"python": "math.isnan", "ecmascript": "Number.isNaN"}.get(file.family)
        row = node.start_point.row
        if test is not None and _EXPLAINED.search(f"{file.line(row)} {file.line(row + 1)}"):
            return
        if test is not None and sign in _NAN_TESTS and not (sign in _ALWAYS_TRUE and "." in shown):
            negation = "not " if file.family == "python" else "!"
            wish = f"{negation if sign in _ALWAYS_TRUE else ''}{test}({shown})"
            message = f"`{shown}` is compared with itself, which is {result} unless it is not-a-number: write `{wish}`"
            message += " if that is meant, or name the other side"
            if sign in _ALWAYS_TRUE:
                yield Hit(node, message, confidence=Confidence.MEDIUM, severity=Severity.MEDIUM)
            else:
                yield Hit(node, message, confidence=Confidence.LOW, severity=Severity.LOW)
            return
        yield Hit(node, f"`{shown}` is compared with itself, which is always {result}: name the other side")


def _is_exempt(file: SourceFile) -> bool:
    """Whether an assertion asks for it, or it is an Elixir attribute (`@spec a < a :: boolean`) or a `def a == a`."""
    for above in reversed(file.ancestors):
        if above.type == "assert_statement" or (above.type == "unary_operator" and file.family == "elixir"):
            return True
        if above.type in {"call", "call_expression"}:
            name = file.name_of_call(above).lower()
            if name.startswith(_ASSERTS) or (file.family == "elixir" and name.startswith("def")):
                return True
        if above.type in {"block", "statement_block", "do_block", "body"}:
            return False
    return False
