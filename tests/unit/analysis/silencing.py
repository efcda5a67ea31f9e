"""What the comments of a snippet silence."""

from __future__ import annotations

from rubber_duck.analysis.analyzer import Analyzer
from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span
from rubber_duck.analysis.rule_set import RuleSet
from rubber_duck.analysis.suppression import Suppression, suppressed

SUFFIXES = {"python": "py", "javascript": "js", "typescript": "tsx", "elixir": "ex"}

_analyzer = Analyzer(RuleSet({}))


def finding(line: int, rule: str = "unsafe-eval", *, end_line: int | None = None) -> Finding:
    """A finding of `rule` from `line` to `end_line`."""
    return Finding("a.py", Span(line, 1, end_line or line, 5), rule, Kind.SECURITY, Severity.HIGH, Confidence.HIGH, "m")


def read(text: str, language: str = "python") -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
    """The suppressions in a snippet, and the findings about those that are invalid."""
    analysis = _analyzer.analyze(f"a.{SUFFIXES[language]}", text.encode(), language).analysis
    invalid = tuple(each for each in analysis.findings if each.rule == "invalid-suppression")
    return analysis.suppressions, invalid


def reasons(text: str, language: str = "python") -> dict[tuple[int, str], str | None]:
    """(line, rule) of each finding in a snippet → the reason for which it is suppressed."""
    analysis = _analyzer.analyze(f"a.{SUFFIXES[language]}", text.encode(), language).analysis
    silent = suppressed(analysis.findings, analysis.suppressions)
    return {(each.span.start_line, each.rule): each.suppressed for each in silent}
