"""What one set of texts says of the next token: a smoothed share for each, and the longest context it was seen in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rubber_duck.ngram.index import ORDER, Level

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft


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


def scopes(draft: Draft) -> Scopes:
    """What each scope says of the end of `draft`."""
    model = draft.model
    context = draft.tokens[-ORDER:]
    return Scopes(
        Scope(model.after(context, draft.hidden)),
        Scope(draft.near.after(context) if draft.near is not None else ()),
        Scope(draft.recent.after(draft.tokens)),
        Scope(model.skeletons.after(draft.signs[-ORDER:], draft.hidden_signs)),
        Scope(draft.recent_signs.after(draft.signs)),
    )
