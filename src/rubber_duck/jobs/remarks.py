"""What a model said of lines, as findings of a report: so every form of report shows it, and says who said it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span
from rubber_duck.analysis.outcome import Outcome
from rubber_duck.analysis.report.model import FileReport, Report, RuleDescription
from rubber_duck.analysis.selection import Selection
from rubber_duck.jobs.reviewing import Remark

RULE: Final = "review"

_HIGH: Final = 0.85
_MEDIUM: Final = 0.6

_DESCRIPTION: Final = RuleDescription(
    RULE,
    Kind.SEMANTIC,
    Severity.MEDIUM,
    Confidence.MEDIUM,
    "What a model said in a review.",
    "A model that was configured read this file and said so; it quoted the line, which was found in the file. It may "
    "be wrong where a rule is not: read the line before you change it.",
)


def with_remarks(report: Report, outcome: Outcome, selection: Selection, remarks: Iterable[Remark]) -> Report:
    """The report with those remarks that count among its findings; files that are no longer there have none."""
    by_path: dict[str, list[Remark]] = {}
    for remark in remarks:
        by_path.setdefault(remark.path, []).append(remark)
    if not by_path:
        return report
    files = {file.path: file for file in report.files}
    for file in outcome.files:
        if file.path in by_path:
            analysis = file.analysis
            held = files.get(file.path) or FileReport(file.path, analysis.language, analysis.lines, (), {})
            inside = [each for each in by_path[file.path] if 1 <= each.line <= held.lines]
            counted = selection.keep([_finding(each) for each in inside])
            if counted:
                files[file.path] = _joined(held, counted, inside)
    rules = (*(rule for rule in report.rules if rule.name != RULE), _DESCRIPTION)
    ordered = tuple(files[path] for path in sorted(files))
    return replace(report, files=ordered, rules=tuple(sorted(rules, key=lambda rule: rule.name)))


def _joined(file: FileReport, findings: Sequence[Finding], remarks: Sequence[Remark]) -> FileReport:
    together = sorted((*file.findings, *findings), key=lambda each: each.order)
    excerpt = {**{each.line: each.evidence for each in remarks}, **file.excerpt}
    return replace(file, findings=tuple(together), excerpt=excerpt)


def _finding(remark: Remark) -> Finding:
    width = max(1, len(remark.evidence))
    indent = len(remark.evidence) - len(remark.evidence.lstrip())
    return Finding(
        remark.path,
        Span(remark.line, indent + 1, remark.line, width + 1),
        RULE,
        Kind.SEMANTIC,
        Severity[remark.severity.upper()],
        _confidence(remark.confidence),
        remark.message,
    )


def _confidence(share: float) -> Confidence:
    if share >= _HIGH:
        return Confidence.HIGH
    return Confidence.MEDIUM if share >= _MEDIUM else Confidence.LOW
