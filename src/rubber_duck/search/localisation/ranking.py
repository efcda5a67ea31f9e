"""Adds up what speaks for each file. The weights are fixed, and each is explained where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.search.kinds import PROSE, is_test


class Clue(StrEnum):
    """What led to a file."""

    FRAME = "frame"
    PATH = "path"
    MODULE = "module"
    DEFINES = "defines"
    TITLE = "title"
    WORDS = "words"
    CODE = "code"
    NEIGHBOUR = "neighbour"
    HISTORY = "history"


WEIGHTS: Final[Mapping[Clue, float]] = {
    Clue.FRAME: 8.0,  # what was running when it failed; of frames before the innermost each counts half the next
    Clue.PATH: 6.0,  # somebody named the file; shared among the files that may be meant
    Clue.MODULE: 4.0,  # as above, but an import in an example names a module too
    Clue.DEFINES: 2.0,  # it defines what is named; shared, as above
    Clue.TITLE: 3.0,  # the share of the words' score that the best file has; a title is shorter and says what matters
    Clue.WORDS: 3.0,
    Clue.CODE: 1.0,  # quoted code shows how something is used, and seldom where it is defined
    Clue.NEIGHBOUR: 0.1,  # of the neighbour's own score
    Clue.HISTORY: 1.0,  # the share of the best commit; messages say little, and code moves on
}

TEST_SHARE: Final = 0.3
"""Of a test's or a document's score: what fails is seldom the test, though a traceback goes through it."""

_MOST_PLACES: Final = 5
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A definition, or a line in one: its qualified name or `""`, kind, 1-based inclusive lines."""

    name: str
    kind: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for a file, and perhaps for a place in it.

    `strength` for the file and `place_strength` for the place are from 0 to 1, more for what the title says.
    """

    path: str
    clue: Clue
    strength: float
    said: str
    place: Place | None = None
    place_strength: float = 0.0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file that may have to change; scores order those of one text only. Places and reasons: the best first."""

    path: str
    score: float
    places: tuple[Place, ...]
    reasons: tuple[str, ...]


def rank(evidence: Iterable[Evidence], limit: int) -> list[Suspect]:
    """The `limit` likeliest files; of equal ones by path."""
    by_path: defaultdict[str, list[Evidence]] = defaultdict(list)
    for each in evidence:
        by_path[each.path].append(each)
    suspects = [_suspect(path, found) for path, found in by_path.items()]
    suspects.sort(key=lambda each: (-each.score, each.path))
    return suspects[:limit]


def shared_by_best(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """File → its chunks' scores in one, as a share of the best file's: the best chunk counts, the next half of that."""
    sums = {
        path: sum(score / 2**place for place, score in enumerate(sorted(found, reverse=True)))
        for path, found in scores.items()
    }
    best = max(sums.values(), default=0.0)
    return {path: value / best for path, value in sums.items()} if best > 0 else {}


def neighbours(suspects: Sequence[Suspect], edges: Iterable[tuple[str, str]]) -> list[Evidence]:
    """What the import graph says: each of these files speaks a little for those that it imports or is imported by."""
    scores = {each.path: each.score for each in suspects}
    best = max(scores.values(), default=1.0) or 1.0
    found: dict[str, tuple[float, str]] = {}
    for source, target in edges:
        for near, said in ((target, f"{source} imports it"), (source, f"it imports {target}")):
            score = scores.get(source if near == target else target, 0.0)
            if near in scores and score > found.get(near, (0.0, ""))[0]:
                found[near] = (score, said)
    return [Evidence(path, Clue.NEIGHBOUR, score / best, said) for path, (score, said) in sorted(found.items())]


def _suspect(path: str, found: Sequence[Evidence]) -> Suspect:
    ordered = sorted(found, key=_counts, reverse=True)
    score = sum(map(_counts, found))
    if is_test(path) or path.rpartition(".")[2] in _PROSE_SUFFIXES:
        score *= TEST_SHARE
    places: defaultdict[Place, float] = defaultdict(float)
    for each in found:
        if each.place is not None:
            places[each.place] += WEIGHTS[each.clue] * each.place_strength
    best = sorted(places, key=lambda place: (-places[place], place.start_line, place.name))[:_MOST_PLACES]
    reasons = tuple(dict.fromkeys(each.said for each in ordered if each.said))[:_SHOWN]
    return Suspect(path, round(score, 6), tuple(best), reasons)


_PROSE_SUFFIXES: Final = frozenset({"md", "rst", "txt", "adoc", "org", *PROSE})


def _counts(evidence: Evidence) -> float:
    return WEIGHTS[evidence.clue] * evidence.strength
