"""The bar is seen only where somebody looks, and leaves nothing behind."""

from __future__ import annotations

import io
import sys

import pytest

from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.meter import Bar, NoMeter, meter_for


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


class Clock:
    """Stands still unless told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _look(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Let somebody look at standard error; not in a fixture, because pytest puts its own stream back after those."""
    found = Screen()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return found


def test_a_pipe_and_a_quiet_call_have_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    _look(monkeypatch)
    assert isinstance(meter_for(Invocation(quiet=True)), NoMeter)
    assert isinstance(meter_for(Invocation()), Bar)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(meter_for(Invocation()), NoMeter)


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _look(monkeypatch)
    clock = Clock()
    bar = Bar("never", clock)
    bar.show(1, 2, "reading")
    clock.now = 0.2
    bar.refresh()
    bar.hide()
    assert screen.getvalue() == ""


def test_longer_work_shows_how_far_it_is_and_the_line_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _look(monkeypatch)
    clock = Clock()
    bar = Bar("always", clock)
    clock.now = 1.0
    bar.refresh()
    bar.show(1234, 2000, "reading \x1b]0;x\n")
    bar.refresh()
    assert "1,234/2,000" in screen.getvalue()
    assert "reading \\x1b]0;x" in screen.getvalue()
    bar.hide()
    assert screen.getvalue().endswith("\x1b[2K")


def test_no_total_is_a_bar_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _look(monkeypatch)
    clock = Clock()
    bar = Bar("always", clock)
    clock.now = 1.0
    bar.show(0, 0, "looking")
    bar.refresh()
    assert "looking" in screen.getvalue()
    assert "/" not in screen.getvalue().replace("\x1b[", "")
    bar.hide()
