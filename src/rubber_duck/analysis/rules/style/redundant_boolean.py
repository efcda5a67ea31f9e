"""Finds conditionals that turn a condition into itself: `if c: return True else: return False`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Edit, Fix, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import Branch, branches, unwrapped
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_COMPARISONS: Final = frozenset({"===", "!==", "==", "!=", "<", "<=", ">", ">=", "in", "instanceof", "=~", "!"})
_NEGATIONS: Final = frozenset({"not_operator", "unary_expression", "unary_operator"})
_OPPOSITES: Final[Mapping[str, Mapping[str, str]]] = {
    "comparison_operator": {"in": "not in", "not in": "in", "is": "is not", "is not": "is"},
    "binary_expression": {"===": "!==", "!==": "==="},
}
"""Signs whose opposite is exact; `<` has none because of not-a-number."""

_JOINS: Final = frozenset({"&&", "||", "and", "or"})
_PREDICATES: Final = frozenset({"isinstance", "issubclass", "hasattr", "callable", "bool", "any", "all", "Boolean"})


@rules.add
class RedundantBoolean(Rule):
    """A conditional gives true where its condition is true and false where it is false.

    `if ready: return True` / `else: return False` says `return ready` in four lines; `c ? true : false` says `c`.
    The other way round it says `not c`.

    Mend it with the fix: the condition itself where it is a comparison or a test and so true or false already,
    otherwise `bool(c)`, `Boolean(c)` or `!!c`.

    A chain of `if … return True` tests that ends in `return False` is left alone: it reads well. Ignore the finding
    where branches will grow.
    """

    name = "redundant-boolean"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {
        "python": ("if_statement", "conditional_expression"),
        "ecmascript": ("if_statement", "ternary_expression"),
        "elixir": ("call",),
    }
    names = frozenset({"if", "unless"})
    replaces = ("ruff/SIM103", "ruff/SIM210", "ruff/SIM211", "eslint/no-unneeded-ternary")
    good = (
        Example(
            "python", "def f(x):\n    if x:\n        return True\n    if y:\n        return True\n    return False\n"
        ),
        Example("python", "x = True if a else None\ny = 1 if a else 0\n"),
        Example("python", "if x:\n    a = True\nelif y:\n    a = True\nelse:\n    a = False\n"),
        Example("python", "def f():\n    if x:\n        return True  # of course\n    else:\n        return False\n"),
        Example("python", "if x:\n    a = True\nelse:\n    b = False\n"),
        Example("javascript", "const x = a ? true : undefined; const y = a ? true : b"),
        Example("typescript", "const x = a ? 'true' : 'false'"),
        Example("javascript", "true ? true : false;"),
        Example("elixir", "if a, do: true\nif a, do: true, else: nil\n"),
    )
    bad = (
        Example("python", "def f(x):\n    if x > 1:\n        return True\n    else:\n        return False\n"),
        Example("python", "y = False if x in z else True\n"),
        Example("python", "if x:\n    self.a = True\nelse:\n    self.a = False\n"),
        Example("python", "y = f(True if x and y else False)\n"),
        Example("javascript", "const y = x === 1 ? true : false"),
        Example("javascript", "function f(x) { if (x) { return false; } else { return true; } }"),
        Example("typescript", "const y = x ? true : false"),
        Example("elixir", "if x > 1, do: true, else: false"),
        Example("elixir", "if x do\n  true\nelse\n  false\nend\n"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at a conditional with exactly two branches."""
        if node.type == "if_statement" and node.child_by_field_name("alternative") is None:
            return
        found = branches(node, file)
        if len(found) != 2 or found[0].condition is None or found[1].condition is not None:
            return
        first, second = _result(found[0], file), _result(found[1], file)
        if first is None or second is None or first.frame != second.frame or first.value == second.value:
            return
        condition = unwrapped(found[0].condition)
        if condition.type in {"true", "false", "boolean"}:
            return
        is_unless = node.type == "call" and file.name_of_call(node) == "unless"
        text, is_certain = _as_boolean(condition, file, negated=first.value is is_unless)
        replacement = first.frame.replace("\0", text)
        shown = shortened(replacement, 80)
        message = f"Write `{shown}`: this only turns the condition into itself"
        if first.value is is_unless:
            message = f"Write `{shown}`: this only turns the condition round"
        fix = Fix(f"Replace by `{shown}`", (Edit(node.start_byte, node.end_byte, replacement),), is_certain)
        yield Hit(condition if node.type == "if_statement" else node, message, fix)


