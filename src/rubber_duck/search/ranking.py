"""The order of what is found: BM25F over the fields of a chunk (Robertson and Zaragoza, 2009, section 3.6).

The weights are fixed. Those of the fields were measured on CoSQA once and are not tuned to anything since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.conditions import Allowed
from rubber_duck.search.fields import ARGUMENTS, BODY, DEFINES, DOC, FIELDS, NAME, REST, TIMES, TIMES_SHIFT, name_word
from rubber_duck.search.record import EMPTY, Codes, Numbers, chunk_numbers
from rubber_duck.search.shelf import Loaded, Range, Reader, union
from rubber_duck.search.terms import EVERYWHERE, Dotted, Term, Terms
from rubber_duck.search.words import TOKEN, folded_case

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

_FUSION: Final = 60  # the constant of the paper

GATHERED: Final = 12_000
"""When the chunks of the rarest words are this many, those of commoner words are not gathered to choose from."""


@dataclass(frozen=True, slots=True)
class Match:
    """One term in one chunk: in which fields it stands (bits of `fields`), and whether in the place around it."""

    term: Term
    fields: int
    is_around: bool

    @property
    def is_exact(self) -> bool:
        """Whether the chunk declares it."""
        return self.fields & DEFINES > 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk: file and index in its record, its score, and why it is here.

    `exactness` is 2 when it is called exactly as a word of the query, 1 when it declares such a name in whatever case,
    4 or 3 when also what is around it is called as a dotted name of the query says: as written, or nearly.
    `terms` run parallel to `fields`, bits of `fields` in which each stands, and to `around`, whether in the place.
    `is_near`: an embeddings model says that it means what was asked.
    """

    file: Loaded
    at: int
    score: float = 0.0
    exactness: int = 0
    terms: tuple[Term, ...] = ()
    fields: Numbers = field(default_factory=lambda: EMPTY)
    around: NDArray[np.bool_] = field(default_factory=lambda: EMPTY.astype(bool))
    is_near: bool = False

    def matches(self) -> Iterator[Match]:
        """The terms that stand in it."""
        for term, fields, is_around in zip(self.terms, self.fields.tolist(), self.around.tolist(), strict=True):
            if fields or is_around:
                yield Match(term, fields, is_around)


def choose(reader: Reader, terms: Terms, within: Range, allowed: Allowed) -> Numbers:
    """The numbers of the allowed chunks that are worth ranking, the most promising first."""
    asked = sorted(terms.asked, key=lambda term: (-term.idf, term.shown))
    gathered: list[Numbers] = []
    rarities: list[float] = []
    size = 0
    for term in asked:
        expected = reader.count_any(term.numbers, within)
        if gathered and size + expected > GATHERED and allowed.is_everything:
            continue
        gathered.append(allowed.within(reader.holding_any(term.numbers, within)))
        size += len(gathered[-1])
        rarities.append(term.idf)
    are_all = len(gathered) == len(asked) and size <= CANDIDATES
    for number in () if are_all else terms.exact:
        gathered.append(allowed.within(reader.declaring(number, within)))
        rarities.append(_FIRST)
    for term in () if are_all else asked:
        if term.is_beginning:
            gathered.append(allowed.within(reader.declaring_any(term.numbers, within)))
            rarities.append(_FIRST)
    for name in () if are_all else terms.dotted:
        gathered.append(allowed.within(_placed(reader, name, within)))
        rarities.append(_FIRST)
    return _rarest(gathered, rarities)


