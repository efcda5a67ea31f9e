"""What comes next: the most likely tokens, and the most likely ends of the line."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.evidence import gather, reason
from rubber_duck.ngram.vocabulary import FIRST_TEXT, LINE_END

MOST_TOKENS: Final = 24
"""So long a rest of a line is predicted."""

_BRANCHES: Final = 3
_LEAST: Final = 0.01
_WORK: Final = 3

Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more; asked before each token."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A token that may come next, how likely it is (the guesses of a place sum to one), and what speaks for it most.

    `reason` is as `evidence.reason` gives it.
    """

    token: int
    share: float
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A way in which the line may go on. `share` is how likely all of it is; `ends`: the line is complete then."""

    tokens: tuple[int, ...]
    share: float
    ends: bool
    reason: str


def guesses(draft: Draft, *, ends: bool = True, partial: str = "") -> list[Guess]:
    """The tokens that may stand at the end of `draft`, the likeliest first.

    `ends`: the line may end there, which is the guess LINE_END. `partial`: only tokens that begin so.
    """
    evidence = gather(draft, ends=ends, partial=partial)
    candidates = evidence.candidates
    if not candidates:
        return []
    shares = draft.model.mixer.shares(
        evidence, [draft.code(each) for each in candidates], [draft.code(each) for each in evidence.words]
    )
    order = sorted(range(len(candidates)), key=lambda at: (-shares[at], at))
    return [Guess(candidates[at], float(shares[at]), reason(evidence.columns, at)) for at in order]


def lines(draft: Draft, *, count: int, partial: str = "", stop: Stop = lambda: False) -> list[Line]:
    """The `count` likeliest ways to finish the line, the likeliest first; fewer when there are no more.

    Best first: each way is followed by its likeliest tokens, and where another was nearly as likely one comes back.
    `draft` is as before afterwards. A way ends before a string or number that is only known to be one.
    """
    start = len(draft)
    found: list[Line] = []
    due: list[tuple[float, int, tuple[int, ...], str]] = []
    for guess in guesses(draft, ends=not partial, partial=partial)[: max(_BRANCHES, count)]:
        if guess.token != LINE_END and guess.share >= _LEAST:
            heapq.heappush(due, (-guess.share, len(due), (guess.token,), guess.reason))
    pushed = len(due)
    work = _WORK * MOST_TOKENS
    while due and len(found) < count and work > 0:
        share, _, tokens, why = heapq.heappop(due)
        way = _follow(draft, tokens, -share, why, stop)
        draft.cut(start)
        work -= len(way.line.tokens)
        if way.line.tokens:
            found.append(way.line)
        for other, branch in way.branches:
            heapq.heappush(due, (-other, pushed, branch, why))
            pushed += 1
    unique = {line.tokens: line for line in reversed(found)}
    return sorted(unique.values(), key=lambda line: -line.share)


@dataclass(frozen=True, slots=True)
class _Way:
    line: Line
    branches: list[tuple[float, tuple[int, ...]]]


def _follow(draft: Draft, first: Sequence[int], share: float, why: str, stop: Stop) -> _Way:
    """Go on from `first` with the likeliest token each time; where to branch off, with its share."""
    tokens: list[int] = []
    branches: list[tuple[float, tuple[int, ...]]] = []
    for token in first:
        if token < FIRST_TEXT:
            return _Way(Line(tuple(tokens), share, False, why), branches)
        draft.push(token)
        tokens.append(token)
    while len(tokens) < MOST_TOKENS and not stop():
        found = guesses(draft)
        if not found:
            break
        branches += [
            (share * guess.share, (*tokens, guess.token))
            for guess in found[1:_BRANCHES]
            if guess.token >= FIRST_TEXT and share * guess.share >= _LEAST
        ]
        best = found[0]
        share *= best.share
        if best.token == LINE_END:
            return _Way(Line(tuple(tokens), share, True, why), branches)
        if best.token < FIRST_TEXT or share < _LEAST:
            break
        draft.push(best.token)
        tokens.append(best.token)
    return _Way(Line(tuple(tokens), share, False, why), branches)
