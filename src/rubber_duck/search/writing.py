"""Writes to an index: one transaction for a batch of files, in which everything about each file changes together.

What takes time, such as numbering the words and placing the chunks, is worked out before, in a thread: on PostgreSQL a
transaction runs on the event loop, and would hold up everybody else, a cancel too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from rubber_duck import fault
from rubber_duck.search import store
from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.fields import DEFINES, FIELDS
from rubber_duck.search.index import LAST, FileRow, FreshFile, IndexState, Sighting, StoredFile
from rubber_duck.search.record import Record, chunk_numbers, read_vocabulary, write_numbers
from rubber_duck.search.stem import stem
from rubber_duck.storage.database import Connection
from rubber_duck.storage.fulltext import Posting, Word, full_text
from rubber_duck.storage.vectors import vectors


@dataclass(frozen=True, slots=True)
class Batch:
    """What changes in one transaction: files to keep, numbers of files to forget, files that were only touched."""

    fresh: Sequence[FreshFile] = ()
    removed: Sequence[int] = ()
    touched: Mapping[int, Sighting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the index has of what a batch is about: files that it replaces or forgets, and words that it asks for."""

    files: Sequence[StoredFile] = ()
    words: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a batch does to an index that is in the generation before `after`. Postings ascend by chunk."""

    after: IndexState
    rows: Sequence[FileRow]
    replaced: Sequence[int]
    touched: Mapping[int, Sighting]
    words: Sequence[Word]
    withdrawn: Sequence[Posting]
    posted: Sequence[Posting]


MOST_HELD: Final = 1_000_000
"""Words that are held in memory while indexing."""


class Vocabulary:
    """The numbers of words that one run of the indexer has met; the rest is asked from the index.

    Once a write fails it has numbers that the index does not know, and is of no use any more.
    """

    def __init__(self, *, is_complete: bool = False) -> None:
        """`is_complete`: the index has no other words than those that are met here."""
        self.numbers: dict[str, int] = {}
        self.is_complete = is_complete

    def unknown(self, batch: Batch) -> set[str]:
        """The stems of those words of the batch that the index is to be asked for."""
        if len(self.numbers) > MOST_HELD:
            self.numbers.clear()
            self.is_complete = False
        return set() if self.is_complete else {stem(word) for word in _new(batch, self.numbers)}

    def numbered(self, batch: Batch, kept: Kept, first: int) -> list[str]:
        """Number every word of the batch; those that the index does not have, which get `first` and what follows."""
        self.numbers.update((word.text, word.number) for word in kept.words)
        new = sorted(_new(batch, self.numbers))
        self.numbers.update((word, number) for number, word in enumerate(new, first))
        return new


def read_kept(connection: Connection, index: int, batch: Batch, stems: Collection[str]) -> Kept:
    """What `change_of` has to know."""
    numbers = {*batch.removed, *(file.number for file in batch.fresh)}
    words = full_text(connection, index).words(stems) if stems else ()
    return Kept([file for file in store.stored_files(connection, index, numbers) if file.content], words)


def change_of(state: IndexState, batch: Batch, kept: Kept, vocabulary: Vocabulary, at: datetime) -> Change:
    """What brings the index from `state` to the next one. `at` is when that is."""
    old = {file.number: record_of(file) for file in kept.files}
    new_words = vocabulary.numbered(batch, kept, state.next_word)
    chunks = _Chunks()
    rows = [_place(file, old.pop(file.number, None), vocabulary, chunks) for file in batch.fresh]
    for number, record in old.items():
        chunks.forget(number, record)
    after = replace(
        state,
        generation=state.generation + 1,
        next_word=state.next_word + len(new_words),
        next_file=max([state.next_file, *(file.number % LAST + 1 for file in batch.fresh)]),
        chunks=state.chunks + chunks.more,
        lengths=tuple(before + int(more) for before, more in zip(state.lengths, chunks.lengths, strict=True)),
        changed_chunks=state.changed_chunks + len(chunks.withdrawn) + len(chunks.posted),
        finished_at=at if state.finished_at is not None else None,
    )
    return Change(
        after,
        rows,
        [*batch.removed, *(file.number for file in batch.fresh)],
        batch.touched,
        [_word(word, vocabulary.numbers[word]) for word in new_words],
        sorted(chunks.withdrawn, key=_by_chunk),
        sorted(chunks.posted, key=_by_chunk),
    )


def write_change(connection: Connection, change: Change) -> None:
    """Bring the index to the state `change.after`. Raises StaleVersion when it is not in the one before that."""
    after = change.after
    text = full_text(connection, after.number)
    text.add_words(change.words)
    text.withdraw(change.withdrawn)
    text.post(change.posted)
    _forget_vectors(connection, change)
    store.delete_files(connection, after.number, change.replaced)
    store.insert_files(connection, after.number, after.generation, change.rows)
    store.note_sightings(connection, after.number, change.touched)
    store.save_index(connection, after)
    fault.point("search.before_commit")


def record_of(file: StoredFile) -> Record:
    """The record of a stored file."""
    slots = read_vocabulary(file.slots) if file.slots else None
    return Record(file.content, read_vocabulary(file.vocabulary), slots)


def _new(batch: Batch, numbers: Mapping[str, int]) -> set[str]:
    return {word for file in batch.fresh for word in file.vocabulary if word not in numbers}


def _forget_vectors(connection: Connection, change: Change) -> None:
    """What a chunk means is not known any more once it says something else."""
    kept = vectors(connection, change.after.number)
    if kept.model() is not None:
        kept.forget({posting.chunk for posting in (*change.withdrawn, *change.posted)})


def _by_chunk(posting: Posting) -> int:
    return posting.chunk


class _Chunks:
    """What a batch does to the postings and to the sums over all chunks."""

    def __init__(self) -> None:
        self.withdrawn: list[Posting] = []
        self.posted: list[Posting] = []
        self.more = 0
        self.lengths = np.zeros(FIELDS, np.int64)

    def forget(self, file: int, record: Record) -> None:
        """All of a file goes."""
        self.sum_up(record, -1)
        for at in range(record.size):
            self.withdraw(file, record, at)

    def withdraw(self, file: int, record: Record, at: int) -> None:
        """One chunk goes."""
        self.withdrawn.append(_posting(file, record, at))

    def post(self, file: int, record: Record, at: int) -> None:
        """One chunk comes."""
        self.posted.append(_posting(file, record, at))

    def sum_up(self, record: Record, sign: int) -> None:
        """The sums over all chunks."""
        self.more += sign * record.size
        self.lengths += sign * record.lengths.sum(axis=0)


def _place(file: FreshFile, old: Record | None, vocabulary: Vocabulary, chunks: _Chunks) -> FileRow:
    """Give the file's chunks their numbers; those that the old record has too keep theirs, and are not written."""
    if not file.content:
        if old is not None:
            chunks.forget(file.number, old)
        return FileRow(file, b"", b"")
    numbers = np.fromiter((vocabulary.numbers[word] for word in file.vocabulary), np.int64, len(file.vocabulary))
    record = Record(file.content, numbers)
    chunks.sum_up(record, 1)
    if old is None:
        for at in range(record.size):
            chunks.post(file.number, record, at)
        return FileRow(file, write_numbers(numbers), b"")
    chunks.sum_up(old, -1)
    _slots(file.number, old, record, chunks)
    plain = bool((record.slots == np.arange(record.size)).all())
    return FileRow(file, write_numbers(numbers), b"" if plain else write_numbers(record.slots))


def _slots(file: int, old: Record, record: Record, chunks: _Chunks) -> None:
    """Give each chunk of `record` a place: that of an equal one of `old`, or a free one."""
    held: dict[tuple[int, int], list[int]] = {}
    for at, mark in reversed(list(enumerate(old.fingerprints()))):
        held.setdefault(mark, []).append(at)
    same = [held[mark].pop() if held.get(mark) else None for mark in record.fingerprints()]
    kept = {int(old.slots[at]) for at in same if at is not None}
    free = (slot for slot in range(MAX_CHUNKS) if slot not in kept)
    slots = np.fromiter((next(free) if at is None else old.slots[at] for at in same), np.int64, record.size)
    for left in held.values():
        for at in left:
            chunks.withdraw(file, old, at)
    record.slots = slots
    for at, before in enumerate(same):
        if before is None:
            chunks.post(file, record, at)


def _posting(file: int, record: Record, at: int) -> Posting:
    words, codes = record.postings(at)
    chunk = int(chunk_numbers(file, record.slots[at]))
    return Posting(chunk, words.tolist(), words[codes & DEFINES > 0].tolist())


def _word(word: str, number: int) -> Word:
    common = stem(word)
    return Word(common, "" if common == word else word, number)
