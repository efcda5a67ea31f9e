"""What queries have read of an index and may need again: files, and where words stand. Never more than is allowed.

A query sees one state of the database. What is kept here is of one generation; a reader of an older one gets nothing
from it, and for a newer one only what has changed is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np

from rubber_duck.search import store
from rubber_duck.search.associations import Related, related
from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.index import LAST, IndexState, StoredFile
from rubber_duck.search.record import EMPTY, Numbers
from rubber_duck.search.stem import stem
from rubber_duck.search.words import TOKEN, words_of
from rubber_duck.search.writing import record_of
from rubber_duck.storage.database import Connection
from rubber_duck.storage.fulltext import FullText, Word, full_text
from rubber_duck.storage.vectors import Model, Vector, vectors

MOST_WORDS: Final = 12_000_000
"""Words of chunks that are kept of one index, ten bytes each; Django has a million."""

MOST_POSTINGS: Final = 4_000_000
"""Chunk numbers that are kept of one index, eight bytes each."""

MOST_STEMS: Final = 100_000
"""Stems, and counts of words, that are kept of one index."""

MOST_GLOBS: Final = 16
"""Of so many globs the words that fit are kept."""

FEW: Final = 32
"""The chunks of so many words are asked for one by one."""

Range = tuple[int, int]
_Words = int | tuple[int, ...]
FIRST_RANGE: Final[Range] = (0, LAST * MAX_CHUNKS)
LAST_RANGE: Final[Range] = (LAST * MAX_CHUNKS, 1 << 62)
"""The chunks that are looked at first, and those of tests and generated files."""

_ALL: Final[Range] = (FIRST_RANGE[0], LAST_RANGE[1])
_GLOB: Final = re.compile(r"[*?]")
_LETTERS: Final = re.compile(r"[a-z]*")


class Loaded:
    """A file of the index, ready to be ranked."""

    def __init__(self, file: StoredFile) -> None:
        self.number = file.number
        self.path = file.path
        self.language = file.language
        self.content_hash = file.content_hash
        self.record = record_of(file)
        self._path_stems = _stems(file.path.rpartition(".")[0] or file.path)
        self._places: dict[str, frozenset[str]] = {}

    @property
    def is_last(self) -> bool:
        """Whether it is a test or was generated."""
        return self.number >= LAST

    def place(self, at: int) -> frozenset[str]:
        """The stems of the words in its path, and in the names around one of its chunks."""
        around = self.record.around[at]
        if not around:
            return self._path_stems
        found = self._places.get(around)
        if found is None:
            found = self._places[around] = self._path_stems | _stems(around)
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query means to a model of that name."""

    model: str
    vector: Vector


