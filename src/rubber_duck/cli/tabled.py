"""Any answer as tables: a row for each record of a list, names in front of what stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rubber_duck.cli import drawing
from rubber_duck.cli.plain import is_short, scalar, title

if TYPE_CHECKING:
    from rich.console import RenderableType


def tabled(answer: Any) -> Iterator[RenderableType]:  # Any: builtins of any shape
    """Tables of the lists of records in it, wherever they lie; the other values before them."""
    if not isinstance(answer, Mapping):
        yield from _table("", answer) if _is_records(answer) else [drawing.text(scalar(answer))]
        return
    alone = {title(name): scalar(value) for name, value in answer.items() if is_short(value)}
    if alone:
        yield drawing.facts(alone)
    for name, value in answer.items():
        if _is_records(value):
            yield from _table(name, value)
        elif isinstance(value, Mapping):
            yield drawing.text(title(name), "bold")
            yield from tabled(value)
        elif not is_short(value):
            shown = [scalar(each) for each in value] if isinstance(value, (list, tuple)) else [scalar(value)]
            yield drawing.text(f"{title(name)}: {', '.join(shown) or 'none'}")


def _is_records(value: Any) -> bool:  # Any: as above
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _table(name: str, records: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    columns = list(dict.fromkeys(key for each in records for key in each))
    numbers = [
        key
        for key in columns
        if all(isinstance(each.get(key), (int, float)) and not isinstance(each.get(key), bool) for each in records)
    ]
    made = drawing.table(*map(title, columns), right=[title(key) for key in numbers], wrap=[title(columns[-1])])
    for each in records:
        made.add_row(*(drawing.name(_cell(each.get(key))) for key in columns))
    if name:
        yield drawing.text(title(name), "bold")
    yield made


def _cell(value: Any) -> str:  # Any: as above
    if is_short(value):
        return scalar(value)
    return f"{len(value)}" if isinstance(value, (list, tuple, Mapping)) else scalar(value)
