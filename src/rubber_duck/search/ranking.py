"""The order of what is found: BM25F over the fields of a chunk (Robertson and Zaragoza, 2009, section 3.6).

The weights are fixed. Those of the fields were measured on CoSQA once and are not tuned to anything since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.conditions import Allowed
from rubber_duck.search.fields import ARGUMENTS, BODY, DEFINES, DOC, FIELDS, NAME, REST, TIMES, TIMES_SHIFT
from rubber_duck.search.record import EMPTY, Codes, Numbers
from rubber_duck.search.shelf import Loaded, Range, Reader, union
from rubber_duck.search.terms import Term, Terms

Scores = NDArray[np.float64]

WEIGHTS: Final = (4.0, 0.3, 2.0, 0.4, 0.6)
"""What a word counts in a chunk's name, arguments, first paragraph of documentation, other prose, body."""

PLACE_WEIGHT: Final = 1.0
"""What it counts in the file's path, or in the name of what is around the chunk."""

K1: Final = 1.2
B: Final = 0.75
"""How fast repetition stops to count; how much a field's length does."""

CANDIDATES: Final = 300
"""Chunks that are ranked; they are chosen by how rare the words are that they hold."""

_FIRST: Final = 1000.0  # more than any sum of rarities: what declares an identifier is always ranked

GATHERED: Final = 12_000
"""When the chunks of the rarest words are this many, those of commoner words are not gathered to choose from."""


