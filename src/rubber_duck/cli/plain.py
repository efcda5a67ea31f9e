"""Any answer as text for people: names and values, lists as items, records of one kind as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rubber_duck.cli.terminal import printable

_INDENT: Final = "  "
_Scalar = str | int | float | bool | None


def plain(answer: Any, width: int) -> str:  # Any: builtins of any shape
    """The answer as lines; tables are as wide as they need, other text is not wrapped."""
    if isinstance(answer, Mapping) and len(answer) == 1:
        [only] = answer.values()
        if isinstance(only, str):
            return printable(only)
    return "\n".join(_lines(answer, width)) + "\n"


def _lines(value: Any, width: int) -> Iterator[str]:  # Any: as in plain
    match value:
        case Mapping():
            yield from _record(value, width)
        case str():
            yield from printable(value).splitlines() or [""]
        case Sequence():
            yield from _items(value, width)
        case _:
            yield scalar(value)


def _record(record: Mapping[str, Any], width: int) -> Iterator[str]:  # Any: as in plain
    column = max((len(title(name)) for name, value in record.items() if is_short(value)), default=0)
    for name, value in record.items():
        if is_short(value):
            yield f"{title(name):<{column}}  {scalar(value)}".rstrip()
        elif not value:
            yield f"{title(name)}: none"
        else:
            yield f"{title(name)}:"
            yield from (_INDENT + line for line in _lines(value, width - len(_INDENT)))


def _items(items: Sequence[Any], width: int) -> Iterator[str]:  # Any: as in plain
    if not items:
        yield "none"
        return
    table = _table(items, width)
    if table is not None:
        yield from table
        return
    for item in items:
        lines = list(_lines(item, width - len(_INDENT)))
        yield f"- {lines[0]}"
        yield from (_INDENT + line for line in lines[1:])


def _table(items: Sequence[Any], width: int) -> list[str] | None:  # Any: as in plain
    """Rows under headings, when all items are flat records with the same names that fit beside each other."""
    first = items[0]
    if not isinstance(first, Mapping) or not first:
        return None
    if not all(isinstance(item, Mapping) and item.keys() == first.keys() for item in items):
        return None
    if not all(is_short(value) for item in items for value in item.values()):
        return None
    rows = [[title(name) for name in first], *([scalar(value) for value in item.values()] for item in items)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        return None
    numeric = [all(isinstance(item[name], (int, float)) for item in items) for name in first]
    return [
        "  ".join(
            cell.rjust(size) if right else cell.ljust(size)
            for cell, size, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows
    ]


def is_short(value: Any) -> bool:  # Any: as in plain
    """Whether a value fits into a cell."""
    return isinstance(value, _Scalar) and "\n" not in str(value)


def title(name: object) -> str:
    """The name of a field as people write it."""
    return printable(str(name)).replace("\n", " ").replace("_", " ")


def scalar(value: Any) -> str:  # Any: as in plain
    """A single value as people write it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return printable(str(value))
