"""All that speaks for and against each token that could come next, as numbers for the mixer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from math import log
from typing import TYPE_CHECKING, Final

from rubber_duck.ngram.expectation import Expectation, expectation
from rubber_duck.ngram.index import ORDER, Level
from rubber_duck.ngram.mixer import Evidence
from rubber_duck.ngram.skeleton import named
from rubber_duck.ngram.vocabulary import FIRST_RANK, FIRST_TEXT, LINE_END, OUT_3, RANKS, SAME

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft

MOST_CANDIDATES: Final = 24
"""So many candidates are weighed at the most, those that the counts alone put first."""

LEAST_CANDIDATES: Final = 4
SURE: Final = 0.01
"""Beyond LEAST_CANDIDATES only those count for which the counts alone give this share of what they give the first: the
surer the counts are, the less there is to weigh."""

_FROM_COUNTS: Final = 24
_FROM_LATEST: Final = 16
_FROM_SYMBOLS: Final = 16
_RARE: Final = 1e-3
_FLOOR: Final = 1e-9
_NOTHING: Final = (0, 0.0, 0)
_NEVER: Final = 9.0
_IS_MEMBER: Final = -5
_IS_PARAMETER: Final = -3


class Scope:
    """What one set of texts says: a smoothed share for each token (Witten and Bell, 1991), and its longest context.

    `scores[token] + rest * prior` is the share; `best[token]` the longest context's order, share and number of places.
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


def scopes(draft: Draft) -> tuple[Scope, Scope, Scope, Scope, Scope]:
    """Project, folder and file, then the skeletons of project and file."""
    model = draft.model
    context = draft.tokens[-ORDER:]
    signs = draft.signs[-ORDER:]
    return (
        Scope(model.after(context, draft.hidden)),
        Scope(draft.near.after(context, (0, 0)) if draft.near is not None else ()),
        Scope(draft.recent.after(draft.tokens)),
        Scope(model.skeletons.after(signs, draft.hidden_signs)),
        Scope(draft.recent_signs.after(draft.signs)),
    )


def gather(draft: Draft, *, ends: bool = True, partial: str = "") -> Evidence:
    """The evidence for what comes at the end of `draft`.

    `ends`: the line may end here. `partial`: what the token begins with; then all the project's words are candidates.
    """
    found = scopes(draft)
    expected = expectation(draft)
    structure = draft.structure
    sibling = structure.blocks[-1].sibling
    aligned = _aligned(structure.line, sibling)
    tokens = _candidates(draft, found, expected)
    tokens |= dict.fromkeys(aligned)
    if partial:
        tokens = _beginning(draft, tokens, partial)
    kept = _likeliest(draft, found, expected, tokens, ends=ends and bool(structure.line))
    view = _View(draft, found, expected, aligned)
    rows = [view.row(token, sign, rank) for rank, (token, sign) in enumerate(kept)]
    return Evidence([token for token, _ in kept], rows, view.context(), view.words())


def reason(row: Sequence[float]) -> str:
    """What speaks most for the candidate with this row: `symbols`, `file`, `folder`, `project` or `pattern`."""
    if row[_IS_MEMBER] or row[_IS_PARAMETER]:
        return "symbols"
    project, folder, recent = row[1], row[5], row[9]
    if recent and recent >= max(folder, project):
        return "file"
    if folder and folder >= project:
        return "folder"
    return "project" if project else "pattern"


def _candidates(draft: Draft, found: Sequence[Scope], expected: Expectation) -> dict[int, None]:
    """Whatever could come next, in no order that means anything."""
    latest = draft.structure.latest
    tokens: dict[int, None] = {}
    for scope in found[:3]:
        tokens |= dict.fromkeys(islice(scope.scores, _FROM_COUNTS))
    for scope in found[3:]:
        for sign in islice(scope.scores, _FROM_COUNTS):
            token = named(sign, latest)
            if token is not None:
                tokens[token] = None
    tokens |= dict.fromkeys(islice(draft.followers.get(draft.structure.name, ())[::-1], _FROM_LATEST))
    tokens |= dict.fromkeys(latest[:_FROM_LATEST])
    tokens |= dict.fromkeys(_likely(draft, expected))
    return tokens


