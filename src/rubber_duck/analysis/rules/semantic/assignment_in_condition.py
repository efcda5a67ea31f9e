"""Finds assignments where a comparison was likely meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import unwrapped
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_LITERALS: Final = frozenset({"number", "string", "true", "false", "null", "undefined", "template_string", "regex"})

_VALUES: Final = frozenset({"identifier", "member_expression", "subscript_expression", "this"})


@rules.add
class AssignmentInCondition(Rule):
    """The condition of an `if`, a loop or `?:` is an assignment: `if (a = b)`.

    It is true whenever `b` is, and `a` has changed: usually `===` was meant.

    Mend it by writing `===`, or by assigning on a line of its own before the condition.

    Where the assignment is meant, a second pair of parentheses says so, `if ((match = re.exec(s)))`, and it is not
    reported. Nor are `while (x = y)`, unless `y` is a literal, and the assignment of a call or another computed value,
    which nobody would compare with.
    """

    name = "assignment-in-condition"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {"ecmascript": ("if_statement", "ternary_expression", "while_statement", "do_statement")}
    replaces = ("eslint/no-cond-assign",)
    good = (
        Example("javascript", "if (a === b) f(); else if (a == c) g()"),
        Example("javascript", "if (m = re.exec(s)) f(m); if (option.selected = list.indexOf(x) > -1) g()"),
        Example("javascript", "while (m = re.exec(s)) f(m)"),
        Example("javascript", "if ((m = re.exec(s))) f(m); if ((x = f()) !== null) g(x)"),
        Example("typescript", "const f = (a) ? b : c; if (g(a = 1)) h()"),
    )
    bad = (
        Example("javascript", "if (a = b) f()"),
        Example("javascript", "if (a) f(); else if (user.admin = true) g()"),
        Example("typescript", "while (done = false) f()"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at one condition."""
        condition = node.child_by_field_name("condition")
        if condition is None or condition.type != "parenthesized_expression":
            return
        inner = children.first(condition)
        if inner is None or inner.type != "assignment_expression":
            return
        left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
        if left is None or right is None:
            return
        is_literal = unwrapped(right).type in _LITERALS
        if not is_literal and unwrapped(right).type not in _VALUES:
            return
        if node.type not in {"if_statement", "ternary_expression"} and not is_literal:
            return
        target = file.text(left)
        message = f"This assigns to `{target}` instead of comparing it: write `===`"
        confidence = Confidence.HIGH if is_literal else Confidence.MEDIUM
        yield Hit(inner, f"{message}, or put a second pair of parentheses around it", confidence=confidence)
