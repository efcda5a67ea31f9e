"""What a reader could be fooled by is shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.analysis.report.visible import scrubbed, shortened, visible, visible_block, visible_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("naïve 世界 🦆", "naïve 世界 🦆"),
        ("wide\u3000space", "wide\u3000space"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("no-break\u00a0space", "no-break\\xa0space"),
        ("byte \udcff, surrogate \ud800", "byte \\xff, surrogate \\ud800"),
        ("private \U0010fffd", "private \\U0010fffd"),
        ("two\r\n\tlines\u2028and more", "two lines and more"),
    ],
)
def test_a_dangerous_character_is_written_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_break_in_a_name_is_escaped_because_it_is_part_of_it() -> None:
    assert visible_name("a\nb\tc.py") == "a\\x0ab\\x09c.py"


def test_a_block_keeps_its_lines() -> None:
    assert visible_block("a\r\n\tb\x1b\n") == "a\n    b\\x1b\n"


def test_only_what_is_too_long_is_shortened() -> None:
    assert (shortened("duck", 4), shortened("ducks", 4)) == ("duck", "duck…")


@given(st.text(st.characters(exclude_categories=())))
@settings(max_examples=100, deadline=None)
def test_visible_text_is_printable_and_scrubbed_text_is_valid_unicode(text: str) -> None:
    assert visible(text).replace("\u3000", "").isprintable()
    scrubbed(text).encode()


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_scrubbing_changes_nothing_that_is_valid(text: str) -> None:
    assert scrubbed(text) == text