def _beginning(draft: Draft, tokens: Iterable[int], partial: str) -> dict[int, None]:
    """Those that begin with `partial`, and the words of the project that do."""
    text = draft.reader.text
    found = {token: None for token in tokens if token >= FIRST_TEXT and text(token).startswith(partial)}
    found |= dict.fromkeys(draft.model.beginning(partial))
    return found


def _likeliest(
    draft: Draft, found: Sequence[Scope], expected: Expectation, tokens: Iterable[int], *, ends: bool
) -> list[tuple[int, int]]:
    """The tokens that the counts alone put first, each with its sign."""
    latest = draft.structure.latest
    brackets = draft.structure.brackets
    closings = draft.structure.marks.closings
    closing = brackets[-1].closing if brackets else 0
    ranks = {name: FIRST_RANK + rank for rank, name in enumerate(latest[:RANKS])}
    project, folder, recent, skeleton, own_skeleton = found
    members, parameters = expected.members, expected.parameters
    ranked: list[tuple[float, int, int]] = []
    for token in tokens:
        if token < FIRST_TEXT and (token == 0 or SAME <= token <= OUT_3 or (token == LINE_END and not ends)):
            continue
        if token in closings and token != closing:
            continue
        sign = ranks.get(token) or draft.sign(token)
        prior = project.scores.get(token, 0.0) + folder.scores.get(token, 0.0) + 2 * recent.scores.get(token, 0.0)
        prior += (
            0.4
            * (skeleton.scores.get(sign, 0.0) + own_skeleton.scores.get(sign, 0.0))
            * (0.1 if sign < FIRST_TEXT and sign >= FIRST_RANK + RANKS else 1.0)
        )
        if token in members:
            prior += 0.02
        if token in parameters:
            prior += 0.02
        ranked.append((-prior, token, sign))
    ranked.sort()
    least = ranked[0][0] * SURE if ranked else 0.0
    return [
        (token, sign)
        for rank, (prior, token, sign) in enumerate(ranked[:MOST_CANDIDATES])
        if rank < LEAST_CANDIDATES or prior <= least
    ]


def _likely(draft: Draft, expected: Expectation) -> Iterable[int]:
    """The commonest of the expected names."""
    names = expected.members or expected.parameters
    if len(names) <= _FROM_SYMBOLS:
        return names
    frequency = draft.model.frequency
    return sorted(names, key=lambda name: (-frequency(name), name))[:_FROM_SYMBOLS]


def _aligned(line: Sequence[int], sibling: Sequence[int]) -> tuple[int, int]:
    """What stands in the line before at this place, and behind the latest token; 0 where there is nothing."""
    size = len(line)
    same = sibling[size] if size < len(sibling) else 0
    behind = 0
    if line and line[-1] in sibling:
        at = len(sibling) - sibling[::-1].index(line[-1])
        behind = sibling[at] if at < len(sibling) else 0
    return same, behind


