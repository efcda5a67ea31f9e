"""Finds memories by words, and by what memories that were found name: two steps, each told as a reason.

The first step is BM25, also over words that may stand for those of the question. The second asks of the best of its
memories which rare words they hold that were not asked for (a name, a place, a tool), and finds others that hold these:
"Ann is in team Falcon" leads from Ann to what Falcon does; and so once more. Of two that say the
same, what was said later comes first.
Source of the first: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from threading import Lock
from typing import Final
from uuid import UUID

from rubber_duck.memory.distil import Statement, statements_of
from rubber_duck.memory.kin import KIN, wanted_by
from rubber_duck.memory.reading import spoken
from rubber_duck.memory.remembered import DECAY_DAYS, Kind, Memory, Recalled, Tier
from rubber_duck.memory.words import terms_of

_K1: Final = 1.2
_B: Final = 0.5
_SEEDS: Final = 10
"""So many of the first step's memories are asked what they name."""

_RARE_SHARE: Final = 0.05
_MOST_HOLDERS: Final = 200
"""A word that more of the memories hold names nothing, nor does one in more than the share; in up to six it does."""

_KIN: Final = 0.4
"""What a word is worth that may stand for one of the question."""

_WANTED: Final = 1.15
"""By so much better is what has what the question's first word wants: a number, a name, a day."""

_SAME: Final = 0.6
"""Statements that share as many of their words say the same, or correct each other."""

_LEAST_SHARED: Final = 2
_SECOND: Final = 0.7
"""What the second step is worth beside the first."""

_FURTHER: Final = 5
_AGAIN: Final = 0.5
"""So many of the second step's memories lead on, and with so much of the trust."""

_BESIDE: Final = 0.3
"""What two words that stand side by side as in the question add, of the commoner one's rarity."""

_QUOTED_CHARACTERS: Final = 80
_SESSIONS_READ: Final = 500
"""Of so many sessions and summaries is held what they state."""


@dataclass(slots=True)
class _Found:
    first: float
    words: list[str]
    kin: list[str] = field(default_factory=list)
    second: float = 0.0
    bridges: tuple[str, ...] = ()
    seed: int = -1
    through: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Passage:
    """A statement of a memory: what is short is found better than a long text around it; `is_whole` is that text."""

    memory: int
    text: str
    terms: tuple[str, ...]
    is_whole: bool = False


def recall(
    memories: Sequence[Memory], query: str, most: int, now: datetime, reading: Reading | None = None
) -> list[Recalled]:
    """The memories that fit a question best, best first; what only repeats one of them comes last.

    `memories` come oldest first. What was read of them before may be in `reading`.
    """
    passages = (reading or Reading()).passages(memories)
    index = _Index(passages)
    asked = list(dict.fromkeys(terms_of(query)))
    found = index.first_step(asked)
    index.second_step(found, asked)
    wanted = wanted_by(query)
    best_of: dict[int, tuple[float, int]] = {}
    for number, each in found.items():
        owner = passages[number].memory
        worth = (each.first + each.second) * _freshness(memories[owner], now)
        if wanted is not None and wanted.search(passages[number].text):
            worth *= _WANTED
        if owner not in best_of or worth > best_of[owner][0]:
            best_of[owner] = (worth, number)
    ranked = sorted(best_of.items(), key=lambda one: (one[1][0], _age(memories, one[0])), reverse=True)
    best = ranked[0][1][0] if ranked else 1.0
    told: list[Recalled] = []
    repeated: list[Recalled] = []
    texts: list[str] = []
    whole: list[str] = []  # of what is long term: a fact that is told with more around it is no other one
    for owner, (worth, number) in _newer_first(ranked[: 4 * most], passages, found, memories):
        hit = Recalled(memories[owner], min(worth / best, 1.0), _reasons(found[number], passages))
        text = passages[number].text
        is_long = memories[owner].tier is Tier.LONG
        is_repeated = text in texts or (is_long and any(spoken(text) in each for each in whole))
        (repeated if is_repeated else told).append(hit)
        texts.append(text)
        whole += [spoken(text)] if is_long else []
    return [*told, *repeated][:most]


_Ranked = list[tuple[int, tuple[float, int]]]


def _newer_first(
    ranked: _Ranked, passages: Sequence[_Passage], found: dict[int, _Found], memories: Sequence[Memory]
) -> _Ranked:
    """The same, but where two say the same of what was asked for, the newer stands in the place of the better one.

    A summary may tell what was corrected later in its session, so it is older than what says the same by itself.
    """
    ages = [_age(memories, owner) for owner, _ in ranked]
    words = [frozenset(passages[number].terms) for _, (_, number) in ranked]
    asked = [frozenset((*found[number].words, *found[number].bridges)) for _, (_, number) in ranked]
    order = list(range(len(ranked)))
    for place in range(len(order)):
        for other in range(place + 1, len(order)):
            one, two = words[order[place]], words[order[other]]
            is_same = asked[order[place]] <= asked[order[other]] and _say_the_same(one, two)
            if is_same and ages[order[other]] > ages[order[place]]:
                order[place], order[other] = order[other], order[place]
    return [ranked[number] for number in order]


def _say_the_same(one: frozenset[str], two: frozenset[str]) -> bool:
    """Whether statements share most words, or are short and differ in one: of one thing they say this and that."""
    shared = len(one & two)
    differ_in_one = shared >= _LEAST_SHARED and len(one) == len(two) == shared + 1
    return differ_in_one or shared >= _SAME * len(one | two)


