"""The labels in tests/data/django_findings.jsonl, by which benchmarks/precision.py judges the rules."""

from __future__ import annotations

import json
from pathlib import Path

from rubber_duck.analysis.rule import rules

FILE = Path(__file__).parents[3] / "data" / "django_findings.jsonl"
LABELS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_a_label_judges_one_finding_of_a_known_rule_and_says_why() -> None:
    known = rules.discover()
    for label in LABELS:
        assert set(label) == {"path", "line", "rule", "right", "reason"}
        assert label["rule"] in known
        assert isinstance(label["right"], bool)
        assert len(label["reason"]) > 30
    places = [(label["path"], label["line"], label["rule"]) for label in LABELS]
    assert len(set(places)) == len(LABELS) == 100


def test_four_of_five_findings_on_django_are_right() -> None:
    assert sum(label["right"] for label in LABELS) >= 80
