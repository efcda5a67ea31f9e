"""The terminal report reads like a good compiler's, and shows hostile text for what it is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from rubber_duck.analysis.report.model import LanguageCount, Problem, Report
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.text import render_text
from tests.unit.analysis.report.samples import (
    EMPTY,
    NARROWING,
    REPORT,
    SILENCED,
    hostile_report,
    large_report,
    reports,
)


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
    assert render_text(EMPTY, color=False, width=80) == "No findings in 2 files: nothing to quack about\n"


@pytest.mark.parametrize(
    ("files", "problems", "said"),
    [
        (0, 1, "No files to analyse, 1 left out"),
        (2, 1, "No findings in 2 files, 1 left out"),
        (2, 1_200, "No findings in 2 files, 1,200 left out"),
        (0, 0, "No files to analyse"),
    ],
)
def test_nothing_is_praised_that_was_not_looked_at(files: int, problems: int, said: str) -> None:
    languages = {"python": LanguageCount(files, 7)} if files else {}
    left_out = tuple(Problem(f"{number}.py", "limit_exceeded", "") for number in range(problems))
    report = replace(EMPTY, languages=languages, problems=left_out)
    assert render_text(report, color=False, width=80).splitlines()[-1] == said


def test_what_was_left_out_on_purpose_does_not_spoil_the_praise() -> None:
    report = replace(EMPTY, problems=(Problem("node_modules", "built_in", ""), Problem("a.png", "binary", "")))
    assert render_text(report, color=False, width=80) == (
        "Left out\n  binary         1  a.png\n  made by tools  1  node_modules\n\n"
        "No findings in 2 files, 2 left out: nothing to quack about\n"
    )


def test_people_get_lines_that_fit_and_programs_whole_ones() -> None:
    deep = "/".join(["a-folder-with-a-long-name"] * 3)
    report = large_report(12, 12, path=deep + "/{}.py")
    problems = tuple(Problem(f"{deep}/{number}.bin", "binary", "") for number in range(4))
    colored, plain = (
        re.sub(r"\x1b\[[0-9;]*m", "", render_text(replace(report, problems=problems), color=color, width=100, limit=1))
        for color in (True, False)
    )
    assert max(map(cell_len, colored.splitlines())) <= 100 < max(map(cell_len, plain.splitlines()))
    assert colored.replace("│  security", "security").split() == plain.split()
    assert f"┌─ {deep}/0.py:5:5\n    │  security · CWE-89 · medium confidence\n" in colored
    assert f"  files  {deep}/0.py ×12,\n         {deep}/1.py ×12,\n" in colored


def test_thousands_are_set_apart_everywhere() -> None:
    report = large_report(2, 1_200)
    report = replace(report, problems=tuple(Problem(f"{number}.bin", "binary", "") for number in range(1_001)))
    said = render_text(report, color=False, width=100, limit=1).splitlines()
    assert "Shown: the 1 most urgent of 2,400; `--limit 0` shows all." in said
    assert "  files  pond/0.py ×1,200, pond/1.py ×1,200" in said
    assert "  binary  1,001  0.bin, 1.bin, 10.bin and 998 more" in said
    assert said[-1] == (
        "2,400 findings in 2 files, 1,001 left out. By severity: 480 critical, 480 high, 480 medium, 480 low, 480 info"
    )


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
    number, files = len(seen.findings) or "No", seen.analysed or "no"
    head = f"{number} finding{'s' * (number != 1)} in {files} file{'s' * (files != 1)}"
    head = head if seen.findings or seen.analysed else "No files to analyse"
    assert text.rstrip("\n").rpartition("\n")[2].startswith(head)


def test_code_fits_the_width() -> None:
    report = large_report(1, 5)
    code = [line for line in render_text(report, color=False, width=48).split("\n") if "│" in line]
    assert code
    assert max(map(cell_len, code)) <= 48


def test_what_the_projects_own_settings_keep_back_is_said_before_the_summary() -> None:
    narrowed = replace(EMPTY, narrowing=NARROWING)
    assert render_text(narrowed, color=False, width=80) == (
        "Switched off by the project's duck.toml: sql-injection, unsafe-eval, deep-nesting and 2 more.\n"
        "Narrowed by the project's duck.toml: tests/ without unsafe-*, ruff/S*, /gen/*.py without *; "
        "nothing below medium; options of complex-function. Not shown for it: 1,200 findings.\n"
        "\n"
        "No findings in 2 files, rules narrowed by the project's duck.toml\n"
    )


def test_a_project_that_silences_all_rules_gets_no_all_clear() -> None:
    assert render_text(SILENCED, color=False, width=80) == (
        "Switched off by the project's duck.toml: all rules. Not shown for it: 1 finding.\n"
        "\n"
        "No findings in 2 files, rules narrowed by the project's duck.toml\n"
    )
    assert "\x1b[1;32m" not in render_text(SILENCED, color=True, width=80)  # the green of an all-clear
