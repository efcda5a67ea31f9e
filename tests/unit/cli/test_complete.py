"""`duck complete` reads a place, and shows candidates with their reasons."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.unit.cli.calling import Script, call

ANSWER: dict[str, Any] = {
    "candidates": [
        {"text": "total = item.price", "score": 0.53, "reason": "file", "ends_line": True},
        {"text": "return \x1b[31mtotal", "score": 0.04, "reason": "symbols", "ends_line": False},
    ],
    "language": "python",
    "extended": False,
    "trained": False,
    "files": 2,
    "tokens": 100,
    "latency_ms": 1.5,
    "silence": "",
}
ASKED: dict[str, Any] = {
    "type": "suggest",
    "path": "shop/a.py",
    "directory": os.getcwd(),
    "line": 12,
    "column": 9,
    "count": 3,
    "cut": False,
    "language": "",
    "model": True,
}


def test_a_place_is_a_file_a_line_and_a_column() -> None:
    script = Script(ANSWER)
    assert call("complete", "shop/a.py:12:9", script=script).code == 0
    assert call("complete", "C:/a:b.py:12", "--cut", "-n", "5", script=script).code == 0
    assert script.asked == [
        ("complete", ASKED),
        ("complete", ASKED | {"path": "C:/a:b.py", "column": 1, "count": 5, "cut": True}),
    ]


def test_candidates_are_shown_with_what_speaks_for_them() -> None:
    shown = call("complete", "shop/a.py:12:9", script=Script(ANSWER)).out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines == [
        "candidate likely because of",
        "total = item.price 53% this file",
        "return \\x1b[31mtotal 4% what the code declares",
    ]


def test_as_json_the_answer_is_as_it_came() -> None:
    assert json.loads(call("complete", "a.py:1:1", "--json", script=Script(ANSWER)).out) == ANSWER


def test_nothing_to_offer_is_said_on_standard_error() -> None:
    empty = Script(ANSWER | {"candidates": [], "silence": "inside"})
    found = call("complete", "a.py:1:1", script=empty)
    assert (found.code, found.out, found.err) == (
        0,
        "",
        "nothing is offered at a.py:1:1: it is inside a comment or a string\n",
    )
    assert call("complete", "a.py:1:1", "--quiet", script=empty).err == ""


@pytest.mark.parametrize("place", ["a.py", "a.py:x", ":3", "a.py:", "a.py:1:2:"])
def test_what_is_no_place_is_refused(place: str) -> None:
    found = call("complete", place, script=Script(ANSWER))
    assert found.code == 2
    assert "write FILE:LINE:COLUMN" in found.err


def test_lines_and_columns_count_from_one() -> None:
    found = call("complete", "a.py:0:1", script=Script(ANSWER))
    assert found.code == 2
    assert "count from 1" in found.err