class _Result:
    """What a branch does with true or false: `frame` is its text with a NUL in place of `value`."""

    __slots__ = ("frame", "value")

    def __init__(self, frame: str, value: bool) -> None:
        self.frame = frame
        self.value = value


def _result(branch: Branch, file: SourceFile) -> _Result | None:
    if len(branch.body) != 1:
        return None
    only = branch.body[0]
    place: Node | None = only
    if only.type in {"return_statement", "expression_statement"}:
        place = children.first(only)
        if place is not None and place.type in {"assignment", "assignment_expression"}:
            if place.child_by_field_name("type") is not None:
                return None
            place = place.child_by_field_name("right")
    if place is None or file.text(place) not in {"True", "False", "true", "false"}:
        return None
    text = file.content[only.start_byte : place.start_byte] + b"\0" + file.content[place.end_byte : only.end_byte]
    return _Result(text.decode("utf-8", "replace"), file.text(place).lower() == "true")


def _as_boolean(condition: Node, file: SourceFile, *, negated: bool) -> tuple[str, bool]:
    """The condition as an expression that is true or false, and whether that is certain."""
    text = file.text(condition)
    if file.family == "python" and "\n" in text:
        text = f"({text})"
    is_simple = condition.named_child_count == 0 or condition.type in {"call", "call_expression", "attribute"}
    if negated:
        return _negation(condition, file, text, is_simple=is_simple)
    if _is_boolean(condition, file):
        compared = (each for each in file.descendants(condition) if each.type == "comparison_operator")
        return text, all(_is_identity(each) for each in compared)  # `==` of NumPy and of queries gives no bool
    if file.family == "python":
        return f"bool({text})", True
    if file.family == "ecmascript":
        return f"Boolean({text})", True
    return f"!!{text if is_simple else f'({text})'}", True


def _negation(condition: Node, file: SourceFile, text: str, *, is_simple: bool) -> tuple[str, bool]:
    """The opposite of the condition, as true or false; always certain."""
    if condition.type in _NEGATIONS and children.operator(condition) in {"", "!", "not"}:
        inner = condition.child_by_field_name("argument") or condition.child_by_field_name("operand")
        if inner is not None:
            return _as_boolean(unwrapped(inner), file, negated=False)
    signs = [child for child in condition.children if not child.is_named]
    opposite = _OPPOSITES.get(condition.type, {}).get(signs[0].type) if len(signs) == 1 else None
    if opposite is not None and "\n" not in text:
        at = signs[0].start_byte - condition.start_byte
        raw = file.content[condition.start_byte : condition.end_byte]
        rest = raw[at + signs[0].end_byte - signs[0].start_byte :]
        return (raw[:at] + opposite.encode() + rest).decode("utf-8", "replace"), True
    is_bare = is_simple or (file.family == "python" and condition.type == "comparison_operator")
    return f"{'not ' if file.family == 'python' else '!'}{text if is_bare else f'({text})'}", True


def _is_boolean(node: Node, file: SourceFile) -> bool:
    """Whether the value can only be true or false."""
    stack = [node]
    while stack:
        each = unwrapped(stack.pop())
        kind = each.type
        if kind in {"true", "false", "boolean", "comparison_operator"}:
            continue
        if kind in _NEGATIONS:
            operator = each.child_by_field_name("operator")
            if kind == "not_operator" or (operator is not None and operator.type in {"!", "not"}):
                continue
            return False
        if kind in {"boolean_operator", "binary_expression", "binary_operator"}:
            operator = each.child_by_field_name("operator")
            sign = operator.type if operator is not None else ""
            if sign in _JOINS:
                stack.extend(each.named_children)
                continue
            if sign in _COMPARISONS:
                continue
            return False
        if kind in {"call", "call_expression"}:
            name = file.name_of_call(each)
            if name in _PREDICATES or (file.family == "elixir" and (name.startswith("is_") or name.endswith("?"))):
                continue
        return False
    return True


def _is_identity(comparison: Node) -> bool:
    return all(child.type in {"is", "is not", "in", "not in"} for child in comparison.children if not child.is_named)
