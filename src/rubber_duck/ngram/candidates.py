"""Which tokens could come next: those that followed like contexts, names in reach, and names that symbols offer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from rubber_duck.ngram.expectation import Expectation
from rubber_duck.ngram.scope import Scope, Scopes
from rubber_duck.ngram.skeleton import named
from rubber_duck.ngram.vocabulary import FIRST_TEXT, LINE_END, LOCAL, OUT_3, SAME, START

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft

MOST: Final = 24
"""So many candidates are weighed at the most, those that the counts alone put first."""

LEAST: Final = 4
SURE: Final = 0.02
"""Beyond LEAST candidates only those count for which the counts alone give this share of what they give the first: the
surer the counts are, the less there is to weigh."""

_FROM_COUNTS: Final = 24
_FROM_LATEST: Final = 16
_FROM_SYMBOLS: Final = 16
_FILE_WEIGHT: Final = 2.0
_PATTERN_WEIGHT: Final = 0.4
_IN_REACH: Final = 0.002
_OFFERED: Final = 0.02
_NO_TOKENS: Final = frozenset({START, *range(SAME, OUT_3 + 1)})


def candidates(
    draft: Draft, found: Scopes, expected: Expectation, aligned: Iterable[int], *, ends: bool, partial: str
) -> list[int]:
    """The likeliest tokens by the counts alone, the likeliest first.

    `aligned` stand at this place in the line before. `ends`: the line may end here. `partial`: how the token begins.
    """
    structure = draft.structure
    latest = structure.latest
    prior: dict[int, float] = dict.fromkeys(latest[:_FROM_LATEST], _IN_REACH)
    prior |= dict.fromkeys(draft.followers.get(structure.name, ())[: -_FROM_LATEST - 1 : -1], _IN_REACH)
    prior |= dict.fromkeys(aligned, _IN_REACH)
    prior |= dict.fromkeys(_offered(draft, expected), _OFFERED)
    _add(prior, found.project, 1.0)
    _add(prior, found.folder, 1.0)
    _add(prior, found.recent, _FILE_WEIGHT)
    for scope in (found.pattern, found.own_pattern):
        for sign, score in islice(scope.scores.items(), _FROM_COUNTS):
            token = named(sign, latest)
            if token is not None:
                prior[token] = prior.get(token, 0.0) + _PATTERN_WEIGHT * score
    if expected.is_closed and expected.members:
        written = {token for token, (order, _, _) in found.recent.best.items() if order > 1}  # behind this very thing
        prior = {token: prior.get(token, _OFFERED) for token in (*expected.members, *written)}
    if partial:
        prior = _beginning(draft, prior, partial, only=expected.members if expected.is_closed else ())
    closing = structure.brackets[-1].closing if structure.brackets else START
    for token in _NO_TOKENS if ends else (*_NO_TOKENS, LINE_END):
        prior.pop(token, None)
    for token in structure.marks.closings:
        if token != closing:
            prior.pop(token, None)
    ranked = sorted(prior, key=lambda token: -prior[token])[:MOST]  # ties as above: numbers depend on what was typed
    least = prior[ranked[0]] * SURE if ranked else 0.0
    return [token for rank, token in enumerate(ranked) if rank < LEAST or prior[token] >= least]


def aligned_tokens(line: Sequence[int], sibling: Sequence[int]) -> tuple[int, int]:
    """What stands in the line before at this place, and behind the latest token there; START where there is nothing."""
    size = len(line)
    same = sibling[size] if size < len(sibling) else START
    behind = START
    if line and line[-1] in sibling:
        at = len(sibling) - sibling[::-1].index(line[-1])
        behind = sibling[at] if at < len(sibling) else START
    return same, behind


def _add(prior: dict[int, float], scope: Scope, weight: float) -> None:
    for token, score in islice(scope.scores.items(), _FROM_COUNTS):
        prior[token] = prior.get(token, 0.0) + weight * score


def _offered(draft: Draft, expected: Expectation) -> Sequence[int]:
    """The commonest of the names that symbols offer."""
    names = expected.members or expected.parameters
    text = draft.reader.text
    if any(name >= LOCAL for name in names):
        frequency = draft.model.frequency
        return sorted(names, key=lambda name: (-frequency(name), text(name)))[:_FROM_SYMBOLS]
    return draft.model.commonest(names, _FROM_SYMBOLS) if names else ()


def _beginning(draft: Draft, prior: dict[int, float], partial: str, *, only: Collection[int]) -> dict[int, float]:
    """Those that begin with `partial`, and the words of the project that do, or, if that is not empty, of `only`."""
    text = draft.reader.text
    found = {} if only else dict.fromkeys(draft.model.beginning(partial), 0.0)
    found |= {token: score for token, score in prior.items() if token >= FIRST_TEXT and text(token).startswith(partial)}
    return found
