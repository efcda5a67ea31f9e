"""Answers are readable as plain text."""

from __future__ import annotations

from typing import Any

import pytest

from rubber_duck.cli.plain import plain


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"text": "just\nthis"}, "just\nthis"),
        ({"a": 1, "long_name": "x", "none": None}, "a          1\nlong name  x\nnone       -\n"),
        ({"yes": True, "part": 0.5}, "yes   yes\npart  0.5\n"),
        ({"a": {"b": 1}, "c": []}, "a:\n  b  1\nc: none\n"),
        ({"rows": [{"n": 1, "name": "a"}, {"n": 22, "name": "b"}]}, "rows:\n   n  name\n   1  a\n  22  b\n"),
        ({"items": ["a", "b"], "n": 1}, "items:\n  - a\n  - b\nn  1\n"),
        ({"items": [{"a": [1, 2]}]}, "items:\n  - a:\n      - 1\n      - 2\n"),
        ({"text": "two\nlines", "n": 1}, "text:\n  two\n  lines\nn  1\n"),
        ([], "none\n"),
        ({"a": "\x1b[31m"}, "\\x1b[31m"),
    ],
)  # fmt: skip
def test_answers_read_well(answer: Any, text: str) -> None:
    assert plain(answer, 80) == text


def test_a_table_that_does_not_fit_becomes_items() -> None:
    assert plain({"rows": [{"a": "x" * 30, "b": "y" * 30}]}, 40) == (
        "rows:\n  - a  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n    b  yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n"
    )
