"""Finds memories by words, and by what memories that were found name: two steps, each told as a reason.

The first step is BM25. The second asks of the best of its memories which rare words they hold that were not asked for
(a name, a place, a tool), and finds others that hold these: "Ann is in team Falcon" leads from Ann to what Falcon does.
Source of the first: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from rubber_duck.memory.distil import statements
from rubber_duck.memory.remembered import DECAY_DAYS, Memory, Recalled, Tier
from rubber_duck.memory.words import terms_of

_K1: Final = 1.2
_B: Final = 0.5
_SEEDS: Final = 10
"""So many of the first step's memories are asked what they name."""

_RARE_SHARE: Final = 0.05
"""A word in more than this share of the memories names nothing; in up to three it always does."""

_SECOND: Final = 0.7
"""What the second step is worth beside the first."""

_BESIDE: Final = 0.3
"""What two words that stand side by side as in the question add, of the commoner one's rarity."""

_QUOTED_CHARACTERS: Final = 80


@dataclass(slots=True)
class _Found:
    first: float
    words: list[str]
    second: float = 0.0
    bridges: tuple[str, ...] = ()
    seed: int = -1


@dataclass(frozen=True, slots=True)
class _Passage:
    """A statement of a memory: what is short is found better than a long text around it."""

    memory: int
    text: str
    terms: tuple[str, ...]


def recall(memories: Sequence[Memory], query: str, most: int, now: datetime) -> list[Recalled]:
    """The memories that fit a question best, best first; what only repeats one of them comes last."""
    passages = [passage for number, memory in enumerate(memories) for passage in _passages(number, memory)]
    index = _Index(passages)
    asked = list(dict.fromkeys(terms_of(query)))
    found = index.first_step(asked)
    index.second_step(found, asked)
    best_of: dict[int, tuple[float, int]] = {}
    for number, each in found.items():
        owner = passages[number].memory
        worth = (each.first + each.second) * _freshness(memories[owner], now)
        if owner not in best_of or worth > best_of[owner][0]:
            best_of[owner] = (worth, number)
    ranked = sorted(best_of.items(), key=lambda one: (-one[1][0], one[0]))
    best = ranked[0][1][0] if ranked else 1.0
    told: list[Recalled] = []
    repeated: list[Recalled] = []
    texts: set[str] = set()
    for owner, (worth, number) in ranked:
        hit = Recalled(memories[owner], worth / best, _reasons(found[number], passages))
        (repeated if passages[number].text in texts else told).append(hit)
        texts.add(passages[number].text)
    return [*told, *repeated][:most]


class _Index:
    """Who holds which word."""

    def __init__(self, passages: Sequence[_Passage]) -> None:
        self._passages = passages
        self._counts = [Counter(passage.terms) for passage in passages]
        self._lengths = [len(passage.terms) for passage in passages]
        self._mean = sum(self._lengths) / len(passages) if passages else 1.0
        self._holders: dict[str, list[int]] = {}
        for number, counts in enumerate(self._counts):
            for term in counts:
                self._holders.setdefault(term, []).append(number)

    def first_step(self, asked: Collection[str]) -> dict[int, _Found]:
        """Every passage that holds a word of the question."""
        found: dict[int, _Found] = {}
        for term in asked:
            for number in self._holders.get(term, ()):
                held = found.setdefault(number, _Found(0.0, []))
                held.first += self._weight(term, number)
                held.words.append(term)
        pairs = set(pairwise(asked))
        for number, held in found.items():
            if len(held.words) > 1:
                beside = pairs.intersection(pairwise(self._passages[number].terms))
                held.first += _BESIDE * sum(min(map(self._rarity, pair)) for pair in beside)
        return found

    def second_step(self, found: dict[int, _Found], asked: Collection[str]) -> None:
        """Add what the best passages lead to, by as much as they hold of the question that the other does not."""
        seeds = sorted(found, key=lambda number: (-found[number].first, number))[:_SEEDS]
        rare = max(3, round(_RARE_SHARE * len(self._counts)))
        best = found[seeds[0]].first if seeds else 1.0
        for seed in seeds:
            trust = found[seed].first / best
            others: dict[int, list[str]] = {}
            for term in self._counts[seed]:
                if term in asked or len(self._holders[term]) > rare:
                    continue
                for number in self._holders[term]:
                    if self._passages[number].memory != self._passages[seed].memory:
                        others.setdefault(number, []).append(term)
            for number, bridges in others.items():
                held = found.setdefault(number, _Found(0.0, []))
                missing = sum(self._rarity(term) for term in found[seed].words if term not in held.words)
                adds = missing / sum(self._rarity(term) for term in found[seed].words)
                worth = _SECOND * trust * adds * sum(self._weight(term, number) for term in bridges)
                if worth > held.second:
                    held.second, held.bridges, held.seed = worth, tuple(bridges), seed

    def _rarity(self, term: str) -> float:
        holders = len(self._holders[term])
        return math.log(1 + (len(self._counts) - holders + 0.5) / (holders + 0.5))

    def _weight(self, term: str, number: int) -> float:
        count = self._counts[number][term]
        norm = 1 - _B + _B * self._lengths[number] / self._mean
        return self._rarity(term) * count * (_K1 + 1) / (count + _K1 * norm)


def _freshness(memory: Memory, now: datetime) -> float:
    """What is mid term is worth half when it is old; by whole days, so that a moment later nothing is another."""
    if memory.tier is not Tier.MID:
        return 1.0
    days = max(0, (now - memory.created_at).days)
    return 0.5 + 0.5 * math.exp(-days / DECAY_DAYS)


def _passages(number: int, memory: Memory) -> list[_Passage]:
    if memory.tier is Tier.LONG:
        return [_Passage(number, memory.text, memory.terms)]
    stated = statements(memory.text, memory.answer)
    return [_Passage(number, each.text, each.terms) for each in stated] or [_Passage(number, memory.text, memory.terms)]


def _reasons(found: _Found, passages: Sequence[_Passage]) -> tuple[str, ...]:
    reasons = []
    if found.words:
        reasons.append(f"says {', '.join(sorted(found.words))}")
    if found.bridges:
        text = " ".join(passages[found.seed].text.split())
        quoted = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
        reasons.append(f"names {', '.join(sorted(found.bridges))}, as “{quoted}” does")
    return tuple(reasons)
