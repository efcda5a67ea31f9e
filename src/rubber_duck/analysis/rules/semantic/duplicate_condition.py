"""Finds a condition that an earlier one of the same chain already caught."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import branches
from rubber_duck.analysis.reading.sameness import may_change, tokens
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_PURE: Final = frozenset(
    {
        *(
            "isinstance",
            "issubclass",
            "len",
            "hasattr",
            "callable",
            "type",
            "startswith",
            "endswith",
            "isdigit",
            "upper",
        ),
        *("lower", "strip", "startsWith", "endsWith", "includes", "isArray", "is_nil", "is_list", "is_map", "is_atom"),
        *("is_binary", "is_integer", "is_tuple"),
    }
)
"""Calls that answer the same twice."""

_TAKERS: Final = ("next", "read", "pop", "shift", "accept", "match", "consume", "eat", "rand", "try", "take", "skip")
"""What the names of calls begin with that take something from a sequence."""


@rules.add
class DuplicateCondition(Rule):
    """A condition is tested again later in the same chain.

    In `if a … elif b … elif a`, in a `switch`, `match`, `case` or `cond`, the first branch that holds wins: the
    second one with the same condition never runs. Usually a line was copied and its condition was not changed, so a
    case that somebody meant to handle falls through to `else`.

    Mend it by writing the condition that was meant, or by deleting the branch.

    Ignore it where the condition is a call that answers differently each time, such as a parser's `accept(token)`;
    such findings come with medium confidence.
    """

    name = "duplicate-condition"
    kind = Kind.SEMANTIC
    severity = Severity.HIGH
    kinds: ClassVar = {
        "python": ("if_statement", "match_statement"),
        "ecmascript": ("if_statement", "switch_body"),
        "elixir": ("call",),
    }
    names = frozenset({"cond", "case"})
    replaces = ("eslint/no-dupe-else-if", "eslint/no-duplicate-case")
    good = (
        Example("python", "if a:\n    f()\nelif b:\n    g()\n"),
        Example("python", "if a:\n    f()\nif a:\n    g()\n"),
        Example("python", "if (m := next(it)):\n    f()\nelif (m := next(it)):\n    g()\n"),
        Example("python", "match x:\n    case 1 if a:\n        f()\n    case 1:\n        g()\n"),
        Example("javascript", "switch (x) { case 1: f(); break; case '1': g(); }"),
        Example("javascript", "if (i++) { f() } else if (i++) { g() }"),
        Example("elixir", "cond do\n  a -> 1\n  true -> 2\nend\ncase x do\n  1 when y -> 1\n  1 -> 2\nend\n"),
    )
    bad = (
        Example("python", "if a == 1:\n    f()\nelif b:\n    g()\nelif a == 1:\n    h()\n"),
        Example("python", "if s.isdigit():\n    f()\nelif s.isdigit():\n    g()\n"),
        Example("python", "match x:\n    case 'a' | 'b':\n        f()\n    case 'a' | 'b':\n        g()\n"),
        Example("javascript", "if (a.b) { f() } else if (c) { g() } else if (a . b) { h() }"),
        Example("typescript", "switch (x) { case K.A: f(); break; case K.B: break; case K.A: g(); }"),
        Example("elixir", "cond do\n  a > 1 -> 1\n  b -> 2\n  a > 1 -> 3\nend\n"),
        Example("elixir", "case x do\n  {:ok, 1} -> 1\n  {:ok, 1} -> 2\nend\n"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look for a condition that equals an earlier one."""
        if node.type == "if_statement" and node.child_by_field_name("alternative") is None:
            return
        conditions = _conditions(node, file)
        if len(conditions) < 2:
            return
        seen: dict[tuple[tuple[int, bytes], ...], Node] = {}
        for parts in conditions:
            key = tuple(tokens(parts, file))
            first = seen.setdefault(key, parts[0])
            if first is parts[0]:
                continue
            confidence = Confidence.HIGH
            if any(may_change(part, file) for part in parts):
                calls = [
                    file.name_of_call(call) for part in parts for call in file.descendants(part) if "call" in call.type
                ]
                if any(_has_effect(part, file) for part in parts):
                    continue
                if not set(calls) <= _PURE:
                    confidence = Confidence.MEDIUM
            line = file.position(first.start_byte)[0]
            shown = " ".join(file.text(parts[0]).split())
            message = f"`{shown[:60]}` was tested on line {line} already, so this branch never runs"
            yield Hit(parts[0], f"{message}: write the condition that was meant", confidence=confidence)


def _conditions(node: Node, file: SourceFile) -> list[tuple[Node, ...]]:
    """The conditions of a chain in order; a pattern with a guard is two nodes."""
    if node.type == "if_statement":
        return [(branch.condition,) for branch in branches(node, file) if branch.condition is not None]
    if node.type == "switch_body":
        values = (case.child_by_field_name("value") for case in node.named_children if case.type == "switch_case")
        return [(value,) for value in values if value is not None]
    if node.type == "match_statement":
        body = node.child_by_field_name("body")
        clauses = [clause for clause in (body.named_children if body else ()) if clause.type == "case_clause"]
        return [_until_body(clause.named_children) for clause in clauses]
    block = children.of_kind(node, "do_block")
    clauses = [clause for clause in (block.named_children if block else ()) if clause.type == "stab_clause"]
    lefts = (clause.child_by_field_name("left") for clause in clauses)
    return [(left,) for left in lefts if left is not None]


def _until_body(parts: Sequence[Node]) -> tuple[Node, ...]:
    return tuple(part for part in parts if part.type not in {"block", "comment"})


def _has_effect(node: Node, file: SourceFile) -> bool:
    """Whether it assigns, awaits or yields, or calls something named for taking the next of a sequence."""
    for found in file.descendants(node):
        if found.type in {"named_expression", "assignment_expression", "update_expression", "await", "yield"} or (
            found.type in {"await_expression", "yield_expression", "augmented_assignment_expression"}
        ):
            return True
        if found.type in {"call", "call_expression"}:
            name = file.name_of_call(found).lower()
            if name.lstrip("_").startswith(_TAKERS):
                return True
    return False
