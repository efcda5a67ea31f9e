"""Finds inner loops that overwrite the variable of a loop around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.analysis.rules import children
from rubber_duck.code.source import Node, SourceFile

_BORDERS: Final = frozenset(
    {
        *("function_definition", "class_definition", "function_declaration", "function_expression", "arrow_function"),
        *("method_definition", "generator_function", "generator_function_declaration", "class_body"),
    }
)
_LOOPS: Final = frozenset({"for_statement", "for_in_statement"})


@rules.add
class ShadowedLoopVariable(Rule):
    """A loop inside a loop uses the same variable, so behind it the outer one has lost its value.

    Code of the outer loop that stands below the inner one then works on the last value of the inner loop. In
    JavaScript a counter that is shared (`var i` twice) makes the outer loop end early or never.

    Mend it by giving the inner variable a name of its own.

    Confidence is high where the outer variable is read after the inner loop, medium where it is not (yet). `_` is
    never reported, nor are loops with `let` or `const` in JavaScript and comprehensions, which have a scope of their
    own.
    """

    name = "shadowed-loop-variable"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {"python": ("for_statement",), "ecmascript": ("for_statement", "for_in_statement")}
    good = (
        Example("python", "for x in a:\n    for y in x:\n        f(x)\n"),
        Example("python", "for _ in a:\n    for _ in b:\n        f()\n"),
        Example("python", "for x in a:\n    y = [x for x in b]\n"),
        Example("python", "for x in a:\n    def g():\n        for x in b:\n            f(x)\n"),
        Example("python", "for x in a:\n    if x:\n        for x in b:\n            f(x)\n        break\n"),
        Example("python", "for x in a:\n    f(x)\nelse:\n    for x in b:\n        f(x)\n"),
        Example("javascript", "for (let i = 0; i < 9; i++) { for (let i = 0; i < 3; i++) { f(i) } }"),
        Example("javascript", "for (var i = 0; i < 9; i++) { for (var j = 0; j < 3; j++) { f(i) } }"),
    )
    bad = (
        Example("python", "for x in a:\n    for x in b:\n        f(x)\n    g(x)\n"),
        Example("python", "for i, (k, v) in a:\n    if k:\n        for v, w in b:\n            f(v)\n"),
        Example("javascript", "for (var i = 0; i < 9; i++) { for (var i = 0; i < 3; i++) { f(i) } }"),
        Example("typescript", "for (var k in a) { for (k of b) { f(k) } }"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Compare a loop's variables with those of the loops around it."""
        outer = list(_loops_around(file))
        if not outer:
            return
        own = _variables(node, file)
        for loop in outer:
            held = _variables(loop, file)
            for name, place in own.items():
                if name not in held or name.startswith("_"):
                    continue
                is_read = _is_read_after(name, node.end_byte, loop, file)
                if not is_read and file.family == "python" and _leaves_behind(node, file):
                    return
                line = file.position(loop.start_byte)[0]
                message = f"This loop overwrites `{name}` of the loop on line {line}"
                if is_read:
                    message += ", which is read again after it"
                is_counter = file.family == "ecmascript" and loop.type == "for_statement"
                confidence = Confidence.HIGH if is_read or is_counter else Confidence.MEDIUM
                severity = Severity.HIGH if is_read else None
                yield Hit(place, f"{message}: give it a name of its own", confidence=confidence, severity=severity)
                return


def _loops_around(file: SourceFile) -> Iterator[Node]:
    """The loops whose body the walk is in, innermost first, up to the function."""
    ancestors = file.ancestors
    for index in range(len(ancestors) - 1, -1, -1):
        above = ancestors[index]
        kind = above.type
        if kind in _BORDERS:
            return
        if kind in _LOOPS and index + 1 < len(ancestors) and ancestors[index + 1] == above.child_by_field_name("body"):
            yield above


def _variables(loop: Node, file: SourceFile) -> dict[str, Node]:
    """The names a loop assigns, and where; in ECMAScript only those that outlive the loop."""
    if file.family == "python" or loop.type == "for_in_statement":
        declared = loop.child_by_field_name("kind")
        target = loop.child_by_field_name("left")
        if target is None or (declared is not None and declared.type in {"let", "const"}):
            return {}
        found = (child for child in file.descendants(target) if child.type == "identifier")
        return {file.text(name): name for name in found} if target.type not in {"attribute", "subscript"} else {}
    start = loop.child_by_field_name("initializer")
    if start is None or start.type == "lexical_declaration":
        return {}
    field = "name" if start.type == "variable_declaration" else "left"
    parts = start.named_children if start.type in {"variable_declaration", "sequence_expression"} else [start]
    names = (part.child_by_field_name(field) or part.child_by_field_name("left") for part in parts)
    return {file.text(name): name for name in names if name is not None and name.type == "identifier"}


def _leaves_behind(inner: Node, file: SourceFile) -> bool:
    """Whether the block around the inner loop ends by leaving the outer one, so that nothing is lost."""
    block = file.parent
    last = children.last(block)
    return (
        last is not None and last != inner and last.type in {"break_statement", "return_statement", "raise_statement"}
    )


def _is_read_after(name: str, after: int, loop: Node, file: SourceFile) -> bool:
    """Whether the rest of the loop's body reads `name` before it assigns it again."""
    body = loop.child_by_field_name("body")
    for statement in body.named_children if body is not None else ():
        if statement.end_byte <= after:
            continue
        assigned = _assigned(statement) if statement.start_byte >= after else None
        for found in file.descendants(statement):
            if found.start_byte < after or found.type != "identifier" or file.text(found) != name:
                continue
            if assigned is None or not assigned.start_byte <= found.start_byte < assigned.end_byte:
                return True
        if assigned is not None and any(file.text(each) == name for each in file.descendants(assigned)):
            return False
    return False


def _assigned(statement: Node) -> Node | None:
    """What a plain assignment or a loop assigns to."""
    inner = children.first(statement) if statement.type == "expression_statement" else statement
    if inner is None or inner.type not in {"assignment", "assignment_expression", *_LOOPS}:
        return None
    return inner.child_by_field_name("left")