class _View:
    """What the rows of one place have in common."""

    def __init__(self, draft: Draft, found: Sequence[Scope], expected: Expectation, aligned: tuple[int, int]) -> None:
        structure = draft.structure
        self.draft = draft
        self.found = found
        self.expected = expected
        self.aligned = aligned
        self.size = len(draft.tokens)
        self.followers = draft.followers.get(structure.name, ())[-32:]
        self.pair_followers = draft.pair_followers.get((structure.name_before, structure.name), ())[-32:]
        self.parts = (draft.reader.parts(structure.name), draft.reader.parts(structure.name_before))
        self.outer = structure.blocks[min(1, len(structure.blocks) - 1)].place
        self.inner = structure.blocks[max(0, len(structure.blocks) - 2)].place
        self.short = [_short(found[0].levels), _short(found[2].levels)]

    def row(self, token: int, sign: int, rank: int) -> tuple[float, ...]:
        """The numbers of one candidate."""
        draft = self.draft
        project, folder, recent, skeleton, own_skeleton = self.found
        unigram = draft.model.share(token)
        whole = project.scores.get(token, 0.0) + project.rest * unigram
        pattern = skeleton.scores.get(sign, 0.0) + skeleton.rest * _RARE
        places = draft.places.get(token)
        last = places[-1] if places else -1
        parts = draft.reader.parts(token)
        expected = self.expected
        is_member = token in expected.members
        is_parameter = token in expected.parameters
        followers, pairs = self.followers, self.pair_followers
        return (
            log(whole + _FLOOR),
            *project.best.get(token, _NOTHING),
            log(folder.scores.get(token, 0.0) + folder.rest * whole + _FLOOR),
            *folder.best.get(token, _NOTHING),
            log(recent.scores.get(token, 0.0) + recent.rest * unigram + _FLOOR),
            *recent.best.get(token, _NOTHING),
            log(pattern),
            *skeleton.best.get(sign, _NOTHING),
            log(own_skeleton.scores.get(sign, 0.0) + own_skeleton.rest * pattern),
            *own_skeleton.best.get(sign, _NOTHING),
            log(unigram),
            *[counts.get(token, 0) / total for levels in self.short for counts, total in levels],
            log(self.size - last) if places else _NEVER,
            log(1 + len(places)) if places else 0.0,
            last >= self.inner,
            last >= self.outer,
            followers.count(token) / (len(followers) + 0.5) if followers else 0.0,
            pairs.count(token) / (len(pairs) + 0.5) if pairs else 0.0,
            token == self.aligned[0],
            token == self.aligned[1],
            *[len(parts & other) / max(len(parts), len(other), 1) for other in self.parts],
            is_member,
            bool(expected.members) and not is_member and bool(parts),
            is_parameter and expected.is_argument,
            token == expected.argument and expected.is_argument,
            rank,
        )

    def context(self) -> list[float]:
        """The numbers of the place itself."""
        structure, expected = self.draft.structure, self.expected
        longest: list[float] = []
        for scope in self.found:
            last = scope.last
            longest += [last.order, log(1 + last.total), log(1 + last.distinct)] if last else [0.0, 0.0, 0.0]
        line, sibling = structure.line, structure.blocks[-1].sibling
        same = 0
        for ours, theirs in zip(line, sibling, strict=False):
            if ours != theirs:
                break
            same += 1
        named_argument = bool(line) and structure.name in expected.parameters and line[-1] == structure.name
        return [
            *longest,
            not line,
            min(len(line), 16),
            min(same, 8),
            min(len(structure.brackets), 6),
            min(len(structure.blocks), 8),
            log(self.size),
            expected.reason == 1 and bool(expected.members),
            expected.reason == 2 and bool(expected.members),
            expected.reason == 3 and bool(expected.members),
            bool(expected.parameters),
            expected.is_argument,
            named_argument,
        ]

    def words(self) -> tuple[int, ...]:
        """The four latest tokens, the heads of this line, of the block and of the line before, and the bracket."""
        structure, tokens = self.draft.structure, self.draft.tokens
        blocks, line = structure.blocks, structure.line
        bracket = structure.brackets[-1] if structure.brackets else None
        sibling = blocks[-1].sibling
        return (
            *(tokens[-back] if back <= self.size else 0 for back in (1, 2, 3, 4)),
            line[0] if line else 0,
            blocks[-2].head if len(blocks) > 1 else 0,
            bracket.opening if bracket else 0,
            bracket.before if bracket else 0,
            sibling[0] if sibling else 0,
        )


def _short(levels: Sequence[Level]) -> list[tuple[dict[int, int], int]]:
    """The counts and the total after one, two and three tokens."""
    found: list[tuple[dict[int, int], int]] = [({}, 1)] * 3
    for level in levels:
        if level.order <= 3:
            found[level.order - 1] = (level.counts, level.total)
    return found