def _placed(reader: Reader, name: Dotted, within: Range) -> Numbers:
    """The chunks that declare the last part, in files that declare the part before it or are called like that."""
    chunks = union([reader.declaring(number, within) for number in name.last])
    if len(chunks) <= CANDIDATES:
        return chunks  # all of them are ranked
    before = folded_case(name.parts[-2])
    called = [number for number, path, _ in reader.paths() if before in TOKEN.findall(folded_case(path))]
    declaring = [reader.declaring(number, EVERYWHERE) // MAX_CHUNKS for number in name.before]
    placed: Numbers = chunks[np.isin(chunks // MAX_CHUNKS, np.array([*called, *union(declaring).tolist()], np.int64))]
    return placed


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
    scorer = _Scorer(terms, _averages(reader), reader.state.next_word)
    ranked = scorer.ranked(found)
    ranked.sort(key=lambda each: (-each.exactness, -each.score, each.file.path, each.at))
    return ranked


def fused(reader: Reader, terms: Terms, chunks: Numbers, near: Sequence[int]) -> list[Ranked]:
    """The chunks ranked by words and those `near` by meaning, the nearest first, in one order.

    By reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009); `score` is the sum of both reciprocals.
    """
    places = {chunk: 1 / (_FUSION + place) for place, chunk in enumerate(near, 1)}
    ranked = rank(reader, terms, union([np.sort(chunks), np.array(sorted(near), np.int64)]))
    found: list[Ranked] = []
    for place, each in enumerate(ranked, 1):
        number = int(chunk_numbers(each.file.number, each.file.record.slots[each.at]))
        by_words = 1 / (_FUSION + place) if each.score else 0.0
        score = round(by_words + places.get(number, 0.0), 9)
        found.append(replace(each, score=score, is_near=number in places))
    return sorted(found, key=lambda each: (-each.exactness, -each.score, each.file.path, each.at))


def in_place(reader: Reader, chunks: Numbers) -> list[Ranked]:
    """These chunks by path and place, without a score."""
    return rank(reader, Terms(()), chunks)


def _rarest(gathered: Sequence[Numbers], rarities: Sequence[float]) -> Numbers:
    """The CANDIDATES chunks with the greatest sums, and of equal sums those with the smaller numbers."""
    if not gathered:
        return EMPTY
    if len(gathered) == 1:
        return gathered[0][:CANDIDATES]
    chunks = np.concatenate(gathered)
    weights = np.repeat(np.array(rarities), [len(each) for each in gathered])
    order = np.argsort(chunks, kind="stable")
    chunks, weights = chunks[order], weights[order]
    if not len(chunks):
        return EMPTY
    starts = np.concatenate(([0], np.flatnonzero(chunks[1:] != chunks[:-1]) + 1))
    sums = np.round(np.add.reduceat(weights, starts), 6)
    best = np.lexsort((chunks[starts], -sums))[:CANDIDATES]
    return chunks[starts][best]


def _averages(reader: Reader) -> Scores:
    state = reader.state
    averages: Scores = np.maximum(np.array(state.lengths) / max(1, state.chunks), 1e-9)
    return averages


class _Scorer:
    """Scores chunks by the terms of one query."""

    def __init__(self, terms: Terms, averages: Scores, words: int) -> None:
        """`words` is a number greater than that of every word."""
        self._asked = terms
        self._terms = terms.terms
        self._slots = np.full(words, -1, np.int16)
        for slot, term in enumerate(terms.terms):
            self._slots[list(term.numbers)] = slot
        self._averages = averages
        self._stems = [frozenset(term.stems) if not term.source else frozenset[str]() for term in terms.terms]
        self._all_stems = frozenset[str]().union(*self._stems)

    def ranked(self, found: Sequence[tuple[Loaded, int]]) -> list[Ranked]:
        """Every chunk with its score, in the same order."""
        slots = len(self._terms)
        if not slots:
            return [Ranked(file, at) for file, at in found]
        words, codes, rows = self._hits(found)
        cells = rows * slots + self._slots[words]
        lengths = np.array([file.record.lengths[at] for file, at in found])
        norms = 1 - B + B * lengths / self._averages
        weights = np.bincount(cells, _weighed(codes, norms[rows]), len(found) * slots).reshape(-1, slots)
        fields = np.zeros((len(found), slots), np.int64)
        np.bitwise_or.at(fields.ravel(), cells, codes & (2 * DEFINES - 1))
        around = self._around(found)
        scores = self._scores(weights + around * PLACE_WEIGHT).tolist()
        declaring = np.flatnonzero(codes & DEFINES)
        exact: dict[int, set[int]] = {}
        for word, row in zip(words[declaring].tolist(), rows[declaring].tolist(), strict=True):
            if word in self._asked.exact:
                exact.setdefault(row, set()).add(word)
        return [
            Ranked(
                file,
                at,
                scores[row],
                self._exactness(exact.get(row, set()), file, at),
                self._terms,
                fields[row],
                around[row],
            )
            for row, (file, at) in enumerate(found)
        ]

    def _hits(self, found: Sequence[tuple[Loaded, int]]) -> tuple[Numbers, Codes, Numbers]:
        """Each word of a chunk that counts as a term: its number, its code, and which chunk."""
        postings = [file.record.postings(at) for file, at in found]
        words = np.concatenate([words for words, _ in postings])
        codes = np.concatenate([codes for _, codes in postings])
        rows = np.repeat(np.arange(len(found)), [len(words) for words, _ in postings])
        hits = np.flatnonzero(self._slots[words] >= 0)
        return words[hits], codes[hits], rows[hits]

    def _scores(self, weights: Scores) -> Scores:
        factors = np.array([term.weight * term.idf for term in self._terms])
        scores: Scores = np.round((weights * (K1 + 1) / (K1 + weights)) @ factors, 6)
        return scores

    def _around(self, found: Sequence[tuple[Loaded, int]]) -> NDArray[np.bool_]:
        """Which terms have a stem that stands in the path, or in the names around the chunk."""
        around = np.zeros((len(found), len(self._terms)), bool)
        for row, (file, at) in enumerate(found):
            place = file.place(at)
            if not self._all_stems.isdisjoint(place):
                around[row] = [not stems.isdisjoint(place) for stems in self._stems]
        return around

    def _exactness(self, declared: set[int], file: Loaded, at: int) -> int:
        if not declared:
            return 0
        placed = [_placement(name, file, at) for name in self._asked.dotted if not declared.isdisjoint(name.last)]
        return max(placed, default=0) or (2 if file.record.names[at] in self._asked.names else 1)


def _placement(name: Dotted, file: Loaded, at: int) -> int:
    """4 when what is before the last part stands right before the chunk's name, as written; 3 in whatever case or with
    more between, as `models.Model` in `models/base.py`; else 0."""
    own = file.record.names[at]
    stem_of_path = file.path.rpartition(".")[0] or file.path
    around = [each for each in TOKEN.findall(f"{stem_of_path}/{file.record.around[at]}") if each != "__init__"]
    if name_word(own) != folded_case(name.parts[-1]):
        around += TOKEN.findall(own)  # it is declared inside
    wanted = list(name.parts[:-1])
    if around[-len(wanted) :] == wanted:
        return 4
    rest = map(folded_case, around)
    return 3 if all(folded_case(part) in rest for part in wanted) else 0


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
