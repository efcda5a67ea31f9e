"""What one set of texts says of the next token: a smoothed share for each, and the longest context it was seen in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rubber_duck.ngram.index import ORDER, Level

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft


_SIGNS: Final = 6
_SURE: Final = 0.95


class Scope:
    """The levels of one index as shares (Witten and Bell, 1991).

    `scores[token] + rest * prior` is a token's share; `best[token]` is of the longest context it followed: the
    context's length, the token's share there, and in how many places.
    """

    __slots__ = ("best", "last", "levels", "rest", "scores")

    def __init__(self, levels: Sequence[Level]) -> None:
        scores: dict[int, float] = {}
        best: dict[int, tuple[int, float, int]] = {}
        rest = 1.0
        for order, total, distinct, counts in reversed(levels):
            weight = rest / (total + distinct)
            for token, times in counts.items():
                if token in scores:
                    scores[token] += times * weight
                else:
                    scores[token] = times * weight
                    best[token] = (order, times / total, total)
            rest *= distinct / (total + distinct)
        self.scores = scores
        self.best = best
        self.rest = rest
        self.levels = levels
        self.last = levels[-1] if levels else None


class Scopes(NamedTuple):
    """The nested scopes of a draft, and what the skeletons of the project and of the file say, in signs."""

    project: Scope
    folder: Scope
    recent: Scope
    pattern: Scope
    own_pattern: Scope


def project_scope(draft: Draft) -> Scope:
    """What the whole project says of the end of `draft`."""
    return Scope(draft.model.after(draft.tokens[-ORDER:], draft.hidden))


def file_scope(draft: Draft) -> Scope:
    """What the file so far says of the end of `draft`."""
    return Scope(draft.recent.after(draft.tokens))


def scopes(draft: Draft, project: Scope, recent: Scope) -> Scopes:
    """What each scope says of the end of `draft`; two of them were asked already."""
    return Scopes(
        project,
        Scope(draft.near.after(draft.tokens[-ORDER:]) if draft.near is not None else ()),
        recent,
        Scope(draft.model.skeletons.after(draft.signs[-_SIGNS:], draft.hidden_signs)),
        Scope(draft.recent_signs.after(draft.signs)),
    )


def certain(project: Scope, recent: Scope) -> tuple[int, float] | None:
    """The token that follows almost always, and its share, where project and file do not differ over it; else None.

    Where the counts are so sure the mixer says the same in 98 of 100 cases, so it is not asked.
    """
    last, own = project.last, recent.last
    if last is None:
        return None
    counts = last.counts
    token = max(counts, key=counts.__getitem__)
    share = counts[token] / last.total
    agrees = False
    if own is not None and own.order > 1:
        if own.counts.get(token, 0) < _SURE * own.total:
            return None
        agrees = share > 0.9 or (share > 0.5 and own.order > 2 and own.total > 1)
    if agrees or (share > 0.97 and last.order >= 3 and last.total >= 8):
        return token, share * last.total / (last.total + 1)
    return None
