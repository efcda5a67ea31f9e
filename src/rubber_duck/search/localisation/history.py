"""What the history of a project says: who fixes a thing changes what was changed when it was last spoken of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rubber_duck.search.stem import stem
from rubber_duck.search.words import TOKEN, words_of
from rubber_duck.workspace.git import Commit

MOST_COMMITS: Final = 500
"""Commits that are looked at, the last ones."""

_MOST_FILES: Final = 20  # a commit that changes more is about nothing in particular
_LEAST_WORDS: Final = 2
_RARE: Final = 0.1  # a word in more than this share of the messages is how people here write


class Spoken(NamedTuple):
    """The commit that speaks most of what is asked, of those that changed a file; `share` of the best, in (0, 1]."""

    share: float
    commit: Commit

    def __str__(self) -> str:
        return f"commit {self.commit.commit[:10]} changed it: {self.commit.subject.replace('-', ' ')}"


def changed_with(words: Iterable[str], commits: Sequence[Commit]) -> dict[str, Spoken]:
    """File → the commit that changed it and speaks most of `words`, the newest of equal ones.

    Only words that are rare in the messages count, by how rare they are, and a commit must share two of them.
    """
    wanted = _stems(words)
    messages = [_stems(TOKEN.findall(commit.subject.replace("-", " "))) for commit in commits]
    frequency = Counter(word for message in messages for word in message)
    most = max(2, _RARE * len(commits))
    scores: dict[str, tuple[float, Commit]] = {}
    for commit, message in zip(commits, messages, strict=True):
        alike = {word for word in message & wanted if frequency[word] <= most}
        if len(alike) >= _LEAST_WORDS and len(commit.paths) <= _MOST_FILES:
            score = sum(math.log(1 + len(commits) / frequency[word]) for word in sorted(alike))
            for path in commit.paths:
                if path not in scores or score > scores[path][0]:
                    scores[path] = (score, commit)
    best = max((score for score, _ in scores.values()), default=1.0)
    return {path: Spoken(score / best, commit) for path, (score, commit) in scores.items()}


def _stems(tokens: Iterable[str]) -> set[str]:
    return {stem(word) for token in tokens for word in words_of(token)}
