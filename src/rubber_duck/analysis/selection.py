"""Which rules count where: `select`, `ignore` and `per_path` of the settings, and the `--rule` of a request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.finding import Finding
from rubber_duck.analysis.rule import rules, stand_ins
from rubber_duck.analysis.suppression import matches
from rubber_duck.errors import UnknownName
from rubber_duck.settings import AnalysisSettings
from rubber_duck.workspace.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Selection:
    """Decides for each finding whether its rule counts at its path."""

    counts: Callable[[str, str], bool]

    def keep(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings whose rule counts where they are."""
        return tuple(finding for finding in findings if self.counts(finding.path, finding.rule))


def selection(settings: AnalysisSettings, *, only: Collection[str], known: Collection[str]) -> Selection:
    """The selection that the settings and a request's `only` (rule names or prefixes with `*`) ask for.

    Raises UnknownName for a rule that does not exist.
    """
    for name in only:
        _check_known(name, known, "")
    configured = {*known, *rules.left_out}  # a plug-in that does not work was said already, and stops nothing
    for name in (*settings.select, *settings.ignore, *(each for per in settings.per_path for each in per.ignore)):
        if not name.startswith(RUFF):  # a configuration may speak of rules that this selection does not run
            _check_known(name, configured, " (in [analysis] of duck.toml)")
    for name in settings.rules:
        if name not in configured:
            raise UnknownName.among("rule", name, known, where=" (in [analysis.rules] of duck.toml)", hint=rules.hint)
    by_path = [(Patterns([per.path], "analysis.per_path"), per.ignore) for per in settings.per_path]

    @lru_cache(maxsize=65536)
    def counts_anywhere(rule: str) -> bool:
        if only and not any(matches(pattern, rule) for pattern in only):
            return False
        if settings.select and not any(matches(pattern, rule) for pattern in settings.select):
            return False
        return not any(matches(pattern, rule) for pattern in settings.ignore)

    @lru_cache(maxsize=65536)
    def ignored_at(path: str) -> tuple[str, ...]:
        return tuple(rule for patterns, rules in by_path if patterns.cover(path) for rule in rules)

    def counts(path: str, rule: str) -> bool:
        return counts_anywhere(rule) and not any(matches(pattern, rule) for pattern in ignored_at(path))

    return Selection(counts)


def _check_known(name: str, known: Collection[str], where: str) -> None:
    if name in known or name == "*":
        return
    if name.startswith(RUFF) and not any(each.startswith(RUFF) for each in known):
        return  # ruff did not tell which rules it has
    if name.endswith("*") and any(matches(name, each) for each in known):
        return
    if name in stand_ins():
        ours = " and ".join(map(repr, stand_ins()[name]))
        raise UnknownName(f"there is no rule {name!r}{where}, because our own {ours} says the same; name that")
    raise UnknownName.among("rule", name, known, where=where, hint=rules.hint)