@dataclass(frozen=True, slots=True)
class Match:
    """One term in one chunk: in which fields it stands (bits of `fields`), and whether in the place around it."""

    term: Term
    fields: int
    is_around: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk: file and index in its record, its score, and why it is here.

    `exactness` is 2 when it is called exactly as a word of the query, 1 when it declares such a name in whatever case.
    """

    file: Loaded
    at: int
    score: float
    exactness: int
    matches: tuple[Match, ...]


def choose(reader: Reader, terms: Terms, within: Range, allowed: Allowed) -> Numbers:
    """The numbers of the allowed chunks that are worth ranking, the most promising first."""
    asked = sorted(terms.asked, key=lambda term: (-term.idf, term.shown))
    gathered: list[Numbers] = []
    rarities: list[float] = []
    size = 0
    for term in asked:
        expected = sum(reader.count(number, within) for number in term.numbers)
        if gathered and size + expected > GATHERED and allowed.is_everything:
            continue
        gathered.append(allowed.within(union([reader.holding(number, within) for number in term.numbers])))
        size += len(gathered[-1])
        rarities.append(term.idf)
    for number in terms.exact:
        gathered.append(allowed.within(reader.declaring(number, within)))
        rarities.append(_FIRST)
    return _rarest(gathered, rarities)


def rank(reader: Reader, terms: Terms, chunks: Numbers) -> list[Ranked]:
    """These chunks, best first; of equal ones by path and place."""
    numbers = chunks // MAX_CHUNKS
    files = reader.files(np.unique(numbers).tolist())
    found = [
        (files[number], at)
        for number, slot in zip(numbers.tolist(), (chunks % MAX_CHUNKS).tolist(), strict=True)
        if number in files and (at := files[number].record.at(slot)) is not None
    ]
    if not found:
        return []
    scorer = _Scorer(terms, _averages(reader))
    ranked = scorer.ranked(found)
    ranked.sort(key=lambda each: (-each.exactness, -each.score, each.file.path, each.at))
    return ranked


def in_place(reader: Reader, chunks: Numbers) -> list[Ranked]:
    """These chunks by path and place, without a score."""
    return rank(reader, Terms(()), chunks)


def _rarest(gathered: Sequence[Numbers], rarities: Sequence[float]) -> Numbers:
    """The CANDIDATES chunks with the greatest sums, and of equal sums those with the smaller numbers."""
    if not gathered:
        return EMPTY
    chunks = np.concatenate(gathered)
    weights = np.repeat(np.array(rarities), [len(each) for each in gathered])
    order = np.argsort(chunks, kind="stable")
    chunks, weights = chunks[order], weights[order]
    starts = np.flatnonzero(np.diff(chunks, prepend=-1))
    if not len(starts):
        return EMPTY
    sums = np.round(np.add.reduceat(weights, starts), 6)
    best = np.lexsort((chunks[starts], -sums))[:CANDIDATES]
    return chunks[starts][best]


def _averages(reader: Reader) -> Scores:
    state = reader.state
    averages: Scores = np.maximum(np.array(state.lengths) / max(1, state.chunks), 1e-9)
    return averages


class _Scorer:
    """Scores chunks by the terms of one query."""

    def __init__(self, terms: Terms, averages: Scores) -> None:
        self._asked = terms
        self._terms = terms.terms
        pairs = sorted((number, slot) for slot, term in enumerate(terms.terms) for number in term.numbers)
        self._numbers = np.array([number for number, _ in pairs], np.int64)
        self._slots = np.array([slot for _, slot in pairs], np.int64)
        self._exact = np.array(sorted(terms.exact), np.int64)
        self._averages = averages
        self._stems = [frozenset(term.stems) if not term.source else frozenset[str]() for term in terms.terms]
        self._all_stems = frozenset[str]().union(*self._stems) if self._stems else frozenset[str]()

    def ranked(self, found: Sequence[tuple[Loaded, int]]) -> list[Ranked]:
        """Every chunk with its score, in the same order."""
        slots = max(1, len(self._terms))
        weights = np.zeros(len(found) * slots)
        fields = np.zeros(len(found) * slots, np.int64)
        exact = np.zeros(len(found), bool)
        if len(self._numbers):
            words, codes, rows = self._hits(found)
            cells = rows * slots + self._slots[np.searchsorted(self._numbers, words)]
            exact[rows[(codes & DEFINES > 0) & np.isin(words, self._exact)]] = True
            lengths = np.stack([file.record.lengths[at] for file, at in found])
            norms = 1 - B + B * lengths / self._averages
            weights += np.bincount(cells, _weighed(codes, norms[rows]), len(weights))
            np.bitwise_or.at(fields, cells, codes & (DEFINES - 1))
        around = np.zeros(len(found) * slots, bool)
        for row, (file, at) in enumerate(found):
            for slot in self._around(file, at):
                around[row * slots + slot] = True
        weights += around * PLACE_WEIGHT
        scores = self._scores(weights.reshape(-1, slots))
        return [
            Ranked(
                file,
                at,
                float(scores[row]),
                self._exactness(bool(exact[row]), file, at),
                self._matches(row * slots, fields, around),
            )
            for row, (file, at) in enumerate(found)
        ]

    def _hits(self, found: Sequence[tuple[Loaded, int]]) -> tuple[Numbers, Codes, Numbers]:
        """Each word of a chunk that counts as a term: its number, its code, and which chunk."""
        postings = [file.record.postings(at) for file, at in found]
        words = np.concatenate([words for words, _ in postings])
        codes = np.concatenate([codes for _, codes in postings])
        rows = np.repeat(np.arange(len(found)), [len(words) for words, _ in postings])
        near = np.minimum(np.searchsorted(self._numbers, words), len(self._numbers) - 1)
        hits = np.flatnonzero(self._numbers[near] == words)
        return words[hits], codes[hits], rows[hits]

    def _scores(self, weights: Scores) -> Scores:
        if not self._terms:
            return np.zeros(len(weights))
        factors = np.array([term.weight * term.idf for term in self._terms])
        scores: Scores = np.round((weights * (K1 + 1) / (K1 + weights)) @ factors, 6)
        return scores

    def _around(self, file: Loaded, at: int) -> list[int]:
        """The terms whose stem stands in the path, or in the names around the chunk."""
        place = file.place(at)
        if self._all_stems.isdisjoint(place):
            return []
        return [slot for slot, stems in enumerate(self._stems) if not stems.isdisjoint(place)]

    def _exactness(self, declares: bool, file: Loaded, at: int) -> int:
        if not declares:
            return 0
        return 2 if file.record.names[at] in self._asked.names else 1

    def _matches(self, first: int, fields: Numbers, around: NDArray[np.bool_]) -> tuple[Match, ...]:
        return tuple(
            Match(term, int(fields[first + slot]), bool(around[first + slot]))
            for slot, term in enumerate(self._terms)
            if fields[first + slot] or around[first + slot]
        )


def _weighed(codes: Codes, norms: Scores) -> Scores:
    """What a word of each code counts; `norms` has a row of five for each."""
    weights: Scores = (_TABLE[codes] / norms).sum(axis=1)
    return weights


def _table() -> Scores:
    """Code → the weight of each field, times how often the word is there."""
    codes = np.arange(256)
    times = np.array(TIMES)[codes >> TIMES_SHIFT]
    bits = np.stack([codes & bit > 0 for bit in (NAME, ARGUMENTS, DOC, REST, BODY)], axis=1)
    table = bits * np.array(WEIGHTS)
    in_body = codes & BODY > 0
    table[:, FIELDS - 1] *= times
    table[:, FIELDS - 2] *= np.where(in_body, 1, times)
    weights: Scores = table
    return weights


_TABLE: Final = _table()
