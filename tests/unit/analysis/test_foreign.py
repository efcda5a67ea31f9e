"""What comments for other tools silence: our rules that replace the ones they name."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.rule import rules, stand_ins
from rubber_duck.analysis.suppression import LAST_LINE, Suppression
from tests.unit.analysis.silencing import read, reasons

EVAL = (1, "unsafe-eval")


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# noqa: S307", "noqa: S307"),
        ("# noqa: E501, S307 fine", "noqa: E501, S307"),
        ("# NOQA:s307", "NOQA:s307"),
        ("# NoQA: S307", "NoQA: S307"),
        ("# type: ignore  # noqa: S307", "noqa: S307"),
        ("# ruff: ignore[S307] constant", "ruff: ignore[S307]"),
        ("# nosec", "nosec"),
        ("# NoSec", "NoSec"),
        ("# nosec: a constant", "nosec:"),
        ("# nosec B307", "nosec B307"),
        ("# nosec:B102,B307", "nosec:B102,B307"),
        ("# noqa", None),
        ("# noqa: E501", None),
        ("# noqa: see the manual", None),
        ("# nosec B608", None),
        ("# ruff: noqa: S307", None),
        ("# pylint: disable=all", None),
        ("# type: ignore", None),
    ],
)
def test_a_comment_for_a_python_tool_silences_the_rule_that_replaces_what_it_names(
    comment: str, expected: str | None
) -> None:
    assert reasons(f"eval(x)  {comment}\n") == {EVAL: expected}


@pytest.mark.parametrize(
    "comment", ["# noqa", "# ruff: noqa", "# flake8: noqa", "# noqa: F401", "# ruff: disable[E722]"]
)
def test_a_comment_that_names_no_replaced_rule_silences_none_of_ours(comment: str) -> None:
    assert read(f"{comment}\nx = 1\n")[0] == ()


def test_nosec_silences_only_rules_that_replace_one_of_bandits() -> None:
    [found] = read("x = 1  # nosec\n")[0]
    expected = {name for name, rule in rules.items() if any(code.startswith("bandit/") for code in rule.replaces)}
    assert set(found.rules) == expected
    assert {"unsafe-eval", "sql-injection"} <= expected
    assert not {"complex-function", "atom-from-input"} & expected


@pytest.mark.parametrize("comment", ["# ruff: noqa: S307", "# flake8: noqa: S307", "# ruff: file-ignore[S307]"])
def test_a_comment_for_the_whole_file_holds_for_the_whole_file(comment: str) -> None:
    [found] = read(f"eval(x)\n\n{comment}\n")[0]
    assert (found.start_line, found.end_line, found.rules) == (1, LAST_LINE, ("unsafe-eval",))


def test_a_block_for_ruff_ends_where_it_is_enabled_and_counts_for_nothing_where_it_is_not() -> None:
    text = "eval(a)\n# ruff: disable[S307]\neval(b)\n# ruff: enable[S307]\neval(c)\n# ruff: disable[S307]\neval(d)\n"
    found = reasons(text)
    assert {line: reason for (line, _), reason in found.items()} == {
        1: None,
        3: "ruff: disable[S307]",
        5: None,
        7: None,
    }


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("eval(x) // eslint-disable-line no-eval", {1}),
        ("eval(x) /* eslint-disable-line no-new-func, no-eval -- it is a constant */", {1}),
        ("// eslint-disable-next-line no-eval\neval(x)\neval(y)", {2}),
        ("/* eslint-disable-next-line\n   no-eval */\neval(x)\neval(y)", {3}),
        ("eval(a)\n/* eslint-disable no-eval */\neval(b)\n/* eslint-enable no-eval */\neval(c)", {3}),
        ("/* eslint-disable no-eval */\neval(a)\n/* eslint-enable */\neval(b)", {2}),
        ("/* eslint-disable no-eval */\neval(a)\n/* eslint-enable no-alert */\neval(b)", {2, 4}),
        ("eval(x) // eslint-disable-line no-alert", set()),
        ("eval(x) // eslint-disable-line", set()),
        ("/* eslint-disable */\neval(x)", set()),
        ("// eslint-disable no-eval\neval(x)", set()),
        ("eval(x) // see eslint-disable-line no-eval", set()),
    ],
)
def test_a_comment_for_eslint_silences_where_eslint_would_be_silent(text: str, silenced: set[int]) -> None:
    found = reasons(text, "javascript")
    assert {line for (line, _), reason in found.items() if reason} == silenced


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("# credo:disable-for-next-line CHECK\nlength(a) == 0", {2}),
        ("length(a) == 0\n# credo:disable-for-previous-line CHECK", {1}),
        ("length(a) == 0\n# credo:disable-for-this-file CHECK", {1}),
        ("# credo:disable-for-lines:2 CHECK\nf()\nlength(a) == 0\nlength(b) == 0", {3}),
        ("length(a) == 0\n# credo:disable-for-lines:-1 CHECK", {1}),
        ("# credo:disable-for-next-line\nlength(a) == 0", set()),
        ("# credo:disable-for-next-line Credo.Check.Warning.IoInspect\nlength(a) == 0", set()),
    ],
)
def test_a_comment_for_credo_silences_where_credo_would_be_silent(text: str, silenced: set[int]) -> None:
    found = reasons(text.replace("CHECK", "Credo.Check.Warning.ExpensiveEmptyEnumCheck"), "elixir")
    assert {line for (line, _), reason in found.items() if reason} == silenced
    assert found


def test_a_comment_of_one_language_is_nothing_in_another() -> None:
    assert read("eval(x) // noqa: S307 nosec", "javascript")[0] == ()


def test_what_a_rule_replaces_leads_back_to_it() -> None:
    assert stand_ins()["ruff/S307"] == ("unsafe-eval",)
    assert {name for names in stand_ins().values() for name in names} <= set(rules)


def test_the_reason_of_a_silenced_finding_is_the_comment() -> None:
    suppressions, _ = read("run()  # nosec B602,   B607 - because\n")
    assert suppressions == (Suppression(1, 1, ("command-injection",), "nosec B602, B607"),)


def test_a_comment_that_names_a_rule_which_one_of_ours_overlaps_with_silences_ours() -> None:
    code = "try:\n    f()\nexcept:  # noqa: E722\n    pass\n"
    assert reasons(code.replace("  # noqa: E722", "")) == {(3, "swallowed-exception"): None}
    assert "swallowed-exception" in {rule for each in read(code)[0] for rule in each.rules}
