"""Calls of tools that come in pieces, from servers that count them and from those that do not."""

from __future__ import annotations

import pytest

from rubber_duck.errors import BadAnswer
from rubber_duck.llm.messages import ToolCall
from rubber_duck.llm.tool_calls import ToolCalls

BOTH = [ToolCall("a", "look", '{"at": 1}'), ToolCall("b", "go", '{"to": 2}')]
Piece = tuple[int | None, str, str, str]


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, "a", "look", '{"at"'), (1, "b", "go", '{"to"'), (0, "", "", ": 1}"), (1, "", "", ": 2}")],
        [(None, "a", "look", '{"at": 1}'), (None, "b", "go", '{"to": 2}')],
        [(None, "a", "look", '{"at"'), (None, "", "", ": 1}"), (None, "b", "go", '{"to"'), (None, "", "", ": 2}")],
        [(None, "a", "look", '{"at"'), (None, "a", "look", ": 1}"), (None, "b", "go", '{"to": 2}')],
        [(0, "a", "look", '{"at": 1}'), (0, "b", "go", '{"to": 2}')],
        [(0, "a", "look", '{"at"'), (0, "", "", ": 1}"), (0, "b", "go", '{"to"'), (0, "", "", ": 2}")],
    ],
)
def test_calls_are_told_apart_whether_or_not_they_are_counted(pieces: list[Piece]) -> None:
    calls = ToolCalls()
    for piece in pieces:
        calls.add(*piece)
    assert list(calls.whole(is_cut=False)) == BOTH


def test_calls_without_ids_are_told_apart_by_the_names_and_numbered() -> None:
    calls = ToolCalls()
    for name in ("look", "look"):
        calls.add(None, "", name, '{"at"')
        calls.add(None, "", "", ": 1}")
    assert list(calls.whole(is_cut=False)) == [ToolCall(f"call_{n}", "look", '{"at": 1}') for n in range(2)]


def test_a_call_that_was_cut_off_is_left_out_only_where_that_is_said() -> None:
    calls = ToolCalls()
    calls.add(None, "a", "look", '{"at": 1}')
    calls.add(None, "b", "go", '{"to"')
    assert list(calls.whole(is_cut=True)) == BOTH[:1]
    with pytest.raises(BadAnswer, match="'go' is no JSON object"):
        list(calls.whole(is_cut=False))