def _age(memories: Sequence[Memory], owner: int) -> tuple[bool, int]:
    """What is sorted by when it was said, summaries before all else."""
    return memories[owner].tier is not Tier.MID, owner


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
        """Every passage that holds a word of the question, or one that may stand for it."""
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
        self._add_kin(found, asked)
        return found

    def _add_kin(self, found: dict[int, _Found], asked: Collection[str]) -> None:
        """Add to what holds words of the question what others may stand for, each of its words once."""
        for term in asked:
            for other in KIN.get(term, ()):
                if other in asked:
                    continue
                for number in self._holders.get(other, ()):
                    held = found.get(number)
                    if held is not None and term not in held.words and term not in held.kin:
                        held.first += _KIN * self._weight(other, number)
                        held.kin.append(term)

    def second_step(self, found: dict[int, _Found], asked: Collection[str]) -> None:
        """Add what the best passages lead to, by as much as they hold of the question that the other does not.

        What was found so leads on once more, with half of the trust.
        """
        likely = [number for number in found if not self._passages[number].is_whole]
        seeds = self._seeds({number: found[number].first for number in likely}, _SEEDS)
        best = found[seeds[0]].first if seeds else 1.0
        self._lead_on(found, asked, {seed: found[seed].first / best for seed in seeds})
        reached = {number: each.second for number, each in found.items() if each.bridges}
        further = self._seeds({n: s for n, s in reached.items() if not self._passages[n].is_whole}, _FURTHER)
        for seed in further:
            found[seed].through = [word for word in found[found[seed].seed].words if word not in found[seed].words]
        self._lead_on(found, asked, {seed: min(1.0, _AGAIN * reached[seed] / best) for seed in further})

    def _seeds(self, worth: dict[int, float], most: int) -> list[int]:
        """The best of them, each text once: what was said again leads nowhere else."""
        first: dict[str, int] = {}
        for number in sorted(worth, key=lambda number: (-worth[number], number)):
            first.setdefault(self._passages[number].text, number)
        return list(first.values())[:most]

    def _lead_on(self, found: dict[int, _Found], asked: Collection[str], trusted: dict[int, float]) -> None:
        rare = max(6, min(_MOST_HOLDERS, round(_RARE_SHARE * len(self._counts))))
        for seed, trust in trusted.items():
            meant = [*found[seed].words, *found[seed].through]
            names = {term for term in self._counts[seed] if term not in asked and len(self._holders[term]) <= rare}
            rarest = max(map(self._rarity, names), default=1.0)
            others: dict[int, list[str]] = {}
            for term in sorted(names.difference(found[seed].bridges)):
                for number in self._holders[term]:
                    if self._passages[number].memory != self._passages[seed].memory:
                        others.setdefault(number, []).append(term)
            for number, bridges in others.items():
                held = found.setdefault(number, _Found(0.0, []))
                missing = sum(self._rarity(term) for term in meant if term not in held.words)
                adds = missing / sum(self._rarity(term) for term in meant)
                worth = (
                    _SECOND
                    * trust
                    * adds
                    * sum(self._weight(term, number) * self._rarity(term) / rarest for term in bridges)
                )
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


class Reading:
    """What interactions and summaries state: each session is read once, until something is forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read: OrderedDict[tuple[UUID, ...], list[list[Statement]]] = OrderedDict()

    def passages(self, memories: Sequence[Memory]) -> list[_Passage]:
        """What is searched: of what is long term its text, of the rest each statement, and the whole beside them."""
        stated = self._stated(memories)
        found: list[_Passage] = []
        for number, memory in enumerate(memories):
            found += [_Passage(number, each.text, each.terms) for each in stated.get(number, ())]
            if memory.tier is not Tier.MID or not stated.get(number):
                found.append(_Passage(number, memory.text, memory.terms, is_whole=number in stated))
        return found

    def forget(self) -> None:
        """Keep nothing in the memory of this process."""
        with self._lock:
            self._read.clear()

    def _stated(self, memories: Sequence[Memory]) -> dict[int, list[Statement]]:
        """By the memory's number; interactions of one session one after the other."""
        sessions: dict[object, list[int]] = {}
        for number, memory in enumerate(memories):
            if memory.tier is not Tier.LONG:
                is_alone = memory.kind is not Kind.INTERACTION
                sessions.setdefault(memory.id if is_alone else memory.session, []).append(number)
        found: dict[int, list[Statement]] = {}
        for numbers in sessions.values():
            told = self._told([memories[number] for number in numbers])
            found |= dict(zip(numbers, told, strict=True))
        return found

    def _told(self, turns: Sequence[Memory]) -> list[list[Statement]]:
        key = tuple(turn.id for turn in turns)
        with self._lock:
            if (held := self._read.get(key)) is not None:
                self._read.move_to_end(key)
                return held
        told = statements_of([(turn.text, turn.answer) for turn in turns])
        with self._lock:
            self._read[key] = told
            while len(self._read) > _SESSIONS_READ:
                self._read.popitem(last=False)
        return told


def _reasons(found: _Found, passages: Sequence[_Passage]) -> tuple[str, ...]:
    reasons = []
    if found.words:
        reasons.append(f"says {', '.join(sorted(found.words))}")
    if found.kin:
        reasons.append(f"speaks of {', '.join(sorted(found.kin))}")
    if found.bridges:
        text = " ".join(passages[found.seed].text.split())
        quoted = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
        reasons.append(f"names {', '.join(sorted(found.bridges))}, as “{quoted}” does")
    return tuple(reasons)
