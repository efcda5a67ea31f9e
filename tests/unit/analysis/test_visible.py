"""What a reader could be fooled by is shown."""

from __future__ import annotations

import json
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.analysis.visible import (
    reversible,
    scrubbed,
    shortened,
    valid,
    visible,
    visible_block,
    visible_json,
    visible_name,
)


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
        ("fill\u115f\u3164er", "fill\\u115f\\u3164er"),
        ("join\u034fer", "join\\u034fer"),
        ("object \ufffc", "object \\ufffc"),
        ("heart \u2764\ufe0f", "heart \u2764\\ufe0f"),
        ("blank \u2800", "blank \\u2800"),
        ("variant \U000e0100", "variant \\U000e0100"),
        ("two\r\n\tlines\u2028and more", "two lines and more"),
    ],
)
def test_a_dangerous_character_is_written_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_json_document_says_the_same_and_can_be_printed() -> None:
    told = ["\x7f\x9b31m\u202e\u200b\u3164\U000e0041", "naïve 世界 🦆 \u3000", "\n\t\\"]
    document = json.dumps(told, ensure_ascii=False, indent=2)
    shown = visible_json(document)
    assert json.loads(shown) == told
    assert shown.splitlines()[1] == r'  "\u007f\u009b31m\u202e\u200b\u3164\udb40\udc41",'
    assert "naïve 世界 🦆 \u3000" in shown


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("bad\udcff.py", r"bad\xff.py"),
        (r"bad\udcff.py", r"bad\\udcff.py"),
        (r"bad\xff.py", r"bad\\xff.py"),
        ("\\\udcff", r"\\\xff"),
        ("pond/naïve\n世界.py", "pond/naïve\n世界.py"),
    ],
)
def test_a_path_says_which_bytes_it_has(path: str, written: str) -> None:
    assert reversible(path) == written


def _back(written: str) -> bytes:
    """As the documentation of the JSON report says."""
    return re.sub(
        rb"\\(\\|x[0-9a-f]{2})",
        lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1][1:], 16)]),
        written.encode(),
    )


@given(st.binary().map(os.fsdecode))
@settings(max_examples=200, deadline=None)
def test_a_path_can_be_read_back(path: str) -> None:
    assert _back(reversible(path)) == os.fsencode(path)


def test_a_tree_is_made_of_valid_unicode() -> None:
    assert valid({"a\udc80": ["\ud800", ("\\", 1, None)]}) == {r"a\x80": [r"\ud800", ["\\", 1, None]]}


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
