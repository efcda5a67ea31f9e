"""What comes next: the most likely tokens, and the most likely ends of the line."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial as bound
from typing import Final, NamedTuple

from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.evidence import gather, reason
from rubber_duck.ngram.index import ORDER
from rubber_duck.ngram.scope import certain, file_scope, project_scope
from rubber_duck.ngram.vocabulary import FIRST_TEXT, LINE_END

MOST_TOKENS: Final = 20
"""So long a rest of a line is predicted."""

_BRANCHES: Final = 3
_LEAST: Final = 0.02
_WORK: Final = 3

Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more; asked before each token."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A token that may come next, how likely it is (together one at the most), and what speaks for it most.

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


class Ranking(NamedTuple):
    """The tokens that may come next and how likely each is, the likeliest first; `reasons` gives those of a place."""

    tokens: list[int]
    shares: list[float]
    reason: Callable[[int], str]


def ranking(draft: Draft, *, ends: bool = True, partial: str = "") -> Ranking:
    """What may stand at the end of `draft`.

    `ends`: the line may end there, which is the token LINE_END. `partial`: only tokens that begin so. Where the counts
    are certain there is one token.
    """
    project, recent = project_scope(draft), file_scope(draft)
    if not partial:
        sure = certain(project, recent)
        if sure is not None and _can_stand(draft, sure[0], ends=ends):
            why = "file" if sure[0] in recent.scores else "project"
            return Ranking([sure[0]], [sure[1]], lambda _: why)
    evidence = gather(draft, project, recent, ends=ends, partial=partial)
    candidates = evidence.candidates
    if not candidates:
        return Ranking([], [], lambda _: "")
    code = draft.code
    shares = draft.model.mixer.shares(evidence, [*map(code, candidates)], [*map(code, evidence.words)])
    order = (-shares).argsort(kind="stable").tolist()
    is_of_language = bound(draft.model.is_of_language, draft.tokens[-ORDER:], draft.hidden)
    return Ranking(
        [candidates[at] for at in order],
        shares[order].tolist(),
        lambda rank: reason(evidence.columns, order[rank], is_of_language),
    )


def guesses(draft: Draft, *, ends: bool = True, partial: str = "") -> list[Guess]:
    """The same as `ranking`, as guesses with their reasons."""
    found = ranking(draft, ends=ends, partial=partial)
    return [
        Guess(token, share, found.reason(rank))
        for rank, (token, share) in enumerate(zip(found.tokens, found.shares, strict=True))
    ]


def _can_stand(draft: Draft, token: int, *, ends: bool) -> bool:
    """Whether a token that the counts name can stand at the end of `draft`: brackets close in their order."""
    structure = draft.structure
    if token < FIRST_TEXT:
        return token == LINE_END and ends and bool(structure.line)
    brackets = structure.brackets
    return token not in structure.marks.closings or (bool(brackets) and brackets[-1].closing == token)


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
        found = ranking(draft)
        if not found.tokens:
            break
        branches += [
            (share * other, (*tokens, token))
            for token, other in zip(found.tokens[1:_BRANCHES], found.shares[1:_BRANCHES], strict=True)
            if token >= FIRST_TEXT and share * other >= _LEAST
        ]
        best = found.tokens[0]
        share *= found.shares[0]
        if best == LINE_END:
            return _Way(Line(tuple(tokens), share, True, why), branches)
        if best < FIRST_TEXT or share < _LEAST:
            break
        draft.push(best)
        tokens.append(best)
    return _Way(Line(tuple(tokens), share, False, why), branches)
