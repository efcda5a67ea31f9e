"""The numbers and the order are what the documentation says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.report.overview import FileRank, RuleGroup, overview, priority
from tests.unit.analysis.report.samples import EMPTY, INJECTION, LONG, REPORT, UNUSED


@pytest.mark.parametrize(
    ("severity", "confidence", "kind", "expected"),
    [
        (Severity.CRITICAL, Confidence.HIGH, Kind.SECURITY, 100.0),
        (Severity.CRITICAL, Confidence.HIGH, Kind.SEMANTIC, 80.0),
        (Severity.HIGH, Confidence.MEDIUM, Kind.SECURITY, 42.0),
        (Severity.MEDIUM, Confidence.HIGH, Kind.STYLE, 10.0),
        (Severity.INFO, Confidence.LOW, Kind.STYLE, 0.32),
    ],
)
def test_priority_is_severity_times_confidence_times_kind(
    severity: Severity, confidence: Confidence, kind: Kind, expected: float
) -> None:
    assert priority(replace(INJECTION, severity=severity, confidence=confidence, kind=kind)) == expected


def test_everything_is_counted_and_the_suppressed_apart() -> None:
    seen = overview(REPORT)
    assert seen.findings == (LONG, UNUSED, INJECTION)
    assert (seen.suppressed, seen.analysed, seen.lines) == (1, 3, 78)
    assert {severity.label: count for severity, count in seen.by_severity.items()} == {
        "critical": 1,
        "high": 0,
        "medium": 0,
        "low": 1,
        "info": 1,
    }
    assert {kind.value: count for kind, count in seen.by_kind.items()} == {
        "syntax": 0,
        "style": 1,
        "semantic": 1,
        "security": 1,
    }


def test_rules_and_files_come_heaviest_first() -> None:
    seen = overview(REPORT)
    assert seen.rules == (
        RuleGroup("sql-injection", Kind.SECURITY, Severity.CRITICAL, 1, 1, 70.0),
        RuleGroup("ruff/F401", Kind.SEMANTIC, Severity.LOW, 1, 1, 6.4),
        RuleGroup("long-class", Kind.STYLE, Severity.INFO, 1, 1, 0.32),
    )
    nothing = dict.fromkeys(reversed(Severity), 0.0)
    assert seen.files == (
        FileRank("pond/store.py", 2, 76.4, {**nothing, Severity.CRITICAL: 70.0, Severity.LOW: 6.4}),
        FileRank("pond/duck.py", 1, 0.32, {**nothing, Severity.INFO: 0.32}),
    )


def test_the_worst_come_first_and_a_rule_may_be_capped() -> None:
    seen = overview(REPORT)
    assert seen.worst(2) == (INJECTION, UNUSED)
    assert seen.worst(None) == (INJECTION, UNUSED, LONG)
    twice = replace(INJECTION, span=replace(INJECTION.span, start_line=13, end_line=13))
    assert replace(seen, findings=(INJECTION, twice, LONG)).worst(5, per_rule=1) == (INJECTION, LONG)


def test_where_priorities_tie_security_goes_first() -> None:
    # 25 × .4 × 1 = 25 × 1 × .4
    style = replace(LONG, path="a.py", severity=Severity.MEDIUM, confidence=Confidence.HIGH)
    security = replace(INJECTION, path="b.py", severity=Severity.MEDIUM, confidence=Confidence.LOW)
    assert priority(style) == priority(security)
    assert replace(overview(REPORT), findings=(style, security)).worst(2) == (security, style)


def test_a_report_without_findings_has_an_overview_too() -> None:
    seen = overview(EMPTY)
    assert (seen.findings, seen.rules, seen.files, seen.analysed) == ((), (), (), 2)


@pytest.mark.parametrize(
    ("root", "name", "title"),
    [
        ("pond", "", "pond"),
        ("some/where/pond/", "", "pond"),
        ("C:\\code\\pond", "", "pond"),
        (".", "", "this project"),
        ("pond", "The Pond", "The Pond"),
    ],
)
def test_a_report_is_titled_by_its_name_or_its_folder(root: str, name: str, title: str) -> None:
    assert replace(REPORT, root=root, name=name).title == title
