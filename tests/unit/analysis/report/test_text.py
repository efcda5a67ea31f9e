"""The terminal report reads like a good compiler's, and shows hostile text for what it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.text import render_text
from tests.unit.analysis.report.samples import EMPTY, REPORT, hostile_report, large_report, reports


@pytest.mark.parametrize("color", [False, True], ids=["plain", "coloured"])
def test_a_report_groups_by_file_underlines_the_code_and_ends_in_a_summary(
    color: bool, snapshot: SnapshotAssertion
) -> None:
    assert render_text(REPORT, color=color, width=80) == snapshot


def test_a_limit_shows_the_worst_and_says_how_to_see_the_others(snapshot: SnapshotAssertion) -> None:
    assert render_text(REPORT, color=False, width=80, limit=1) == snapshot


def test_many_findings_are_ranked_by_rule_and_file(snapshot: SnapshotAssertion) -> None:
    assert render_text(large_report(3, 10), color=False, width=80, limit=0) == snapshot


def test_no_findings_are_a_friendly_line() -> None:
    assert render_text(EMPTY, color=False, width=80) == "0 findings in 2 files, 0 left out (nothing to quack about)\n"


def test_hostile_text_is_shown_escaped(snapshot: SnapshotAssertion) -> None:
    assert render_text(hostile_report(), color=False, width=100) == snapshot


def test_colour_adds_nothing_but_colour_and_the_wrapping_of_messages() -> None:
    plain, coloured = (render_text(REPORT, color=color, width=80) for color in (False, True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == plain.split()


@given(reports)
@settings(max_examples=100, deadline=None)
def test_any_report_is_printable_line_by_line_and_counts_right(report: Report) -> None:
    text = render_text(report, color=False, width=60)
    assert all(line.replace("\u3000", "").isprintable() for line in text.split("\n"))
    seen = overview(report)
    number, files = len(seen.findings), seen.analysed
    head = f"{number} finding{'s' * (number != 1)} in {files} file{'s' * (files != 1)}, {len(report.problems)} left out"
    assert text.rstrip("\n").rpartition("\n")[2].startswith(head)


def test_code_fits_the_width() -> None:
    report = large_report(1, 5)
    code = [line for line in render_text(report, color=False, width=48).split("\n") if "│" in line]
    assert code
    assert max(map(cell_len, code)) <= 48
