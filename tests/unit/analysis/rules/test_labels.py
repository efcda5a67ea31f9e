"""Verdicts on findings (tests/data/*_findings.jsonl), and how benchmarks/precision.py judges the rules by them."""

from __future__ import annotations

import re

import pytest

from benchmarks.labels import FRESH, OTHERS, SEEN, THRESHOLDS, Found, Label, Sample, draw, load, matched
from benchmarks.precision import Tally, tallies
from rubber_duck.analysis.rule import rules

SAMPLE = Sample("none", ("c",), size=20, most_per_rule=8, most_of_thresholds=6)
FOUND = [
    Found("c", f"{index}.py", index + 1, rule, "message", f"{rule} {index}")
    for rule, count in (("complex-function", 30), ("deep-nesting", 2), ("collapsible-if", 30), ("missing-return", 3))
    for index in range(count)
]


@pytest.mark.parametrize("sample", [SEEN, OTHERS, FRESH], ids=lambda sample: sample.name)
def test_a_label_judges_one_finding_of_a_known_rule_and_says_why(sample: Sample) -> None:
    labels = load(sample)
    known = rules.discover()
    for label in labels:
        assert label.code in sample.codes
        assert label.rule in known
        assert re.fullmatch("[0-9a-f]{32}", label.fingerprint)
        assert isinstance(label.right, bool)
        assert len(label.reason) > 30
    assert len(labels) >= sample.size
    assert len({(label.code, label.rule, label.fingerprint) for label in labels}) == len(labels)


def test_a_sample_holds_rare_rules_wholly_and_few_of_those_that_count() -> None:
    drawn = draw(FOUND, SAMPLE, 1)
    by_rule = {rule: sum(each.rule == rule for each in drawn) for rule in {each.rule for each in FOUND}}
    assert by_rule == {"complex-function": 4, "deep-nesting": 2, "collapsible-if": 8, "missing-return": 3}
    assert sum(by_rule[rule] for rule in THRESHOLDS) == SAMPLE.most_of_thresholds


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert draw(reversed(FOUND), SAMPLE, 1) == draw(FOUND, SAMPLE, 1)
    assert draw(FOUND, SAMPLE, 2) != draw(FOUND, SAMPLE, 1)


def test_a_finding_that_is_gone_leaves_the_rest_of_the_sample_as_it_was() -> None:
    drawn = draw(FOUND, SAMPLE, 1)
    gone = next(each for each in drawn if each.rule == "collapsible-if")
    again = draw([each for each in FOUND if each != gone], SAMPLE, 1)
    assert set(drawn) - set(again) == {gone}
    assert len(again) == len(drawn)


def test_a_finding_without_a_label_counts_neither_as_right_nor_as_wrong() -> None:
    right, wrong, unlabelled, elsewhere = FOUND[:4]
    labels = [
        Label(right.code, "moved.py", 900, right.rule, right.fingerprint, right=True, reason=""),
        Label(wrong.code, wrong.path, wrong.line, wrong.rule, wrong.fingerprint, right=False, reason=""),
        Label("another", elsewhere.path, elsewhere.line, elsewhere.rule, elsewhere.fingerprint, right=True, reason=""),
    ]
    drawn = matched([right, wrong, unlabelled, elsewhere], labels)
    assert tallies(FOUND[:10], drawn) == {"complex-function": Tally(found=10, sampled=4, right=1, wrong=1)}
    assert (Tally(10, 4, 1, 1).unlabelled, Tally(10, 4, 1, 1).precision, Tally(10, 4, 0, 0).precision) == (2, 0.5, None)
