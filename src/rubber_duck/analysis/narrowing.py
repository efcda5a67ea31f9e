"""What a project's own duck.toml keeps from a report, measured against the reader's own settings."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.report.model import Narrowing, PathNarrowing
from rubber_duck.analysis.rule import rules
from rubber_duck.analysis.suppression import matches
from rubber_duck.settings import AnalysisSettings

ALL_OF_RUFF: Final = f"{RUFF}*"
"""All of ruff's rules."""

Counts = Callable[[str], bool]
"""Whether a rule counts anywhere."""


def narrowing(
    laid: AnalysisSettings, own: AnalysisSettings, known: Collection[str], *, counts: Counts, own_counts: Counts
) -> Narrowing | None:
    """What `laid`, the settings with the project's laid over them, keep back that `own` would not; None: nothing.

    `known` are the names of all rules; where ruff did not tell its own, ALL_OF_RUFF and what else may be asked for.
    """
    wanted = {rule for rule in known if own.ruff or not rule.startswith(RUFF)}
    left = {rule for rule in wanted if own_counts(rule) and counts(rule) and (laid.ruff or not rule.startswith(RUFF))}
    off = {rule for rule in wanted if own_counts(rule)} - left
    raised = Severity[laid.min_severity.upper()] if _is_raised(laid, own) else None
    found = Narrowing(
        off=_named(off, wanted),
        is_total=bool(off) and not left,
        paths=tuple(
            PathNarrowing(per.path, rules)
            for per in laid.per_path
            if per not in own.per_path and (rules := _effective(per.ignore, left))
        ),
        min_severity=raised,
        options=tuple(sorted(name for name in left if laid.rules.get(name, {}) != own.rules.get(name, {}))),
    )
    return found if found != Narrowing() else None


def _named(off: set[str], wanted: set[str]) -> tuple[str, ...]:
    """The names, ours first and of these the most dangerous; ruff's as one when all of them are off."""
    theirs = {rule for rule in off if rule.startswith(RUFF)}
    ours = sorted(off - theirs, key=_harmlessness)
    if theirs and theirs == {rule for rule in wanted if rule.startswith(RUFF)}:
        theirs = {ALL_OF_RUFF}
    return (*ours, *sorted(theirs))


def _harmlessness(name: str) -> tuple[bool, int, str]:
    rule = rules.get(name)
    return (True, 0, name) if rule is None else (rule.kind is not Kind.SECURITY, -rule.severity, name)


def _effective(patterns: Collection[str], left: set[str]) -> tuple[str, ...]:
    """Those of the patterns that cover a rule which counts elsewhere."""
    return tuple(
        pattern
        for pattern in patterns
        if any(matches(pattern, rule) for rule in left) or (ALL_OF_RUFF in left and pattern.startswith(RUFF))
    )


def _is_raised(laid: AnalysisSettings, own: AnalysisSettings) -> bool:
    return Severity[laid.min_severity.upper()] > Severity[own.min_severity.upper()]
