"""Which rules count where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rubber_duck.analysis.finding import Severity
from rubber_duck.analysis.report.model import Narrowing, PathNarrowing
from rubber_duck.analysis.selection import selection
from rubber_duck.errors import UnknownName
from rubber_duck.settings import AnalysisSettings, PathRules
from tests.unit.analysis.silencing import finding

KNOWN = {"unsafe-eval", "complex-function", "syntax-error"}


def counts(settings: AnalysisSettings, path: str, rule: str, *, only: tuple[str, ...] = ()) -> bool:
    return selection(settings, only=only, known=KNOWN).counts(path, rule)


def test_everything_counts_when_nothing_is_said() -> None:
    assert counts(AnalysisSettings(), "a.py", "ruff/F401")


@pytest.mark.parametrize(
    ("settings", "rule", "expected"),
    [
        (AnalysisSettings(select=("unsafe-eval",)), "unsafe-eval", True),
        (AnalysisSettings(select=("unsafe-eval",)), "complex-function", False),
        (AnalysisSettings(ignore=("ruff/F*",)), "ruff/F401", False),
        (AnalysisSettings(ignore=("ruff/F*",)), "ruff/E711", True),
        (AnalysisSettings(select=("ruff/*",), ignore=("ruff/E711",)), "ruff/E711", False),
    ],
)
def test_select_and_ignore_take_names_and_prefixes(settings: AnalysisSettings, rule: str, *, expected: bool) -> None:
    assert counts(settings, "a.py", rule) is expected


def test_rules_ignored_below_a_path_count_elsewhere() -> None:
    settings = AnalysisSettings(per_path=(PathRules(path="tests/", ignore=("unsafe-*",)),))
    assert [counts(settings, path, "unsafe-eval") for path in ("tests/a.py", "src/tests/a.py", "src/a.py")] == [
        False,
        False,
        True,
    ]


def test_a_request_for_single_rules_leaves_out_the_others() -> None:
    assert [counts(AnalysisSettings(), "a.py", rule, only=("unsafe-eval",)) for rule in sorted(KNOWN)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "settings",
    [
        AnalysisSettings(select=("unsafe-evil",)),
        AnalysisSettings(ignore=("unsafe-evil",)),
        AnalysisSettings(per_path=(PathRules(path="a", ignore=("unsafe-evil",)),)),
        AnalysisSettings(rules={"unsafe-evil": {}}),
    ],
)
def test_an_unknown_rule_anywhere_is_an_error_that_names_the_nearest(settings: AnalysisSettings) -> None:
    with pytest.raises(UnknownName, match="did you mean 'unsafe-eval'"):
        selection(settings, only=(), known=KNOWN)


def test_a_rule_that_one_of_ours_replaces_is_an_error_that_names_ours() -> None:
    with pytest.raises(
        UnknownName, match="no rule 'ruff/S307', because our own 'unsafe-eval' says the same; name that"
    ):
        selection(AnalysisSettings(), only=("ruff/S307",), known={*KNOWN, "ruff/F401"})


def test_ruffs_rules_cannot_be_asked_for_where_ruff_is_off() -> None:
    with pytest.raises(UnknownName, match=r"no rule .ruff/F401., because `analysis\.ruff` is off"):
        selection(AnalysisSettings(ruff=False), only=("ruff/F401",), known=KNOWN)


def test_a_severity_that_is_asked_for_holds_whatever_the_settings_say() -> None:
    settings = AnalysisSettings(min_severity="critical")
    least = [selection(settings, only=(), known=KNOWN, min_severity=each).least for each in (None, "low")]
    assert least == [Severity.CRITICAL, Severity.LOW]


RUFFS = {"ruff/F401", "ruff/S324"}
EVERYWHERE = PathRules(path="*", ignore=("*",))
TESTS = PathRules(path="tests/", ignore=("unsafe-*", "ruff/X*", "ruff/S*"))


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ({}, None),
        ({"ignore": ("*",)}, Narrowing(("unsafe-eval", "complex-function", "syntax-error", "ruff/*"), is_total=True)),
        ({"select": ("complex-*",)}, Narrowing(("unsafe-eval", "syntax-error", "ruff/*"))),
        ({"ignore": ("ruff/S*", "unsafe-eval")}, Narrowing(("unsafe-eval", "ruff/S324"))),
        ({"ruff": False}, Narrowing(("ruff/*",))),
        ({"per_path": (EVERYWHERE,)}, Narrowing(paths=(PathNarrowing("*", ("*",)),))),
        ({"per_path": (TESTS,)}, Narrowing(paths=(PathNarrowing("tests/", ("unsafe-*", "ruff/S*")),))),
        (
            {"per_path": (TESTS,), "ignore": ("*",)},
            Narrowing(("unsafe-eval", "complex-function", "syntax-error", "ruff/*"), is_total=True),
        ),
        ({"min_severity": "high"}, Narrowing(min_severity=Severity.HIGH)),
        ({"rules": {"complex-function": {"max_complexity": 99}}}, Narrowing(options=("complex-function",))),
        ({"rules": {"complex-function": {}}}, None),
    ],
)
def test_what_a_projects_own_settings_keep_back_is_told(
    project: dict[str, Any],  # Any: values of every setting
    expected: Narrowing | None,
) -> None:
    laid = AnalysisSettings(**project)
    known = KNOWN | (RUFFS if laid.ruff else set())
    assert selection(laid, own=AnalysisSettings(), only=(), known=known).narrowing == expected


def test_what_the_reader_does_without_anyway_is_not_the_projects_doing() -> None:
    own = AnalysisSettings(ignore=("unsafe-eval",), ruff=False, min_severity="high", per_path=(TESTS,))
    laid = AnalysisSettings(ignore=("unsafe-*", "ruff/*"), ruff=False, min_severity="low", per_path=(TESTS,))
    assert selection(laid, own=own, only=(), known=KNOWN).narrowing is None


def test_of_the_rules_that_a_request_asks_for_only_those_are_told() -> None:
    laid = AnalysisSettings(ignore=("*",))
    for only, off in (("unsafe-*", "unsafe-eval"), ("ruff/F401", "ruff/F401")):
        chosen = selection(laid, own=AnalysisSettings(), only=(only,), known=KNOWN | RUFFS)
        assert chosen.narrowing == Narrowing((off,))


def test_a_rule_of_ruffs_that_the_reader_selects_is_told_when_the_project_switches_ruff_off() -> None:
    own = AnalysisSettings(select=("ruff/F401",))
    laid = AnalysisSettings(select=("ruff/F401",), ruff=False)
    known = {*KNOWN, "ruff/invalid-syntax"}
    assert selection(laid, own=own, only=(), known=known).narrowing == Narrowing(("ruff/F401",), is_total=True)


def test_what_is_withheld_is_what_the_reader_alone_would_see() -> None:
    own = AnalysisSettings(min_severity="low")
    laid = AnalysisSettings(ignore=("unsafe-eval",), per_path=(TESTS,), min_severity="medium")
    chosen = selection(laid, own=own, only=(), known=KNOWN)
    here = finding(1)
    seen = (replace(here, rule="complex-function"), replace(here, rule="ruff/F401"))
    hidden = (here, replace(here, rule="ruff/S324", path="tests/a.py"), replace(seen[0], severity=Severity.LOW))
    neither = (replace(here, severity=Severity.INFO), replace(here, suppressed="why"))
    assert (chosen.keep((*seen, *hidden, *neither)), chosen.withheld((*seen, *hidden, *neither))) == (seen, 3)
