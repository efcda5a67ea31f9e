"""What silences findings: which rules, on which lines, and for what reason."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.analysis.finding import Finding

LAST_LINE: Final = 1 << 30
"""The line at which what holds for a whole file ends."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Silences `rules` (names, or prefixes ending in `*`) from `start_line` to `end_line`, both included."""

    start_line: int
    end_line: int
    rules: tuple[str, ...]
    reason: str


class Silence:
    """Suppressions, arranged so that any number of them is asked in a moment."""

    def __init__(self, suppressions: Sequence[Suppression]) -> None:
        # By pattern: the suppressions by their first line, each replaced by whichever before it reaches furthest.
        self._furthest: dict[str, tuple[list[int], list[Suppression]]] = {}
        for each in sorted(suppressions, key=lambda each: each.start_line):
            for pattern in each.rules:
                starts, reaching = self._furthest.setdefault(pattern, ([], []))
                starts.append(each.start_line)
                reaching.append(max(reaching[-1], each, key=lambda one: one.end_line) if reaching else each)

    def reason(self, finding: Finding) -> str | None:
        """Why a finding that begins or ends on a silenced line is silenced; None when it is not."""
        for pattern in (finding.rule, *(f"{finding.rule[:end]}*" for end in range(len(finding.rule) + 1))):
            found = self._furthest.get(pattern)
            if found is None:
                continue
            starts, reaching = found
            for line in (finding.span.start_line, finding.span.end_line):
                index = bisect_right(starts, line) - 1
                if index >= 0 and line <= reaching[index].end_line:
                    return reaching[index].reason
        return None


def matches(pattern: str, rule: str) -> bool:
    """Whether a rule name equals `pattern`, or begins with it when it ends in `*`."""
    return rule.startswith(pattern[:-1]) if pattern.endswith("*") else rule == pattern


def suppressed(findings: Iterable[Finding], suppressions: Sequence[Suppression]) -> list[Finding]:
    """The findings, those that a comment covers marked with its reason."""
    if not suppressions:
        return list(findings)
    silence = Silence(suppressions)
    result: list[Finding] = []
    for finding in findings:
        reason = silence.reason(finding) if finding.suppressed is None else None
        result.append(finding if reason is None else replace(finding, suppressed=reason))
    return result
