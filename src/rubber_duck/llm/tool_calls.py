"""Puts together the calls of tools that come in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rubber_duck.errors import BadAnswer, LimitExceeded
from rubber_duck.llm.messages import ToolCall
from rubber_duck.llm.wire import TOOL_BYTES, is_object

_MOST_CALLS: Final = 128


@dataclass(slots=True)
class _Building:
    """A call that comes in pieces."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    size: int = 0


class ToolCalls:
    """The calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Building] = []
        self._open: dict[int | None, _Building] = {}

    def add(self, index: int | None, call: str, name: str, arguments: str) -> None:
        """The next piece of a call: what is empty was said before, or is not said.

        Some servers count no calls, or all of them as 0: one with another id, or that names a tool when the last one
        is whole, is another. Raises LimitExceeded for too many, and for arguments that are too large.
        """
        building = self._open.get(index)
        if building is None or _is_another(building, call, name):
            if len(self._calls) >= _MOST_CALLS:
                raise LimitExceeded(f"the provider's answer calls more than {_MOST_CALLS} tools")
            building = self._open[index] = _Building()
            self._calls.append(building)
        building.id = call or building.id
        building.name = name or building.name
        building.size += len(arguments)
        if building.size > TOOL_BYTES:
            raise LimitExceeded(f"the arguments of the tool {building.name!r} are larger than {TOOL_BYTES:,} bytes")
        building.arguments.append(arguments)

    def whole(self, *, is_cut: bool) -> Iterator[ToolCall]:
        """The calls. Raises BadAnswer for one that is none, unless the answer `is_cut`: that is left out then."""
        for number, call in enumerate(self._calls):
            arguments = "".join(call.arguments) or "{}"
            if call.name and is_object(arguments):
                yield ToolCall(call.id or f"call_{number}", call.name, arguments)
            elif not is_cut:
                raise BadAnswer(f"the provider's call of the tool {call.name!r} is no JSON object")


def _is_another(last: _Building, call: str, name: str) -> bool:
    if call and last.id:
        return call != last.id
    return bool(name and last.name) and is_object("".join(last.arguments))
