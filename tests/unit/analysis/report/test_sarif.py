"""The SARIF report is valid, and carries what code scanning reads."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
from hypothesis import given, settings
from syrupy.assertion import SnapshotAssertion

from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.sarif import render_sarif
from tests.unit.analysis.report.samples import EMPTY, NARROWING, REPORT, hostile_report, large_report, reports

_SCHEMA = Path(__file__).parents[3] / "data" / "sarif" / "sarif-schema-2.1.0.json"


@cache
def _validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(_SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())


def _run(report: Report) -> dict[str, Any]:
    document = json.loads(render_sarif(report).encode())
    _validator().validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


def test_a_report_as_sarif(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(json.loads(render_sarif(REPORT)), indent=1, ensure_ascii=False) == snapshot


def test_two_runs_give_the_same_bytes() -> None:
    assert render_sarif(REPORT) == render_sarif(REPORT)


def test_a_report_without_findings_is_valid() -> None:
    assert _run(EMPTY)["results"] == []


def test_the_weakness_has_three_digits_at_least() -> None:
    run = _run(hostile_report())
    assert run["tool"]["driver"]["rules"][0]["properties"]["tags"] == ["external/cwe/cwe-007", "security"]


def test_strange_names_are_percent_encoded_byte_by_byte() -> None:
    location = _run(hostile_report())["artifacts"][0]["location"]
    assert location["uriBaseId"] == "SRCROOT"
    assert location["uri"].isascii()
    assert not set(location["uri"]) & set(' :?#"<>\\^`{|}\n')
    assert unquote_to_bytes(location["uri"]).endswith(b"/a:b?c#d%.py")


def test_the_root_has_an_address_only_when_it_was_given_as_an_absolute_path() -> None:
    roots = [_run(Report(root, (), (), {}, (), "1"))["originalUriBaseIds"]["SRCROOT"] for root in (".", "/a b/c/", "/")]
    assert [root.get("uri") for root in roots] == [None, "file:///a%20b/c/", "file:///"]


def test_suppressions_are_on_all_results_or_on_none() -> None:
    suppressions = [result.get("suppressions") for result in _run(REPORT)["results"]]
    accepted = {"kind": "inSource", "status": "accepted", "justification": "the name comes from an enum"}
    assert suppressions == [[], [], [], [accepted]]
    assert all("suppressions" not in result for result in _run(large_report(1, 3))["results"])


@given(reports)
@settings(max_examples=100, deadline=None)
def test_any_report_is_valid_and_its_indexes_point_at_what_they_name(report: Report) -> None:
    run = _run(report)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]


def test_what_the_projects_own_settings_keep_back_is_a_notification_with_all_of_it() -> None:
    run = _run(replace(EMPTY, narrowing=NARROWING))
    assert run["invocations"][0]["toolConfigurationNotifications"] == [
        {
            "descriptor": {"id": "narrowed_by_project"},
            "level": "warning",
            "message": {
                "text": "Switched off by the project's duck.toml: sql-injection, unsafe-eval, deep-nesting and 2 more. "
                "Narrowed by the project's duck.toml: tests/ without unsafe-*, ruff/S*, /gen/*.py without *; "
                "nothing below medium; options of complex-function. Not shown for it: 1,200 findings."
            },
            "properties": {
                "off": ["sql-injection", "unsafe-eval", "deep-nesting", "ruff/B006", "ruff/F401"],
                "isTotal": False,
                "paths": [{"path": "tests/", "rules": ["unsafe-*", "ruff/S*"]}, {"path": "/gen/*.py", "rules": ["*"]}],
                "minSeverity": "medium",
                "options": ["complex-function"],
                "withheld": 1200,
            },
        }
    ]
    assert [each["id"] for each in run["tool"]["driver"]["notifications"]] == ["narrowed_by_project"]
