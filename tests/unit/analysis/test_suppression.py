"""Which findings suppressions cover."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.analysis.suppression import LAST_LINE, Suppression, matches, suppressed
from tests.unit.analysis.silencing import finding

HERE = Suppression(3, 3, ("unsafe-*",), "safe here")
RULES = ("unsafe-eval", "sql-injection", "ruff/F401")


def test_a_covered_finding_carries_the_reason_and_the_others_stay() -> None:
    assert [each.suppressed for each in suppressed([finding(3), finding(4)], [HERE])] == ["safe here", None]


def test_a_finding_over_several_lines_is_covered_at_its_first_and_at_its_last() -> None:
    several = [finding(1, end_line=3), finding(3, end_line=5), finding(2, end_line=4)]
    assert [each.suppressed for each in suppressed(several, [HERE])] == ["safe here", "safe here", None]


def test_another_rule_on_the_same_line_is_not_covered() -> None:
    assert suppressed([finding(3, "sql-injection")], [HERE])[0].suppressed is None


def test_a_whole_file_is_covered_to_its_end() -> None:
    everywhere = Suppression(1, LAST_LINE, ("*",), "generated")
    assert suppressed([finding(1_000_000)], [everywhere])[0].suppressed == "generated"


def test_what_is_suppressed_already_keeps_its_reason() -> None:
    [first] = suppressed([finding(3)], [HERE])
    assert suppressed([first], [Suppression(1, 9, ("*",), "other")]) == [first]


@given(
    st.lists(
        st.builds(
            Suppression,
            st.integers(1, 8),
            st.integers(1, 12),
            st.lists(st.sampled_from([*RULES, "*", "ruff/*", "unsafe-*"]), min_size=1, max_size=2).map(tuple),
            st.sampled_from(["a", "b"]),
        ),
        max_size=6,
    ),
    st.integers(1, 10),
    st.integers(0, 3),
    st.sampled_from(RULES),
)
def test_a_finding_is_covered_exactly_when_one_of_the_suppressions_covers_it(
    suppressions: list[Suppression], line: int, more: int, rule: str
) -> None:
    found = finding(line, rule, end_line=line + more)
    covering = {
        each.reason
        for each in suppressions
        for at in (line, line + more)
        if each.start_line <= at <= each.end_line and any(matches(pattern, rule) for pattern in each.rules)
    }
    reason = suppressed([found], suppressions)[0].suppressed
    assert (reason in covering) if covering else reason is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("unsafe-eval", True), ("unsafe-*", True), ("*", True), ("unsafe", False), ("unsafe-eval-x*", False)],
)
def test_a_pattern_is_a_name_or_the_beginning_of_one(pattern: str, *, expected: bool) -> None:
    assert matches(pattern, "unsafe-eval") is expected
