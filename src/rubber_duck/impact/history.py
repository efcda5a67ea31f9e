"""What was changed together before: files that appear in the same commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

MOST_FILES: Final = 40
"""A commit of more files says nothing of any two of them: a rename, a reformatting."""

_LEAST_TOGETHER: Final = 2


@dataclass(frozen=True, slots=True)
class Together:
    """A file that changed in `together` of the `changes` commits in which one of the changed files did."""

    path: str
    together: int
    changes: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.together / self.changes if self.changes else 0.0


def changed_together(commits: Sequence[Collection[str]], changed: Collection[str]) -> tuple[Together, ...]:
    """The files that changed at least twice with a file of `changed`; the most frequent first.

    `commits` are the paths of each commit. For several files the one with which it changed most often counts.
    """
    best: dict[str, Together] = {}
    for path in changed:
        own = [paths for paths in commits if path in paths and len(paths) <= MOST_FILES]
        others = Counter(other for paths in own for other in paths if other not in changed)
        for other, together in others.items():
            found = Together(other, together, len(own))
            known = best.get(other)
            if together >= _LEAST_TOGETHER and (known is None or found.share > known.share):
                best[other] = found
    return tuple(sorted(best.values(), key=lambda each: (-each.share, -each.together, each.path)))


def churn(commits: Sequence[Collection[str]], changed: Collection[str]) -> int:
    """In how many of the commits one of the files was changed."""
    return sum(any(path in paths for path in changed) for paths in commits)
