"""Lines by number, and byte offsets of rows and columns."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.analysis.lines import Lines

TEXT = "aé\r\n𝕏b\rc\n"


def test_lines_end_at_every_kind_of_break() -> None:
    lines = Lines(TEXT.encode())
    assert [lines.line(number) for number in range(5)] == ["", "aé", "𝕏b", "c", ""]


def test_a_column_counts_code_points_and_gives_bytes() -> None:
    content = TEXT.encode()
    assert content[Lines(content).byte_offset(2, 2) :].startswith(b"b")


def test_a_row_beyond_the_end_is_the_end() -> None:
    assert Lines(b"a\n").byte_offset(9, 1) == 2


@given(st.text(), st.integers(-2, 40), st.integers(1, 40))
def test_an_offset_always_lies_in_the_text(text: str, row: int, column: int) -> None:
    content = text.encode("utf-8", "replace")
    assert 0 <= Lines(content).byte_offset(row, column) <= len(content)


@given(st.text("aé\v\f\x1c\x85\u2028\r\n"))
def test_nothing_but_the_three_breaks_ends_a_line(text: str) -> None:
    lines = Lines(text.encode())
    expected = re.split("\r\n|\r|\n", text)
    assert [lines.line(number) for number in range(1, len(expected) + 1)] == expected
    assert lines.line(len(expected) + 1) == ""


def test_a_hidden_place_is_stars_but_for_its_beginning_and_columns_stay() -> None:
    content = 'key = "ék8Jd93" + x\nblock = """one\ntwo"""\n'.encode()
    places = [(7, 15), (29, 42), (31, 34)]
    assert [Lines.with_hidden(content, places).line(number) for number in (1, 2, 3)] == [
        'key = "ék8J***" + x',
        'block = """o**',
        "******",
    ]


def test_places_that_overlap_are_hidden_together() -> None:
    assert Lines.with_hidden(b"0123456789abcdef", [(2, 8), (6, 12)]).line(1) == "012345******cdef"
