"""The JSON report is stable, sorted and what its schema says."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import msgspec
from hypothesis import given, settings
from syrupy.assertion import SnapshotAssertion

from rubber_duck.analysis.report.json import JSONReport, render_json, schema
from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.overview import overview
from tests.unit.analysis.report.samples import NARROWING, REPORT, hostile_report, large_report, reports


def test_a_report_as_json(snapshot: SnapshotAssertion) -> None:
    assert render_json(REPORT) == snapshot


def test_the_schema_does_not_change_unnoticed(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(schema(), indent=2, sort_keys=True) == snapshot


def test_the_order_in_which_things_were_found_does_not_show() -> None:
    shuffled = replace(
        REPORT,
        files=tuple(replace(file, findings=file.findings[::-1]) for file in REPORT.files[::-1]),
        problems=REPORT.problems[::-1],
        rules=REPORT.rules[::-1],
        languages=dict(sorted(REPORT.languages.items())),
    )
    assert render_json(shuffled) == render_json(REPORT)


def test_lone_surrogates_are_escaped_so_that_it_is_valid_utf_8() -> None:
    read = json.loads(render_json(hostile_report()).encode())
    assert "\\xff\\ud800" in read["files"][0]["path"]


def test_two_files_never_have_the_same_path() -> None:
    [file] = REPORT.files[:1]
    alike = replace(REPORT, files=(replace(file, path="bad\udcff.py"), replace(file, path=r"bad\xff.py")))
    assert [each["path"] for each in json.loads(render_json(alike))["files"]] == [r"bad\\xff.py", r"bad\xff.py"]


def test_nothing_in_it_moves_a_terminal() -> None:
    assert [each for each in render_json(hostile_report()) if each != "\n" and not each.isprintable()] == []


@given(reports)
@settings(max_examples=100, deadline=None)
def test_any_report_fits_the_schema_and_reads_back(report: Report) -> None:
    text = render_json(report).encode()
    jsonschema.Draft202012Validator(schema()).validate(json.loads(text))
    assert msgspec.json.decode(text, type=JSONReport).summary.findings == len(overview(report).findings)


def test_twenty_thousand_findings_are_all_there() -> None:
    read = msgspec.json.decode(render_json(large_report(200, 100)), type=JSONReport)
    assert (read.summary.findings, sum(len(file.findings) for file in read.files)) == (20_000, 20_000)


def test_what_the_projects_own_settings_keep_back_is_there_in_full() -> None:
    read = json.loads(render_json(replace(REPORT, narrowing=NARROWING)))
    assert read["narrowing"] == {
        "off": ["sql-injection", "unsafe-eval", "deep-nesting", "ruff/B006", "ruff/F401"],
        "is_total": False,
        "paths": [{"path": "tests/", "rules": ["unsafe-*", "ruff/S*"]}, {"path": "/gen/*.py", "rules": ["*"]}],
        "min_severity": "medium",
        "options": ["complex-function"],
        "withheld": 1200,
    }
