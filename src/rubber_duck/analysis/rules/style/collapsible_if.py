"""Finds an `if` that holds nothing but another `if`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Edit, Fix, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import Branch, branches, unwrapped
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_WEAKER: Final = frozenset(
    {
        *("conditional_expression", "lambda", "named_expression", "yield", "ternary_expression", "arrow_function"),
        *("assignment_expression", "sequence_expression", "yield_expression"),
    }
)
"""Kinds that bind less than `and`, so they need parentheses."""

_RUN_AS_A_PROGRAM: Final = re.compile(r"__name__ == ['\"]__main__['\"]|require\.main === module|import\.meta\.main\b")
"""The idioms by which a module asks whether it is the program; nobody joins them with anything."""

_JOINS: Final = {"python": "and", "ecmascript": "&&", "elixir": "&&"}


@rules.add
class CollapsibleIf(Rule):
    """An `if` without `else` holds nothing but another `if` without `else`.

    Both conditions must hold for anything to happen, which `and` says on one line and with one level less.

    Mend it with the fix, which joins the conditions and, in Python, moves the body to the left.

    Only short conditions are reported, whose join fits into `max_columns`; where a comment stands between the two, the
    author had a reason to part them, and `if __name__ == "__main__":` stands alone by custom. Ignore it where the outer
    `if` will soon hold more.
    """

    name = "collapsible-if"
    kind = Kind.STYLE
    severity = Severity.INFO
    kinds: ClassVar = {"python": ("if_statement",), "ecmascript": ("if_statement",), "elixir": ("call",)}
    names = frozenset({"if"})
    options: ClassVar = {"max_columns": 88}
    replaces = ("ruff/SIM102",)
    good = (
        Example("python", "if a:\n    if b:\n        f()\n    g()\n"),
        Example("python", "if a:\n    if b:\n        f()\nelse:\n    g()\n"),
        Example("python", "if a:\n    if b:\n        f()\n    else:\n        g()\n"),
        Example("python", "if a:\n    # only then\n    if b:\n        f()\n"),
        Example("python", "if x:\n    f()\nelif a:\n    if b:\n        g()\n"),
        Example("python", f"if {'a' * 60}:\n    if {'b' * 30}:\n        f()\n"),
        Example("python", "if __name__ == '__main__':\n    if len(argv) > 1:\n        f()\n"),
        Example("javascript", "if (a) { if (b) f(); else g() }"),
        Example("javascript", "if (require.main === module) { if (a) f() }"),
        Example("elixir", "if a do\n  if b do\n    1\n  else\n    2\n  end\nend\n"),
    )
    bad = (
        Example("python", "if a:\n    if b == 1:\n        f()\n"),
        Example("python", "if a or c:\n    if b if d else e:\n        f()\n        g()\n"),
        Example("javascript", "if (a) { if (b || c) { f(); } }"),
        Example("typescript", "if (a.b) if (c) f();"),
        Example("elixir", "if a do\n  if b do\n    f()\n  end\nend\n"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at what one `if` holds."""
        outer = _lone_branch(node, file)
        if outer is None or len(outer.body) != 1 or outer.body[0].kind_id != node.kind_id:
            return
        held = outer.body[0]
        inner = _lone_branch(held, file, is_visited=False)
        if inner is None or outer.condition is None or inner.condition is None:
            return
        if node.type == "call" and file.name_of_call(held) != "if":
            return
        if _RUN_AS_A_PROGRAM.search(file.text(outer.condition)):
            return
        family = file.family
        joined = f" {_JOINS[family]} ".join(_operand(each.condition, file) for each in (outer, inner) if each.condition)
        column = file.position(node.start_byte)[1] + len("if ():")
        if "\n" in joined or column + len(joined) > int(str(self.option("max_columns"))) or _has_comment(node, held):
            return
        fix = _python_fix(node, held, outer.condition, joined, file) if family == "python" else None
        shown = shortened(f"({joined})" if family == "ecmascript" else joined, 80)
        message = f"This `if` holds nothing but another: write `if {shown}`"
        yield Hit(children.keyword(node), message, fix)


def _lone_branch(node: Node, file: SourceFile, *, is_visited: bool = True) -> Branch | None:
    """The one branch of an `if` without `else`."""
    if node.type == "if_statement" and node.child_by_field_name("alternative") is not None:
        return None
    found = branches(node, file, is_visited=is_visited)
    return found[0] if len(found) == 1 and found[0].condition is not None else None


def _operand(condition: Node | None, file: SourceFile) -> str:
    if condition is None:
        return ""
    bare = unwrapped(condition)
    sign = children.operator(bare)
    needs_parentheses = bare.type in _WEAKER or sign in {"or", "||", "??", "="}
    return f"({file.text(bare)})" if needs_parentheses else file.text(bare)


def _has_comment(node: Node, held: Node) -> bool:
    body = node.child_by_field_name("consequence") or children.of_kind(node, "do_block")
    parts = [*node.children, *(body.children if body is not None else ()), *held.children]
    return any(part.type == "comment" for part in parts)


def _python_fix(node: Node, held: Node, condition: Node, joined: str, file: SourceFile) -> Fix | None:
    """Join the conditions and move the body to the left; None where that would change a text over several lines."""
    body = held.child_by_field_name("consequence")
    if body is None or body.start_point.row == held.start_point.row:
        return None
    if any("string" in each.type and each.start_point.row != each.end_point.row for each in file.descendants(body)):
        return None
    shift = held.start_point.column - node.start_point.column
    colon = next(child for child in held.children if child.type == ":")
    edits = [Edit(condition.start_byte, colon.start_byte, joined)]
    for row in range(body.start_point.row, body.end_point.row + 1):
        start = file.line_starts[row]
        if file.content[start : start + shift].strip(b" "):
            if file.line(row + 1).strip():
                return None  # indented by tabs, or not at all
            continue
        edits.append(Edit(start, start + shift, ""))
    return Fix("Join the conditions", tuple(edits), safe=True)
