"""Comments that silence a finding, with a reason: `duck: ignore[rule-name] -- why this is right here`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span

MARK: Final = b"duck: ignore"
"""A file without these bytes has no suppressions, so it is not searched."""

WITHOUT_REASON: Final = "suppression-without-reason"
"""The rule name of the finding about a suppression that gives no reason; such a comment silences nothing."""

_COMMENT: Final = re.compile(
    r"(?:\#|//|/\*)\s*duck:\s*ignore(?P<file>-file)?\s*\[(?P<rules>[^\]\n]{1,500})\](?:\s*--\s*(?P<reason>[^\n]*))?"
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Silences `rules` (names or prefixes ending in `*`) on one line, or in the whole file when `line` is 0."""

    line: int
    rules: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether this comment is meant for that finding."""
        in_place = self.line in {0, finding.span.start_line, finding.span.end_line}
        return in_place and any(matches(pattern, finding.rule) for pattern in self.rules)


def matches(pattern: str, rule: str) -> bool:
    """Whether a rule name equals `pattern`, or begins with it when it ends in `*`."""
    return rule.startswith(pattern[:-1]) if pattern.endswith("*") else rule == pattern


def read_suppressions(path: str, content: bytes) -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
    """The suppressions in a file, and a finding for each one that lacks its reason.

    A comment behind code silences that line; a comment on a line of its own silences the next line that is
    neither blank nor a comment.
    """
    if MARK not in content:
        return (), ()
    lines = content.decode("utf-8", "replace").split("\n")
    suppressions: list[Suppression] = []
    lacking: list[Finding] = []
    for number, line in enumerate(lines, start=1):
        match = _COMMENT.search(line)
        if match is None:
            continue
        reason = (match["reason"] or "").removesuffix("*/").strip()
        if not reason:
            lacking.append(_lacking_reason(path, number, match))
            continue
        rules = tuple(name.strip() for name in match["rules"].split(",") if name.strip())
        target = 0 if match["file"] else _target(lines, number, match.start())
        suppressions.append(Suppression(target, rules, reason))
    return tuple(suppressions), tuple(lacking)


def suppressed(findings: Iterable[Finding], suppressions: Sequence[Suppression]) -> list[Finding]:
    """The findings, those that a comment covers marked with its reason."""
    result: list[Finding] = []
    for finding in findings:
        covering = next((each for each in suppressions if each.covers(finding)), None)
        result.append(finding if covering is None else replace(finding, suppressed=covering.reason))
    return result


def _target(lines: Sequence[str], number: int, start: int) -> int:
    if lines[number - 1][:start].strip():
        return number
    for later in range(number, len(lines)):
        text = lines[later].strip()
        if text and not text.startswith(("#", "//", "/*", "*")):
            return later + 1
    return number


def _lacking_reason(path: str, line: int, match: re.Match[str]) -> Finding:
    return Finding(
        path=path,
        span=Span(line, match.start() + 1, line, match.end() + 1),
        rule=WITHOUT_REASON,
        kind=Kind.STYLE,
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        message="This comment silences nothing, because it gives no reason: write `-- why` behind the bracket",
    )