class Shelf:
    """Keeps what was read of one index. Safe for threads and for tasks.

    The lock is never held while the database reads: a connection to PostgreSQL lets other tasks of the thread go on.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._generation = -1
        self._files: dict[int, Loaded] = {}
        self._words = 0
        self._postings: dict[tuple[_Words, Range], Numbers] = {}
        self._postings_size = 0
        self._vocabulary: dict[str, tuple[Word, ...]] = {}
        self._fitting: dict[str, tuple[int, ...]] = {}
        self._counts: dict[tuple[int, Range], int] = {}
        self._learnt = b""
        self._related: Related = {}
        self._related_of = -1

    def reader(self, connection: Connection, state: IndexState) -> Reader:
        """Read the index in this very state, within the transaction of `connection`."""
        known = self._generation
        while known < state.generation:
            changed = store.changed_since(connection, state.number, known) if self._files else ()
            with self._lock:
                if known == self._generation:
                    self._turn_to(state.generation, changed)
                known = self._generation
        return Reader(connection, state, self if known == state.generation else Shelf())

    def files(self, numbers: Collection[int], generation: int) -> dict[int, Loaded]:
        """Those of the files that are here."""
        with self._lock:
            if generation != self._generation:
                return {}
            return {number: self._files[number] for number in numbers if number in self._files}

    def keep_files(self, files: Collection[Loaded], generation: int) -> None:
        """Remember files; the oldest go when there are too many."""
        with self._lock:
            if generation != self._generation:
                return
            for file in files:
                self._forget(file.number)
                self._files[file.number] = file
                self._words += len(file.record.words)
            while self._words > MOST_WORDS:
                self._forget(next(iter(self._files)))

    def postings(self, word: _Words, within: Range, generation: int) -> Numbers | None:
        """The chunks of a word, or of one of several, if they are here."""
        with self._lock:
            return self._postings.get((word, within)) if generation == self._generation else None

    def keep_postings(self, word: _Words, within: Range, chunks: Numbers, generation: int) -> None:
        """Remember where a word stands; everything goes when it is too much."""
        with self._lock:
            if generation != self._generation:
                return
            if self._postings_size + len(chunks) > MOST_POSTINGS:
                self._postings.clear()
                self._postings_size = 0
            self._postings[word, within] = chunks
            self._postings_size += len(chunks)

    def count(self, word: int, within: Range, generation: int) -> int | None:
        """How many chunks hold a word, if that is here."""
        with self._lock:
            return self._counts.get((word, within)) if generation == self._generation else None

    def keep_count(self, word: int, within: Range, chunks: int, generation: int) -> None:
        """Remember how many chunks hold a word."""
        with self._lock:
            if generation == self._generation:
                if len(self._counts) > MOST_STEMS:
                    self._counts.clear()
                self._counts[word, within] = chunks

    def words(self, stems: Collection[str], generation: int) -> dict[str, tuple[Word, ...]]:
        """Stem → its words, of the stems that are here."""
        with self._lock:
            if generation != self._generation:
                return {}
            return {stem: self._vocabulary[stem] for stem in stems if stem in self._vocabulary}

    def keep_words(self, words: dict[str, tuple[Word, ...]], generation: int) -> None:
        """Remember the words of some stems."""
        with self._lock:
            if generation == self._generation:
                if len(self._vocabulary) > MOST_STEMS:
                    self._vocabulary.clear()
                self._vocabulary.update(words)

    def fitting(self, glob: str, generation: int) -> tuple[int, ...] | None:
        """The numbers of the words that fit a glob, if they are here."""
        with self._lock:
            return self._fitting.get(glob) if generation == self._generation else None

    def keep_fitting(self, glob: str, words: tuple[int, ...], generation: int) -> None:
        """Remember which words fit a glob."""
        with self._lock:
            if generation == self._generation:
                if len(self._fitting) >= MOST_GLOBS:
                    self._fitting.clear()
                self._fitting[glob] = words

    def related(self, connection: Connection, state: IndexState) -> Related:
        """What goes with which stem; read again only when it was learnt anew."""
        with self._lock:
            if self._related_of == state.generation:
                return self._related
        kept = store.read_associations(connection, state.number)
        with self._lock:
            found = self._related if kept == self._learnt and self._related else related(kept)
            self._learnt, self._related, self._related_of = kept, found, state.generation
            return found

    def _turn_to(self, generation: int, changed: Collection[int]) -> None:
        for number in changed:
            self._forget(number)
        self._postings.clear()
        self._vocabulary.clear()
        self._fitting.clear()
        self._counts.clear()
        self._postings_size = 0
        self._generation = generation

    def _forget(self, number: int) -> None:
        file = self._files.pop(number, None)
        if file is not None:
            self._words -= len(file.record.words)


class Reader:
    """Reads one state of an index inside a transaction; what it reads stays on the shelf."""

    def __init__(self, connection: Connection, state: IndexState, shelf: Shelf) -> None:
        self.state = state
        self._connection = connection
        self._shelf = shelf
        self._text: FullText = full_text(connection, state.number)

    def files(self, numbers: Collection[int]) -> dict[int, Loaded]:
        """Number → file, of those that there are and that have chunks."""
        found = self._shelf.files(numbers, self.state.generation)
        missing = [number for number in numbers if number not in found]
        if missing:
            stored = store.stored_files(self._connection, self.state.number, missing)
            loaded = [Loaded(file) for file in stored if file.content]
            self._shelf.keep_files(loaded, self.state.generation)
            found.update((file.number, file) for file in loaded)
        return found

    def words(self, stems: Collection[str]) -> dict[str, tuple[Word, ...]]:
        """Stem → the words of the index that have it; those that no word has are left out."""
        found = self._shelf.words(stems, self.state.generation)
        missing = [stem for stem in stems if stem not in found]
        if missing:
            read: dict[str, list[Word]] = {stem: [] for stem in missing}
            for word in self._text.words(missing):
                read[word.stem].append(word)
            fresh = {stem: tuple(words) for stem, words in read.items()}
            self._shelf.keep_words(fresh, self.state.generation)
            found.update(fresh)
        return {stem: words for stem, words in found.items() if words}

    def fitting(self, glob: str) -> tuple[int, ...]:
        """The numbers of all words that fit a glob, ascending; see FullText."""
        found = self._shelf.fitting(glob, self.state.generation)
        if found is None:
            beginning = _GLOB.split(glob, maxsplit=1)[0]
            has_stem = _LETTERS.fullmatch(beginning)  # of what begins otherwise, the stem is the word itself
            found = tuple(self._text.fitting(glob, beginning[:1] if has_stem else beginning))
            self._shelf.keep_fitting(glob, found, self.state.generation)
        return found

    def holding(self, word: int, within: Range) -> Numbers:
        """The chunks that hold a word, ascending."""
        found = self._shelf.postings(word, within, self.state.generation)
        if found is None:
            found = np.array(self._text.holding(word, *within), np.int64)
            self._shelf.keep_postings(word, within, found, self.state.generation)
        return found

    def holding_any(self, words: tuple[int, ...], within: Range) -> Numbers:
        """The chunks that hold one of these words, ascending."""
        if len(words) <= FEW:
            return union([self.holding(word, within) for word in words])
        found = self._shelf.postings(words, _ALL, self.state.generation)
        if found is None:
            found = np.array(self._text.holding_any(words, *_ALL), np.int64)
            self._shelf.keep_postings(words, _ALL, found, self.state.generation)
        return _inside(found, within)

    def declaring(self, word: int, within: Range) -> Numbers:
        """The chunks that declare a word, ascending."""
        found = self._shelf.postings(-word, within, self.state.generation)
        if found is None:
            found = np.array(self._text.declaring(word, *within), np.int64)
            self._shelf.keep_postings(-word, within, found, self.state.generation)
        return found

    def count(self, word: int, within: Range) -> int:
        """How many chunks hold a word."""
        found = self._shelf.count(word, within, self.state.generation)
        if found is None:
            found = self._text.count(word, *within)
            self._shelf.keep_count(word, within, found, self.state.generation)
        return found

    def declaring_any(self, words: tuple[int, ...], within: Range) -> Numbers:
        """The chunks that declare one of these words, ascending."""
        if len(words) <= FEW:
            return union([self.declaring(word, within) for word in words])
        key = tuple(-word for word in words)
        found = self._shelf.postings(key, _ALL, self.state.generation)
        if found is None:
            found = np.array(self._text.declaring_any(words, *_ALL), np.int64)
            self._shelf.keep_postings(key, _ALL, found, self.state.generation)
        return _inside(found, within)

    def count_any(self, words: tuple[int, ...], within: Range) -> int:
        """How many chunks hold one of these words; of few words the sum, in which a chunk may count several times."""
        if len(words) <= FEW:
            return sum(self.count(word, within) for word in words)
        return len(self.holding_any(words, within))

    def containing(self, text: str, limit: int) -> list[int]:
        """The numbers of words that may contain `text`; see FullText."""
        return list(self._text.containing(text, limit))

    def paths(self) -> list[tuple[int, str, str]]:
        """Number, path and language of every file."""
        return store.paths_of(self._connection, self.state.number)

    def has_vectors(self, asked: Asked) -> bool:
        """Whether the index has vectors that can be compared with what was asked."""
        return vectors(self._connection, self.state.number).model() == Model(asked.model, len(asked.vector))

    def nearest(self, asked: Asked, limit: int, within: Range) -> list[int]:
        """The chunks that mean most nearly what was asked, nearest first; none where vectors are of another model."""
        if not self.has_vectors(asked):
            return []
        kept = vectors(self._connection, self.state.number)
        return [near.chunk for near in kept.nearest(asked.vector, limit, *within) if near.cosine > 0]

    def related(self) -> Related:
        """What goes with which stem."""
        return self._shelf.related(self._connection, self.state)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for token in TOKEN.findall(text) for word in words_of(token))


def _inside(chunks: Numbers, within: Range) -> Numbers:
    """Those of the ascending chunks that are in the range."""
    first, last = np.searchsorted(chunks, within)
    return chunks[first:last]


def union(sets: Collection[Numbers]) -> Numbers:
    """Ascending numbers that are in any of these."""
    listed = [each for each in sets if len(each)]
    if len(listed) < 2:
        return listed[0] if listed else EMPTY
    return np.unique(np.concatenate(listed))
