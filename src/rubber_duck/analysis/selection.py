"""Which rules count where: `select`, `ignore` and `per_path` of the settings, and the `--rule` of a request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.finding import Finding, Severity
from rubber_duck.analysis.narrowing import ALL_OF_RUFF, narrowing
from rubber_duck.analysis.report.model import Narrowing
from rubber_duck.analysis.ruff_rules import SYNTAX_RULE
from rubber_duck.analysis.rule import rules, stand_ins
from rubber_duck.analysis.suppression import matches
from rubber_duck.errors import UnknownName
from rubber_duck.settings import AnalysisSettings
from rubber_duck.settings.tree import SeverityName
from rubber_duck.workspace.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Selection:
    """Decides for each finding whether it counts: its rule at its path, from the severity `least` upwards.

    `narrowing` says what of that is the doing of a project's own duck.toml, and `own` is the reader's selection
    without it; both None when nothing is.
    """

    counts: Callable[[str, str], bool]
    least: Severity
    narrowing: Narrowing | None = None
    own: Selection | None = None

    def keep(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings that count."""
        return tuple(
            finding
            for finding in findings
            if finding.severity >= self.least and self.counts(finding.path, finding.rule)
        )

    def withheld(self, findings: Sequence[Finding]) -> int:
        """How many findings count for the reader, but not for the project; suppressed ones do for neither."""
        if self.own is None:
            return 0
        wanted = [finding for finding in self.own.keep(findings) if finding.suppressed is None]
        return len(wanted) - len(self.keep(wanted))


def selection(
    settings: AnalysisSettings,
    *,
    only: Collection[str],
    known: Collection[str],
    own: AnalysisSettings | None = None,
    min_severity: SeverityName | None = None,
) -> Selection:
    """The selection that the settings and a request's `only` (rule names or prefixes with `*`) ask for.

    `own` are the reader's settings without those of the project; None: the same. `min_severity` is what a request
    asks for whatever the settings say. Raises UnknownName for a rule that does not exist.
    """
    for name in only:
        if name.startswith(RUFF) and not settings.ruff:
            raise UnknownName(f"there is no rule {name!r}, because `analysis.ruff` is off (in a duck.toml)")
        _check_known(name, known, "")
    configured = {*known, *rules.left_out}  # a plug-in that does not work was said already, and stops nothing
    for name in (*settings.select, *settings.ignore, *(each for per in settings.per_path for each in per.ignore)):
        if not name.startswith(RUFF):  # a configuration may speak of rules that this selection does not run
            _check_known(name, configured, " (in [analysis] of duck.toml)")
    for name in settings.rules:
        if name not in configured:
            raise UnknownName.among("rule", name, known, where=" (in [analysis.rules] of duck.toml)", hint=rules.hint)
    if min_severity is not None:
        settings = msgspec.structs.replace(settings, min_severity=min_severity)
        own = own and msgspec.structs.replace(own, min_severity=min_severity)
    counts = _counts_anywhere(settings, only)
    chosen = _selection(settings, counts)
    if own is None or own == settings:
        return chosen
    own_counts = _counts_anywhere(own, only)
    if not _has_ruff_told(known):
        known = {*known, ALL_OF_RUFF, *(name for name in own.select if name.startswith(RUFF))}
    narrowed = narrowing(settings, own, known, counts=counts, own_counts=own_counts)
    if narrowed is None:
        return chosen
    if only:  # then there are more rules than were asked for
        narrowed = replace(narrowed, is_total=False)
    return replace(chosen, narrowing=narrowed, own=_selection(own, own_counts))


def _counts_anywhere(settings: AnalysisSettings, only: Collection[str]) -> Callable[[str], bool]:
    @lru_cache(maxsize=65536)
    def counts_anywhere(rule: str) -> bool:
        if only and not any(matches(pattern, rule) for pattern in only):
            return False
        if settings.select and not any(matches(pattern, rule) for pattern in settings.select):
            return False
        return not any(matches(pattern, rule) for pattern in settings.ignore)

    return counts_anywhere


def _selection(settings: AnalysisSettings, counts_anywhere: Callable[[str], bool]) -> Selection:
    by_path = [(Patterns([per.path], "analysis.per_path"), per.ignore) for per in settings.per_path]

    @lru_cache(maxsize=65536)
    def ignored_at(path: str) -> tuple[str, ...]:
        return tuple(rule for patterns, rules in by_path if patterns.cover(path) for rule in rules)

    def counts(path: str, rule: str) -> bool:
        return counts_anywhere(rule) and not any(matches(pattern, rule) for pattern in ignored_at(path))

    return Selection(counts, Severity[settings.min_severity.upper()])


def _check_known(name: str, known: Collection[str], where: str) -> None:
    if name in known or name == "*":
        return
    if name.startswith(RUFF) and not _has_ruff_told(known):
        return
    if name.endswith("*") and any(matches(name, each) for each in known):
        return
    if name in stand_ins():
        ours = " and ".join(map(repr, stand_ins()[name]))
        raise UnknownName(f"there is no rule {name!r}{where}, because our own {ours} says the same; name that")
    raise UnknownName.among("rule", name, known, where=where, hint=rules.hint)


def _has_ruff_told(known: Collection[str]) -> bool:
    """Whether ruff's rules are among the known ones: a ruff that cannot list them still finds what it finds."""
    return any(name.startswith(RUFF) and name != SYNTAX_RULE for name in known)
