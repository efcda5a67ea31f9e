"""Finds Elixir code that counts a whole collection to learn whether it is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Edit, Fix, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_EMPTY: Final = frozenset({("==", 0), ("===", 0), ("<", 1), ("<=", 0)})
_FULL: Final = frozenset({("!=", 0), ("!==", 0), (">", 0), (">=", 1)})
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@rules.add
class ExpensiveEmptyCheck(Rule):
    """`length(list) == 0` or `Enum.count(x) > 0` walks the whole collection to learn whether it has an element.

    A list knows no length in Elixir, so the time grows with the list, and a stream may never end. Comparing with the
    empty list, or asking `Enum.empty?/1`, looks at the first element only.

    Mend it by `list == []` or `list != []` for `length/1`, and by `Enum.empty?(x)` for `Enum.count/1`.

    Ignore it where the collection is known to be tiny; in a guard, note that `length/1` also makes sure that the value
    is a list, for which `[_ | _]` is the pattern. Test files are not looked at.
    """

    name = "expensive-empty-check"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {"elixir": ("binary_operator",)}
    replaces = ("credo/Credo.Check.Warning.ExpensiveEmptyEnumCheck",)
    good = (
        Example("elixir", "length(x) == 1\nlist == []\nEnum.count(x) > 1\nmap_size(x) == 0\nString.length(x) > 0\n"),
        Example("elixir", "Enum.count(x, &(&1 > 2)) == 0\nlength(x) == length(y)\n"),
    )
    bad = (
        Example("elixir", "if length(list) == 0, do: 1"),
        Example("elixir", "0 < length(list)"),
        Example("elixir", "Enum.count(list) != 0"),
        Example("elixir", "list |> Enum.filter(f) |> Enum.count() > 0"),
        Example("elixir", "def f(x) when length(x) > 0, do: x"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look for a count compared with a bound that only the empty collection meets."""
        if is_test(file.path):
            return
        left, operator, right = (node.child_by_field_name(name) for name in ("left", "operator", "right"))
        if left is None or operator is None or right is None:
            return
        if right.type == "integer":
            counted, number, sign = left, right, operator.type
        elif left.type == "integer":
            counted, number, sign = right, left, _MIRRORED.get(operator.type, operator.type)
        else:
            return
        test = (sign, int(file.text(number))) if file.text(number) in {"0", "1"} else ("", 0)
        if test not in _EMPTY and test not in _FULL:
            return
        found = _counted(counted, file)
        if found is None:
            return
        collection, is_list = found
        wish, is_safe = _wish(collection, file, is_list=is_list, is_empty=test in _EMPTY)
        message = f"`{shortened(file.text(node), 60)}` counts every element to ask for one: write `{wish}`"
        is_guard = any(above.type == "binary_operator" and _sign(above) == "when" for above in file.ancestors[-4:])
        fix = Fix(f"Write `{wish}`", (Edit(node.start_byte, node.end_byte, wish),), is_safe) if not is_guard else None
        if is_guard:
            pattern = "[]" if test in _EMPTY else "[_ | _]"
            message = f"`{file.text(node)}` counts every element to ask for one: match `{pattern}` in the head instead"
        yield Hit(node, message, fix if collection is not None else None)


def _counted(node: Node, file: SourceFile) -> tuple[Node | None, bool] | None:
    """What is counted, None where it comes by a pipe, and whether it must be a list; None when nothing is counted."""
    is_piped = node.type == "binary_operator" and _sign(node) == "|>"
    call = node.child_by_field_name("right") if is_piped else node
    if call is None or call.type != "call":
        return None
    callee = file.callee(call)
    if callee not in {"length", "Enum.count", "Kernel.length"}:
        return None
    arguments = children.of_kind(call, "arguments")
    given = arguments.named_children if arguments is not None else []
    if len(given) != (0 if is_piped else 1):
        return None
    return (None if is_piped else given[0]), callee != "Enum.count"


def _wish(collection: Node | None, file: SourceFile, *, is_list: bool, is_empty: bool) -> tuple[str, bool]:
    if collection is None:
        return ("… |> Enum.empty?()" if is_empty else "not (… |> Enum.empty?())"), False
    text = file.text(collection)
    if is_list:
        bare = text if collection.type in {"identifier", "call"} else f"({text})"
        return f"{bare} {'==' if is_empty else '!='} []", False  # a value that is no list raised before
    return f"{'' if is_empty else 'not '}Enum.empty?({text})", True


def _sign(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return operator.type if operator is not None else ""
