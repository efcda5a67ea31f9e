"""Comments that silence a finding, with a reason: `duck: ignore[rule-name] -- why this is right here`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity, Span

MARKS: Final = (b"duck:", b"noqa", b"nosec")
"""A file without any of these, in upper or lower case, has no suppressions, so it is not searched."""

WITHOUT_REASON: Final = "suppression-without-reason"
"""The rule name of the finding about a suppression that gives no reason; such a comment silences nothing."""

_COMMENT: Final = re.compile(
    r"(?:\#|//|/\*)\s*duck:\s*ignore(?P<file>-file)?\s*\[(?P<rules>[^\]\n]{1,500})\](?:\s*--\s*(?P<reason>[^\n]*))?"
)

_FOREIGN: Final = re.compile(
    r"\#\s*(?P<word>noqa|nosec)\b(?::?\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE
)

REPLACED: Final[dict[str, tuple[str, ...]]] = {
    "collapsible-if": ("SIM102",),
    "command-injection": ("S602", "S604", "S605", "B602", "B604", "B605"),
    "complex-function": ("C901", "PLR0912"),
    "hardcoded-secret": ("S105", "S106", "S107", "B105", "B106", "B107"),
    "redundant-boolean": ("SIM103", "SIM210", "SIM211"),
    "return-in-finally": ("B012",),
    "sql-injection": ("S608", "B608"),
    "swallowed-exception": ("S110", "S112", "B110", "B112", "BLE001", "E722"),
    "tls-verification-off": ("S323", "S501", "B323", "B501"),
    "unescaped-html": ("S308", "S701", "S704", "B308", "B701", "B703", "B704"),
    "unsafe-deserialization": ("S301", "S302", "S506", "B301", "B302", "B506"),
    "unsafe-eval": ("S102", "S307", "B102", "B307"),
}
"""Our rule → the codes of ruff, flake8 and bandit that say the same: whoever silenced those, meant this."""

SECURITY_RULES: Final = (
    "atom-from-input",
    "command-injection",
    "hardcoded-secret",
    "sql-injection",
    "tls-verification-off",
    "unescaped-html",
    "unsafe-deserialization",
    "unsafe-eval",
)
"""What a bare `# nosec` silences."""


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
    neither blank nor a comment. `# noqa` and `# nosec` of other tools silence our rules of the same meaning; their
    codes are the reason.
    """
    lowered = content.lower()
    if not any(mark in lowered for mark in MARKS):
        return (), ()
    lines = content.decode("utf-8", "replace").split("\n")
    following = _next_code(lines)
    suppressions: list[Suppression] = []
    lacking: list[Finding] = []
    for number, line in enumerate(lines, start=1):
        match = _COMMENT.search(line)
        if match is None:
            suppressions += _foreign(line, number)
            continue
        reason = (match["reason"] or "").removesuffix("*/").strip()
        if not reason:
            lacking.append(_lacking_reason(path, number, match))
            continue
        rules = tuple(name.strip() for name in match["rules"].split(",") if name.strip())
        target = 0 if match["file"] else _target(lines, following, number, match.start())
        suppressions.append(Suppression(target, rules, reason))
    return tuple(suppressions), tuple(lacking)


def suppressed(findings: Iterable[Finding], suppressions: Sequence[Suppression]) -> list[Finding]:
    """The findings, those that a comment covers marked with its reason."""
    by_line: dict[int, list[Suppression]] = {}
    for each in suppressions:
        by_line.setdefault(each.line, []).append(each)
    result: list[Finding] = []
    for finding in findings:
        lines = (0, finding.span.start_line, finding.span.end_line)
        near = (each for line in lines for each in by_line.get(line, ()))
        covering = next((each for each in near if each.covers(finding)), None)
        result.append(finding if covering is None else replace(finding, suppressed=covering.reason))
    return result


def _foreign(line: str, number: int) -> list[Suppression]:
    """What `# noqa: S307` or `# nosec B307` on this line silences among our rules."""
    match = _FOREIGN.search(line)
    if match is None:
        return []
    word, codes = match["word"].lower(), set(re.split(r"[,\s]+", (match["codes"] or "").upper()))
    if match["codes"]:
        covered = tuple(rule for rule, same in REPLACED.items() if not codes.isdisjoint(same))
    else:
        covered = ("*",) if word == "noqa" else SECURITY_RULES
    return [Suppression(number, covered, match[0].lstrip("# "))] if covered else []


def _next_code(lines: Sequence[str]) -> list[int]:
    """For each line, by index, the number of the first later line that is neither blank nor a comment; 0: none."""
    following = [0] * len(lines)
    found = 0
    for index in range(len(lines) - 1, -1, -1):
        following[index] = found
        text = lines[index].strip()
        if text and not text.startswith(("#", "//", "/*", "*")):
            found = index + 1
    return following


def _target(lines: Sequence[str], following: Sequence[int], number: int, start: int) -> int:
    if lines[number - 1][:start].strip():
        return number
    return following[number - 1] or number


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
