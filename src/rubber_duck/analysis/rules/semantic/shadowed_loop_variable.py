"""Finds loops that overwrite the variable of a loop around them, or a parameter of their function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.allowance import may_read
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
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
    """A loop uses the variable of a loop around it, or a parameter, so behind it the outer one has lost its value.

    Code that stands below the inner loop then works on the last value of that loop, or on none if it was empty. In
    JavaScript a counter that is shared (`var i` twice) makes the outer loop end early or never.

    Mend it by giving the inner variable a name of its own.

    Confidence is high where the outer variable is read after the inner loop, medium where it is not (yet). Parameters
    are looked at in Python only, and only if they are read after a loop that does not search by `break`. Names that
    begin with `_` are never reported, nor are comprehensions and JavaScript's loops with `let` or `const`, which have a
    scope of their own.
    """

    name = "shadowed-loop-variable"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {"python": ("for_statement",), "ecmascript": ("for_statement", "for_in_statement")}
    replaces = ("ruff/PLW2901",)
    overlaps = ("ruff/B020",)
    good = (
        Example("python", "for x in a:\n    for y in x:\n        f(x)\n"),
        Example("python", "for _ in a:\n    for _ in b:\n        f()\n"),
        Example("python", "for x in a:\n    y = [x for x in b]\n"),
        Example("python", "def f(x, y):\n    for x in y:\n        g(x)\n    return y.x\n"),
        Example("python", "def f(x, y):\n    for x in y:\n        if g(x):\n            break\n    return x\n"),
        Example("python", "def f(x, y):\n    for x in x:\n        g(x)\n    for z in y:\n        g(z)\n"),
        Example("python", "for x in a:\n    def g():\n        for x in b:\n            f(x)\n"),
        Example("python", "for x in a:\n    if x:\n        for x in b:\n            f(x)\n        break\n"),
        Example("python", "for x in a:\n    f(x)\nelse:\n    for x in b:\n        f(x)\n"),
        Example("javascript", "for (var k in a) { for (k of b) { f(k) } }"),
        Example("javascript", "for (let i = 0; i < 9; i++) { for (let i = 0; i < 3; i++) { f(i) } }"),
        Example("javascript", "for (var i = 0; i < 9; i++) { for (var j = 0; j < 3; j++) { f(i) } }"),
    )
    bad = (
        Example("python", "for x in a:\n    for x in b:\n        f(x)\n    g(x)\n"),
        Example("python", "for i, (k, v) in a:\n    if k:\n        for v, w in b:\n            f(v)\n"),
        Example("python", "def f(name, names):\n    for name in names:\n        g(name)\n    return name\n"),
        Example("javascript", "for (var i = 0; i < 9; i++) { for (var i = 0; i < 3; i++) { f(i) } }"),
        Example("typescript", "for (var k in a) { for (k of b) { f(k) } g(k) }"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Compare a loop's variables with those of the loops around it, then with the function's parameters."""
        own = _variables(node, file)
        for loop in _loops_around(file):
            held = _variables(loop, file)
            shared = next((name for name in own if name in held and not name.startswith("_")), None)
            if shared is None:
                continue
            is_read = _is_read_after(shared, node.end_byte, loop, file)
            is_counter = file.family == "ecmascript" and loop.type == "for_statement"
            if not is_read and (_leaves_behind(node, file) if file.family == "python" else not is_counter):
                return
            line = file.position(loop.start_byte)[0]
            yield _hit(own[shared], f"`{shared}` of the loop on line {line}", is_read=is_read, is_sure=is_counter)
            return
        function = file.ancestor(*_BORDERS) if own and file.family == "python" else None
        given = function.child_by_field_name("parameters") if function is not None else None
        if function is None or given is None:
            return
        parameters = {file.text(each) for each in file.descendants(given) if each.type == "identifier"}
        source = node.child_by_field_name("right")
        for name, place in own.items():
            if name not in parameters or name.startswith("_") or _mentions(source, name, file):
                continue
            if _is_read_after(name, node.end_byte, function, file) and not _is_search(node, file):
                yield _hit(place, f"the parameter `{name}`", is_read=True, is_sure=False)
                return


def _hit(place: Node, what: str, *, is_read: bool, is_sure: bool) -> Hit:
    message = f"This loop overwrites {what}{', which is read again after it' if is_read else ''}"
    return Hit(
        place,
        f"{message}: give it a name of its own",
        confidence=Confidence.HIGH if is_read or is_sure else Confidence.MEDIUM,
        severity=Severity.HIGH if is_read else None,
    )


def _is_search(loop: Node, file: SourceFile) -> bool:
    """Whether the loop looks for a value to go on with: it has a `break`."""
    return any(may_read(file) and each.type == "break_statement" for each in file.descendants(loop))


def _mentions(node: Node | None, name: str, file: SourceFile) -> bool:
    """Whether `name` stands in the expression: `for value in value` takes its parameter apart on purpose."""
    return node is not None and any(
        each.type == "identifier" and file.text(each) == name for each in file.descendants(node)
    )


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
    if body is None or not may_read(file, body.named_child_count):
        return False
    for statement in body.named_children:
        if statement.end_byte <= after:
            continue
        assigned = _assigned(statement) if statement.start_byte >= after else None
        for found in _names(statement, file):
            if found.start_byte < after or file.text(found) != name:
                continue
            if assigned is None or not assigned.start_byte <= found.start_byte < assigned.end_byte:
                return True
        if assigned is not None and any(file.text(each) == name for each in _names(assigned, file)):
            return False
    return False


def _names(node: Node, file: SourceFile) -> Iterator[Node]:
    """The variables in `node` in source order: identifiers but for fields and the names of arguments."""
    stack = [node]
    while stack and may_read(file):
        found = stack.pop()
        if found.type == "identifier":
            yield found
        elif found.type in {"attribute", "keyword_argument"}:
            inner = found.child_by_field_name("object") or found.child_by_field_name("value")
            stack.extend([inner] if inner is not None else [])
        else:
            stack.extend(reversed(found.named_children))


def _assigned(statement: Node) -> Node | None:
    """What a plain assignment or a loop assigns to."""
    inner = children.first(statement) if statement.type == "expression_statement" else statement
    if inner is None or inner.type not in {"assignment", "assignment_expression", *_LOOPS}:
        return None
    return inner.child_by_field_name("left")
