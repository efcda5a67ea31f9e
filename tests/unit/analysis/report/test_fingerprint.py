"""A fingerprint follows its line around and tells equal lines apart."""

from __future__ import annotations

from dataclasses import replace

from rubber_duck.analysis.finding import Finding, Span
from rubber_duck.analysis.report.fingerprint import fingerprints
from rubber_duck.analysis.report.model import FileReport
from tests.unit.analysis.report.samples import INJECTION


def _names(lines: dict[int, str], rule: str = "sql-injection") -> list[str]:
    found: list[Finding] = [replace(INJECTION, span=Span(number, 1, number, 2), rule=rule) for number in lines]
    return [name for _, name in fingerprints(FileReport("pond/store.py", "python", 99, tuple(found), lines))]


def test_it_survives_lines_moving_and_being_indented_anew() -> None:
    assert _names({12: "execute(a  % b)"}) == _names({40: "\t\texecute(a % b)\r"})


def test_it_changes_with_the_words_of_the_line_and_with_the_rule() -> None:
    names = [
        *_names({12: "execute(a)"}),
        *_names({12: "execute(b)"}),
        *_names({12: "execute(a)"}, rule="other-rule"),
    ]
    assert len(set(names)) == 3


def test_equal_lines_are_told_apart_by_their_order() -> None:
    first, second = _names({12: "execute(a)", 13: "execute(a)"})
    assert first != second
    assert [first] == _names({90: "execute(a)"})
