"""The underlined place is the right one, whatever the line is made of and however long it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rubber_duck.analysis.finding import Span
from rubber_duck.analysis.report.excerpt import CodeLine, Excerpt, excerpt


def _one(line: str, start: int, end: int, width: int = 40) -> CodeLine:
    code = excerpt({1: line}, Span(1, start, 1, end), width)
    assert code is not None
    return code.lines[0]


def test_a_line_that_fits_is_split_at_the_span() -> None:
    assert _one("x = eval(y)", 5, 12) == CodeLine(1, "x = ", "eval(y)", "")


def test_wide_characters_take_two_cells_and_combining_marks_none() -> None:
    line = _one("世界 = e\u0301vil(1)", 6, 11)
    assert (line.before, line.marked, line.offset_cells, line.marked_cells) == ("世界 = ", "e\u0301vil", 7, 4)


def test_tabs_become_spaces_up_to_the_next_stop_of_four() -> None:
    assert _one("\ta\tb", 4, 5) == CodeLine(1, "    a   ", "b", "")


def test_control_characters_are_escaped_and_counted_as_shown() -> None:
    line = _one("a\x1b[0m\u202eb", 7, 8)
    assert (line.before, line.offset_cells) == ("a\\x1b[0m\\u202e", 14)


def test_an_empty_span_still_marks_one_character() -> None:
    assert _one("abc", 2, 2) == CodeLine(1, "a", "b", "c")
    assert _one("abc", 4, 4) == CodeLine(1, "abc", " ", "")
    assert _one("", 1, 1) == CodeLine(1, "", " ", "")


def test_a_span_beyond_the_line_is_marked_at_its_end() -> None:
    assert _one("abc\r\n", 90, 95) == CodeLine(1, "abc", " ", "")


def test_a_long_line_is_cut_around_the_span() -> None:
    line = _one("a" * 100 + "HERE" + "b" * 100, 101, 105, width=20)
    assert line == CodeLine(1, "…" + "a" * 7, "HERE", "b" * 7 + "…")


def test_a_long_line_keeps_its_beginning_when_the_span_is_near() -> None:
    assert _one("x = HERE" + "b" * 100, 5, 9, width=20) == CodeLine(1, "x = ", "HERE", "b" * 10 + "…")


def test_a_span_longer_than_the_width_is_cut_itself() -> None:
    assert _one("x = " + "H" * 100, 5, 105, width=20) == CodeLine(1, "…", "H" * 18, "…")


def test_a_span_over_several_lines_shows_the_first_and_the_last() -> None:
    code = excerpt({3: "f(", 6: "    b)  # end"}, Span(3, 1, 6, 7), 40)
    assert code == Excerpt((CodeLine(3, "", "f(", ""), CodeLine(6, "    ", "b)", "  # end")), 2)


def test_an_end_in_the_first_column_takes_in_only_the_line_break_before_it() -> None:
    assert excerpt({1: "import os", 2: "x"}, Span(1, 1, 2, 1), 40) == Excerpt((CodeLine(1, "", "import os", ""),), 0)
    code = excerpt({1: "a", 3: "  c", 4: "x"}, Span(1, 1, 4, 1), 40)
    assert code == Excerpt((CodeLine(1, "", "a", ""), CodeLine(3, "  ", "c", "")), 1)


def test_without_its_line_there_is_no_excerpt() -> None:
    assert excerpt({2: "x"}, Span(1, 1, 1, 2), 40) is None


@given(
    st.text(st.characters(exclude_categories=()), max_size=200),
    st.integers(1, 210),
    st.integers(0, 210),
    st.integers(20, 80),
)
@settings(max_examples=200, deadline=None)
def test_no_line_is_wider_than_asked_and_every_one_is_printable(line: str, start: int, size: int, width: int) -> None:
    code = _one(line, start, start + size, width)
    shown = code.before + code.marked + code.after
    # A mark past the end of a full line takes one cell more.
    assert sum(map(cell_len, shown)) <= width + 1
    assert code.marked
    assert shown.replace("\u3000", "").isprintable()
