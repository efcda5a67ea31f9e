"""Finds conditionals that do the same whatever the condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.branching import branches
from rubber_duck.analysis.reading.sameness import same_sequences
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_TERNARIES = frozenset({"conditional_expression", "ternary_expression"})


@rules.add
class IdenticalBranches(Rule):
    """Every branch of a conditional, `else` included, is the same code.

    The condition then decides nothing. Most often a branch was copied and never changed, so one case is handled
    wrongly; sometimes both branches grew alike and the condition is left over.

    Mend it by changing the branch that was meant to differ, or by keeping one copy without the condition (mind that
    the condition is evaluated today: keep a call in it that has an effect).

    Ignore it where the branches are placeholders for code that is about to be written; where comments stand in them,
    confidence is medium. Conditions that type checkers read (`sys.version_info`, `TYPE_CHECKING`) are left alone.
    """

    name = "identical-branches"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {
        "python": ("if_statement", "conditional_expression"),
        "ecmascript": ("if_statement", "ternary_expression"),
        "elixir": ("call",),
    }
    names = frozenset({"if", "unless"})
    replaces = ("ruff/RUF034", "eslint/sonarjs/no-all-duplicated-branches")
    good = (
        Example("python", "if a:\n    x = 1\nelse:\n    x = 2\n"),
        Example("python", "if a:\n    f()\nelif b:\n    f()\nelse:\n    g()\n"),
        Example("python", "if a:\n    f()\nelif b:\n    f()\n"),
        Example("python", "x = 1 if a else '1'\n"),
        Example("python", "if sys.version_info >= (3, 12):\n    from a import b\nelse:\n    from a import b\n"),
        Example("python", "if a:\n    if b:\n        f()\n    g()\nelse:\n    if b:\n        f()\n        g()\n"),
        Example("javascript", "const x = a ? b : c; if (a) { f() } else { f(1) }"),
        Example("javascript", "if (a) { f() } else if (b) { f() }"),
        Example("elixir", "if a, do: 1, else: 2\nif a do\n  :ok\nend\n"),
    )
    bad = (
        Example("python", "if a:\n    x = f(1)  # first\nelse:\n    x = f( 1 )\n"),
        Example("python", "if a:\n    f()\nelif b:\n    f()\nelse:\n    f()\n"),
        Example("python", "x = f(y) if y else f(y)\n"),
        Example("javascript", "if (a) { f(); } else { f(); }"),
        Example("typescript", "const x = a ? b.c : b.c"),
        Example("elixir", "if a do\n  send(b, :x)\nelse\n  send(b, :x)\nend\n"),
        Example("elixir", "unless a, do: :ok, else: :ok"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Compare the first branch with the others."""
        if node.type == "if_statement" and node.child_by_field_name("alternative") is None:
            return
        found = branches(node, file)
        if len(found) < 2 or found[-1].condition is not None or not found[0].body:
            return
        if not all(same_sequences(found[0].body, other.body, file) for other in found[1:]):
            return
        condition = found[0].condition
        if condition is None or _is_for_checkers(file.text(condition)):
            return
        is_explained = any(part.type == "comment" for branch in found for part in branch.body)
        confidence = Confidence.MEDIUM if is_explained else Confidence.HIGH
        shown = f"`{shortened(file.text(condition))}`"
        if node.type in _TERNARIES:
            message = f"Both results are `{shortened(file.text(found[0].node))}`: {shown} decides nothing"
            yield Hit(node, f"{message}; change one, or drop the condition", confidence=confidence)
            return
        number = "Both branches do" if len(found) == 2 else f"All {len(found)} branches do"
        message = f"{number} the same: {shown} decides nothing; change one, or drop the condition"
        yield Hit(condition, message, confidence=confidence)


def _is_for_checkers(condition: str) -> bool:
    """Whether type checkers read the condition: they see different things in equal branches."""
    return any(word in condition for word in ("version_info", "TYPE_CHECKING", "sys.platform"))
