"""All that speaks for and against each token that could come next, as numbers for the mixer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from typing import TYPE_CHECKING, Final

from rubber_duck.ngram.candidates import aligned_tokens, candidates
from rubber_duck.ngram.expectation import IMPORTS, MEMBERS, OVERRIDES, Expectation, expectation
from rubber_duck.ngram.index import Level
from rubber_duck.ngram.mixer import Evidence
from rubber_duck.ngram.scope import Scope, Scopes, scopes
from rubber_duck.ngram.vocabulary import FIRST_RANK, RANKS

if TYPE_CHECKING:
    from rubber_duck.ngram.draft import Draft

_RARE: Final = 1e-3
_FLOOR: Final = 1e-9
_NOTHING: Final = (0, 0.0, 0)
_FOLLOWERS: Final = 32
_NO_PLACES: Final[list[int]] = []

_PROJECT_ORDER, _FOLDER_ORDER, _FILE_ORDER = 11, 12, 13
_IS_MEMBER, _IS_PARAMETER = -5, -3


def gather(draft: Draft, project: Scope, recent: Scope, *, ends: bool = True, partial: str = "") -> Evidence:
    """The evidence for what comes at the end of `draft`, of which `project` and `recent` are what two scopes say.

    `ends`: the line may end here. `partial`: what the token begins with; then all the project's words are candidates.
    """
    found = scopes(draft, project, recent)
    expected = expectation(draft)
    structure = draft.structure
    aligned = aligned_tokens(structure.line, structure.blocks[-1].sibling)
    tokens = candidates(draft, found, expected, aligned, ends=ends and bool(structure.line), partial=partial)
    ranks = {name: FIRST_RANK + rank for rank, name in enumerate(structure.latest[:RANKS])}
    signs = [ranks.get(token) or draft.sign(token) for token in tokens]
    columns = _counted(draft, found, tokens, signs)
    columns += _written(draft, tokens, aligned)
    columns += _fitting(draft, expected, tokens)
    return Evidence(tokens, columns, _context(draft, found, expected), _words(draft))


def reason(columns: Sequence[Sequence[float]], at: int, is_of_language: Callable[[int], bool]) -> str:
    """What speaks most for the candidate at `at`: `symbols`, `file`, `folder`, `project`, `language` or `pattern`.

    `is_of_language` tells of a number of tokens whether it is the language that knows what follows so many.
    """
    if columns[_IS_MEMBER][at] or columns[_IS_PARAMETER][at]:
        return "symbols"
    project, folder, recent = columns[_PROJECT_ORDER][at], columns[_FOLDER_ORDER][at], columns[_FILE_ORDER][at]
    if recent and recent >= max(folder, project):
        return "file"
    if folder and folder >= project:
        return "folder"
    if not project:
        return "pattern"
    return "language" if is_of_language(int(project)) else "project"


def _counted(draft: Draft, found: Scopes, tokens: list[int], signs: list[int]) -> list[Sequence[float]]:
    """By scope: the shares (the last one without a context); the longest contexts' numbers of places, orders, shares.

    Then the shares after one to three tokens, in the project and in the file.
    """
    share = draft.model.share
    alone = [share(token) for token in tokens]
    project = _shares(found.project, tokens, alone)
    pattern = _shares(found.pattern, signs, [_RARE] * len(signs))
    columns: list[Sequence[float]] = [
        project,
        _shares(found.folder, tokens, project),
        _shares(found.recent, tokens, alone),
        pattern,
        _shares(found.own_pattern, signs, pattern),
        alone,
    ]
    best = [_best(scope, tokens) for scope in found[:3]]
    best += [_best(scope, signs) for scope in found[3:]]
    for at in (2, 0, 1):
        columns += [each[at] for each in best]
    for scope in (found.project, found.recent):
        for counts, total in _short(scope.levels):
            columns.append([counts.get(token, 0) / total for token in tokens])
    return columns


def _shares(scope: Scope, tokens: Sequence[int], prior: Sequence[float]) -> list[float]:
    scores, rest = scope.scores, scope.rest
    return [scores.get(token, 0.0) + rest * before + _FLOOR for token, before in zip(tokens, prior, strict=True)]


def _best(scope: Scope, tokens: Sequence[int]) -> Sequence[Sequence[float]]:
    best = scope.best
    return tuple(zip(*[best.get(token, _NOTHING) for token in tokens], strict=True)) or ((), (), ())


def _short(levels: Sequence[Level]) -> list[tuple[dict[int, int], int]]:
    """The counts and the total after one, two and three tokens."""
    found: list[tuple[dict[int, int], int]] = [({}, 1)] * 3
    for level in levels[:3]:
        if level.order <= 3:
            found[level.order - 1] = (level.counts, level.total)
    return found


def _written(draft: Draft, tokens: list[int], aligned: tuple[int, int]) -> list[Sequence[float]]:
    """Where in the file each token was written, what it followed there, and what its words have in common."""
    structure = draft.structure
    size = len(draft.tokens)
    places = [draft.places.get(token) or _NO_PLACES for token in tokens]
    last = [each[-1] if each else -1 for each in places]
    outer = structure.blocks[min(1, len(structure.blocks) - 1)].place
    inner = structure.blocks[max(0, len(structure.blocks) - 2)].place
    followers = draft.followers.get(structure.name, _NO_PLACES)[-_FOLLOWERS:]
    pairs = draft.pair_followers.get((structure.name_before, structure.name), _NO_PLACES)[-_FOLLOWERS:]
    parts = [draft.reader.parts(token) for token in tokens]
    near = [draft.reader.parts(name) for name in (structure.name, structure.name_before)]
    return [
        [log(size - at) if at >= 0 else 9.0 for at in last],
        [log(1 + len(each)) for each in places],
        [at >= inner for at in last],
        [at >= outer for at in last],
        [followers.count(token) / (len(followers) + 0.5) for token in tokens],
        [pairs.count(token) / (len(pairs) + 0.5) for token in tokens],
        [token == aligned[0] for token in tokens],
        [token == aligned[1] for token in tokens],
        *[[len(each & other) / max(len(each), len(other), 1) for each in parts] for other in near],
    ]


def _fitting(draft: Draft, expected: Expectation, tokens: list[int]) -> list[Sequence[float]]:
    """Whether each token is what symbols offer; and its rank by the counts alone."""
    members, parameters, argument = expected.members, expected.parameters, expected.argument
    nothing = [0.0] * len(tokens)
    is_member = [token in members for token in tokens] if members else nothing
    parts = draft.reader.parts
    return [
        is_member,
        [not offered and bool(parts(token)) for offered, token in zip(is_member, tokens, strict=True)]
        if members
        else nothing,
        [token in parameters for token in tokens] if expected.is_argument else nothing,
        [token == argument for token in tokens] if expected.is_argument else nothing,
        range(len(tokens)),
    ]


def _context(draft: Draft, found: Scopes, expected: Expectation) -> list[float]:
    """The numbers of the place itself."""
    structure = draft.structure
    numbers: list[float] = []
    for scope in found:
        last = scope.last
        numbers += (last.order, log(1 + last.total), log(1 + last.distinct)) if last else (0.0, 0.0, 0.0)
    line, sibling = structure.line, structure.blocks[-1].sibling
    same = 0
    for ours, theirs in zip(line, sibling, strict=False):
        if ours != theirs:
            break
        same += 1
    reason = expected.reason if expected.members else 0
    numbers += (
        not line,
        min(len(line), 16),
        min(same, 8),
        min(len(structure.brackets), 6),
        min(len(structure.blocks), 8),
        log(len(draft.tokens)),
        reason == MEMBERS,
        reason == IMPORTS,
        reason == OVERRIDES,
        bool(expected.parameters),
        expected.is_argument,
        bool(line) and line[-1] == structure.name and structure.name in expected.parameters,
    )
    return numbers


def _words(draft: Draft) -> tuple[int, ...]:
    """The four latest tokens, the heads of this line, of the block and of the line before, and the bracket."""
    structure, tokens = draft.structure, draft.tokens
    blocks, line = structure.blocks, structure.line
    bracket = structure.brackets[-1] if structure.brackets else None
    sibling = blocks[-1].sibling
    size = len(tokens)
    return (
        tokens[-1],
        tokens[-2] if size > 1 else 0,
        tokens[-3] if size > 2 else 0,
        tokens[-4] if size > 3 else 0,
        line[0] if line else 0,
        blocks[-2].head if len(blocks) > 1 else 0,
        bracket.opening if bracket else 0,
        bracket.before if bracket else 0,
        sibling[0] if sibling else 0,
    )
