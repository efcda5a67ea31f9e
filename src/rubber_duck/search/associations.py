"""What goes together in this project: which words code has where its documentation has a certain word.

Learnt from documented definitions by normalized pointwise mutual information (Bouma, 2009): a question that says
"e-mail" then also finds code that says `smtp`. Nothing leaves the index, and no other project's index is read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from rubber_duck.search.fields import BODY, DOC, NAME
from rubber_duck.search.record import EMPTY, Numbers, Record
from rubber_duck.search.thesaurus import WEIGHT as THESAURUS_WEIGHT
from rubber_duck.search.thesaurus import thesaurus

WEIGHT: Final = 0.25
"""What an associated word counts beside the one that was asked for."""

MOST: Final = 5
"""Associated words of one word."""

SEEN_TOGETHER: Final = 5
"""In fewer definitions than this, two words stand together by chance."""

FILES: Final = 3
"""Files in which they must do so: what goes together in one place only says little about others."""

COMMON: Final = 0.2
"""Words that stand in a greater share of the definitions are not associated with any."""

MOST_DEFINITIONS: Final = 60_000
"""Documented definitions that are learnt from, about."""

_HELD_PAIRS: Final = 4_000_000

Related = Mapping[str, tuple[tuple[str, float], ...]]
"""Stem → stems that go with it, each with its weight."""

Learnt = dict[str, tuple[str, ...]]
_decoder: Final = msgspec.msgpack.Decoder(Learnt)


def learn(records: Iterable[Record], stems: Sequence[str]) -> Learnt:
    """Stem → the stems most associated with it. `stems[n]` is that of word `n`, "" where there is none."""
    distinct = sorted(set(stems))
    places = {each: at for at, each in enumerate(distinct)}
    stem_of = np.array([places[each] for each in stems], np.int64)
    counted = _Counted(len(distinct))
    for record in records:
        if counted.definitions >= MOST_DEFINITIONS:
            break
        counted.add(list(_definitions(record, stem_of)))
    return {distinct[word]: tuple(distinct[other] for other in others) for word, others in counted.associated().items()}


def written(learnt: Learnt) -> bytes:
    """As it is kept."""
    return zlib.compress(msgspec.msgpack.encode(learnt), 6)


def related(kept: bytes) -> Related:
    """What is asked beside each stem: what `written` made of this project's associations, and the thesaurus."""
    found: dict[str, dict[str, float]] = {}
    for each, others in thesaurus().items():
        found[each] = dict.fromkeys(others, THESAURUS_WEIGHT)
    if kept:
        for each, others in _decoder.decode(zlib.decompress(kept)).items():
            found.setdefault(each, {}).update(dict.fromkeys(others, WEIGHT))
    return {each: tuple(others.items()) for each, others in found.items()}


def _definitions(record: Record, stem_of: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Of each documented definition of a file, the stems of its documentation and those of its name and body."""
    if not (record.codes & DOC).any():
        return
    for at in range(record.size):
        words, codes = record.postings(at)
        said = np.unique(stem_of[words[codes & DOC > 0]])
        if len(said):
            yield said, np.unique(stem_of[words[codes & (NAME | BODY) > 0]])


class _Counted:
    """How often words stand in documentation, in code, and one in each of the same definition."""

    def __init__(self, size: int) -> None:
        self.definitions = 0
        self._size = size
        self._said = np.zeros(size, np.int64)
        self._done = np.zeros(size, np.int64)
        self._pairs = [EMPTY]
        self._counts = [EMPTY]
        self._files = [EMPTY]
        self._held = 0

    def add(self, definitions: Sequence[tuple[Numbers, Numbers]]) -> None:
        """The definitions of one file."""
        if not definitions:
            return
        self.definitions += len(definitions)
        for said, done in definitions:
            self._said[said] += 1
            self._done[done] += 1
        pairs = [(said[:, None] * self._size + done[None, :]).ravel() for said, done in definitions]
        found, counts = np.unique(np.concatenate(pairs), return_counts=True)
        self._pairs.append(found)
        self._counts.append(counts)
        self._files.append(np.ones(len(found), np.int64))
        self._held += len(found)
        if self._held > _HELD_PAIRS:
            self._sum()

    def associated(self) -> dict[int, list[int]]:
        """Word → the words of code most associated with it, best first."""
        self._sum()
        total = max(1, self.definitions)
        pairs, counts, files = self._pairs[0], self._counts[0], self._files[0]
        said, done = pairs // self._size, pairs % self._size
        fit = (counts >= SEEN_TOGETHER) & (files >= FILES) & (said != done) & (self._done[done] <= COMMON * total)
        said, done, counts = said[fit], done[fit], counts[fit]
        scores = np.log(counts * total / (self._said[said] * self._done[done])) / -np.log(counts / total - 1e-12)
        order = np.lexsort((done, -np.round(scores, 9), said))
        found: dict[int, list[int]] = {}
        for at in order[scores[order] > 0].tolist():
            others = found.setdefault(int(said[at]), [])
            if len(others) < MOST:
                others.append(int(done[at]))
        return found

    def _sum(self) -> None:
        pairs, places = np.unique(np.concatenate(self._pairs), return_inverse=True)
        for column in (self._counts, self._files):
            summed = np.bincount(places, np.concatenate(column), len(pairs)).astype(np.int64)
            column[:] = [summed]
        self._pairs = [pairs]
        self._held = 0
