"""Which rules count where."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.selection import selection
from rubber_duck.errors import UnknownName
from rubber_duck.settings import AnalysisSettings, PathRules

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
