"""A file of the index as it is read: arrays over its chunks and their words."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.search.chunk import MAX_CHUNKS, Chunk
from rubber_duck.search.draft import HEAD, columns_of
from rubber_duck.search.fields import DEFINES, FIELDS

Numbers = NDArray[np.int64]
Codes = NDArray[np.uint8]

EMPTY: Final[Numbers] = np.zeros(0, np.int64)


class Record:
    """The chunks of one file in order, and their words.

    `counts[n]` words of chunk `n` begin at `offsets[n]` in `words`, ascending numbers of the index's vocabulary, and
    in `codes` (see `fields`). `lengths` has five columns. `slots[n]` is the chunk's place among the numbers that belong
    to the file: a chunk that does not change keeps it.
    """

    def __init__(self, content: bytes, vocabulary: Numbers, slots: Numbers | None = None) -> None:
        """`content` is a draft's; `vocabulary` has the numbers of its words. Without `slots` they are 0, 1, 2 …."""
        self._columns = columns_of(content)
        self.counts = read_numbers(self._columns.counts)
        self.size = len(self.counts)
        self._plain = slots is None
        self.slots = np.arange(self.size) if slots is None else slots
        self.offsets = np.concatenate((EMPTY, [0], np.cumsum(self.counts))).astype(np.int64)
        self.codes: Codes = np.frombuffer(self._columns.codes, np.uint8)
        self.words = vocabulary[self._file_words()] if len(self.codes) else EMPTY
        self.lengths = read_numbers(self._columns.lengths).reshape(FIELDS, self.size).T

    def at(self, slot: int) -> int | None:
        """The index of the chunk that has this place, or None."""
        if self._plain:
            return slot if slot < self.size else None
        found = np.flatnonzero(self.slots == slot)
        return int(found[0]) if len(found) else None

    def postings(self, at: int) -> tuple[Numbers, Codes]:
        """The words of chunk `at` and their codes."""
        span = slice(self.offsets[at], self.offsets[at + 1])
        return self.words[span], self.codes[span]

    def declared(self, at: int) -> Numbers:
        """The words that chunk `at` declares."""
        words, codes = self.postings(at)
        declared: Numbers = words[codes & DEFINES > 0]
        return declared

    def fingerprints(self) -> list[tuple[int, int]]:
        """For each chunk two numbers of 64 bits that are equal for chunks of the same words and codes, and only then.

        Sums, because the order of the words does not matter, of what splitmix64 makes of each (Steele et al., 2014).
        """
        values = (self.words.astype(np.uint64) << np.uint64(8)) | self.codes.astype(np.uint64)
        columns = []
        for seed in _SEEDS:
            sums = np.concatenate(([np.uint64(0)], np.cumsum(_mixed(values + seed), dtype=np.uint64)))
            columns.append((sums[self.offsets[1:]] - sums[self.offsets[:-1]]).tolist())
        return list(zip(*columns, strict=True))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each chunk, `""` where it has none."""
        return tuple(self._columns.names.split("\n"))

    @cached_property
    def around(self) -> tuple[str, ...]:
        """What stands before each chunk's name in its qualified name."""
        names = self._columns.around_names
        return tuple(names[number] for number in read_numbers(self._columns.around))

    def chunk(self, at: int) -> Chunk:
        """Chunk `at`, without signature and documentation, which are not kept."""
        kind = self._columns.kinds[at]
        places = self._places
        return Chunk(
            kind=self._columns.kind_names[kind & ~HEAD],
            name=self.names[at],
            qualified_name=self.around[at] + self.names[at],
            start_byte=int(places[0, at]),
            end_byte=int(places[0, at] + places[1, at]),
            start_line=int(places[2, at]),
            end_line=int(places[2, at] + places[3, at]),
            is_head=bool(kind & HEAD),
        )

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk, in order."""
        return map(self.chunk, range(self.size))

    @cached_property
    def _places(self) -> Numbers:
        places = read_numbers(self._columns.places).reshape(4, self.size).copy()
        places[0] = np.cumsum(places[0])
        places[2] = np.cumsum(places[2])
        return places

    def _file_words(self) -> Numbers:
        """The words of all chunks by their number in the file: sums of the differences, anew in each chunk."""
        sums = np.cumsum(read_numbers(self._columns.words))
        before = np.concatenate(([0], sums))[self.offsets[:-1]]
        words: Numbers = sums - np.repeat(before, self.counts)
        return words


_SEEDS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def read_numbers(planes: bytes) -> Numbers:
    """Numbers of 32 bits that were written in planes, the lowest bytes first."""
    columns = np.frombuffer(planes, np.uint8).reshape(4, -1)
    if sys.byteorder == "big":
        columns = columns[::-1]
    return np.ascontiguousarray(columns.T).view(np.uint32).ravel().astype(np.int64)


def write_numbers(numbers: Numbers) -> bytes:
    """The inverse, compressed; differences, because neighbours are alike."""
    differences = np.diff(numbers, prepend=0)
    folded = np.where(differences < 0, -2 * differences - 1, 2 * differences).astype("<u4")
    return zlib.compress(np.ascontiguousarray(folded.view(np.uint8).reshape(-1, 4).T).tobytes(), 6)


def read_vocabulary(content: bytes) -> Numbers:
    """What `write_numbers` wrote."""
    folded = read_numbers(zlib.decompress(content))
    return np.cumsum(np.where(folded & 1, -(folded + 1) // 2, folded // 2))


def chunk_numbers(file: int, slots: Numbers) -> Numbers:
    """The numbers of chunks in the whole index."""
    numbers: Numbers = file * MAX_CHUNKS + slots
    return numbers
