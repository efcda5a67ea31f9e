"""Streams take any text, and are coloured only where it is wanted."""

from __future__ import annotations

import io
import sys

import pytest

from rubber_duck.cli import terminal


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "stream", "wanted"),
    [
        ("auto", {}, Screen(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1"}, Screen(), False),
        ("auto", {"NO_COLOR": "", "FORCE_COLOR": "1"}, io.StringIO(), True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, Screen(), False),
        ("auto", {"TERM": "dumb"}, Screen(), False),
        ("always", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("never", {"FORCE_COLOR": "1"}, Screen(), False),
        ("auto", {}, None, False),
    ],
)
def test_when_to_colour(
    choice: str, environment: dict[str, str], stream: io.StringIO | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.wants_color(stream, choice) is wanted


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("10", 40), ("9999", 400), ("x", 100), ("0", 100), ("-5", 40)]
)
def test_the_width_is_what_columns_says_within_reason(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "__stdout__", None)
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width() == width


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", b"\xe2\x9c\x93 \\udcff \xe2\x80\xa6 \xc3\xa9\n"), ("ascii", b"ok \\udcff ... \\xe9\n")],
)
def test_what_a_stream_cannot_show_is_written_otherwise(
    encoding: str, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    terminal.prepare()
    terminal.write("✓ \udcff … é")
    terminal.flush()
    assert raw.getvalue() == expected


def test_machines_get_utf8_whatever_the_locale_says(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    terminal.write_utf8('{"a": "…\udcff"}')
    terminal.flush()
    assert raw.getvalue() == '{"a": "…\\udcff"}\n'.encode()


def test_a_closed_stream_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    terminal.prepare()
    terminal.write("lost")
    terminal.write_piece("lost")
    terminal.write_utf8("lost")
    terminal.note("lost")
    terminal.flush()
    terminal.discard(None)


def test_control_characters_become_visible() -> None:
    assert terminal.printable("a\x1b[0m\n\tb\u202e\udc80 ü") == "a\\x1b[0m\n\tb\\u202e\\udc80 ü"
    assert terminal.printable("fill\u3164er \x9b") == "fill\\u3164er \\x9b"
    assert terminal.printable_name("a\n\tb") == "a\\n\\tb"
