"""What a person wants to see first: counts, the rules and files that weigh most, and an order of urgency.

Priority, between 0 and 100, is severity × confidence × kind:

    severity    critical 100, high 60, medium 25, low 8, info 2
    confidence  high 1, medium .7, low .4
    kind        security 1, syntax .8, semantic .8, style .4

so a certain critical security hole is 100 and a doubtful remark about style .32. Where two findings tie, the one
about security goes first, then the order of paths decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity
from rubber_duck.analysis.report.model import FileReport, Report

_SEVERITY: Final = {
    Severity.INFO: 2,
    Severity.LOW: 8,
    Severity.MEDIUM: 25,
    Severity.HIGH: 60,
    Severity.CRITICAL: 100,
}
_CONFIDENCE: Final = {Confidence.LOW: 4, Confidence.MEDIUM: 7, Confidence.HIGH: 10}
_KIND: Final = {Kind.STYLE: 4, Kind.SEMANTIC: 8, Kind.SYNTAX: 8, Kind.SECURITY: 10}

WORST_FIRST: Final = tuple(sorted(Severity, reverse=True))
"""The severities, critical first."""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """All shown findings of one rule: how many, in how many files, the worst severity and the summed priority."""

    rule: str
    kind: Kind
    severity: Severity
    findings: int
    files: int
    weight: float


@dataclass(frozen=True, slots=True)
class FileRank:
    """One file with findings: how many, and the sum of their priorities, in all and by severity (worst first)."""

    path: str
    findings: int
    weight: float
    weight_by_severity: Mapping[Severity, float]


@dataclass(frozen=True, slots=True)
class Overview:
    """A report in numbers. Suppressed findings are in `suppressed` only.

    `findings` are in `Finding.order`; `by_severity` (worst first) and `by_kind` hold every member, zeros included;
    `rules` and `files` come heaviest first; `analysed` counts the files that were looked at and `lines` their
    lines, whether or not anything was found in them.
    """

    findings: tuple[Finding, ...]
    suppressed: int
    analysed: int
    lines: int
    by_severity: Mapping[Severity, int]
    by_kind: Mapping[Kind, int]
    rules: tuple[RuleGroup, ...]
    files: tuple[FileRank, ...]

    def worst(self, limit: int | None, *, per_rule: int | None = None) -> tuple[Finding, ...]:
        """The `limit` most urgent findings, most urgent first; at most `per_rule` of the same rule."""
        chosen: list[Finding] = []
        seen: Counter[str] = Counter()
        for finding in sorted(self.findings, key=urgency):
            if limit is not None and len(chosen) >= limit:
                break
            if per_rule is None or seen[finding.rule] < per_rule:
                seen[finding.rule] += 1
                chosen.append(finding)
        return tuple(chosen)


def priority(finding: Finding) -> float:
    """How soon to look at it, above 0 and up to 100: see the formula at the head of this module."""
    return _priority(finding.severity, finding.confidence, finding.kind)


def urgency(finding: Finding) -> tuple[object, ...]:
    """The sort key that puts the most urgent finding first."""
    return (-priority(finding), finding.kind is not Kind.SECURITY, *finding.order)


def group_by_rule(findings: Iterable[Finding]) -> tuple[RuleGroup, ...]:
    """One group per rule, heaviest first, equal weights by name."""
    members: dict[str, list[Finding]] = {}
    for finding in findings:
        members.setdefault(finding.rule, []).append(finding)
    groups = [
        RuleGroup(
            rule,
            same[0].kind,
            max(finding.severity for finding in same),
            len(same),
            len({finding.path for finding in same}),
            round(sum(map(priority, same)), 2),
        )
        for rule, same in members.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.weight, group.rule)))


def overview(report: Report) -> Overview:
    """Count and rank what a report holds."""
    findings = [finding for file in report.files for finding in file.findings if finding.suppressed is None]
    severities = Counter(finding.severity for finding in findings)
    kinds = Counter(finding.kind for finding in findings)
    ranks = [rank for file in report.files if (rank := _rank(file)).findings]
    return Overview(
        findings=tuple(sorted(findings, key=lambda finding: finding.order)),
        suppressed=sum(len(file.findings) for file in report.files) - len(findings),
        analysed=sum(count.files for count in report.languages.values()),
        lines=sum(count.lines for count in report.languages.values()),
        by_severity={severity: severities[severity] for severity in WORST_FIRST},
        by_kind={kind: kinds[kind] for kind in Kind},
        rules=group_by_rule(findings),
        files=tuple(sorted(ranks, key=lambda rank: (-rank.weight, rank.path))),
    )


@cache
def _priority(severity: Severity, confidence: Confidence, kind: Kind) -> float:
    return _SEVERITY[severity] * _CONFIDENCE[confidence] * _KIND[kind] / 100


def _rank(file: FileReport) -> FileRank:
    shown = [finding for finding in file.findings if finding.suppressed is None]
    weights = dict.fromkeys(WORST_FIRST, 0.0)
    for finding in shown:
        weights[finding.severity] += priority(finding)
    return FileRank(file.path, len(shown), round(sum(weights.values()), 2), weights)
