"""What the history of a project says: who fixes a thing changes what was changed when it was last spoken of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from rubber_duck.search.stem import stem
from rubber_duck.search.words import TOKEN, words_of
from rubber_duck.workspace.git import Commit

MOST_COMMITS: Final = 500
"""Commits that are looked at, the last ones."""

_MOST_FILES: Final = 20  # a commit that changes more is about nothing in particular
_LEAST_WORDS: Final = 2
_RARE: Final = 0.1  # a word in more than this share of the messages is how people here write


def changed_with(words: Iterable[str], commits: Sequence[Commit]) -> dict[str, float]:
    """File → how much the best commit that changed it speaks of `words`, as a share of the best of all commits.

    Only words that are rare in the messages count, by how rare they are, and a commit must share two of them.
    """
    wanted = _stems(words)
    messages = [_stems(TOKEN.findall(commit.subject.replace("-", " "))) for commit in commits]
    frequency = Counter(word for message in messages for word in message)
    most = max(2, _RARE * len(commits))
    scores: dict[str, float] = {}
    for commit, message in zip(commits, messages, strict=True):
        alike = {word for word in message & wanted if frequency[word] <= most}
        if len(alike) >= _LEAST_WORDS and len(commit.paths) <= _MOST_FILES:
            score = sum(math.log(1 + len(commits) / frequency[word]) for word in sorted(alike))
            for path in commit.paths:
                scores[path] = max(score, scores.get(path, 0.0))
    best = max(scores.values(), default=1.0)
    return {path: score / best for path, score in scores.items()}


def _stems(tokens: Iterable[str]) -> set[str]:
    return {stem(word) for token in tokens for word in words_of(token)}
