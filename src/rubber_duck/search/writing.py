"""Writes to an index: one transaction for a batch of files, in which everything about each file changes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from rubber_duck.storage.fulltext import FullText, Posting, Word, full_text
from rubber_duck.storage.vectors import vectors


@dataclass(frozen=True, slots=True)
class Batch:
    """What changes in one transaction: files to keep, numbers of files to forget, files that were only touched."""

    fresh: Sequence[FreshFile] = ()
    removed: Sequence[int] = ()
    touched: Mapping[int, Sighting] = field(default_factory=dict)


MOST_HELD: Final = 1_000_000
"""Words that are held in memory while indexing."""


class Vocabulary:
    """The numbers of words that one run of the indexer has met; the rest is asked from the index."""

    def __init__(self, *, is_complete: bool = False) -> None:
        """`is_complete`: the index has no other words than those that are met here."""
        self.numbers: dict[str, int] = {}
        self.is_complete = is_complete

    def learn(self, text: FullText, words: set[str]) -> None:
        """Get the numbers of those `words` that the index has."""
        if len(self.numbers) > MOST_HELD:
            self.numbers.clear()
            self.is_complete = False
        missing = [] if self.is_complete else [word for word in words if word not in self.numbers]
        if missing:
            found = text.words({stem(word) for word in missing})
            self.numbers.update((word.text, word.number) for word in found)


def write_batch(
    connection: Connection, state: IndexState, batch: Batch, vocabulary: Vocabulary, at: datetime
) -> IndexState:
    """Bring the index from `state` to the state that is returned. Raises StaleVersion when it is in another one.

    `at` is when that is; it stands in the index once a first build has been complete.
    """
    text = full_text(connection, state.number)
    old = _old_records(connection, state.number, batch)
    words = {word for file in batch.fresh for word in file.vocabulary}
    vocabulary.learn(text, words)
    first_new = state.next_word
    new_words = sorted(word for word in words if word not in vocabulary.numbers)
    vocabulary.numbers.update((word, first_new + at) for at, word in enumerate(new_words))
    change = _Change()
    rows = [_place(file, old.pop(file.number, None), vocabulary, change) for file in batch.fresh]
    for number, record in old.items():
        change.forget(number, record)
    text.add_words([_word(word, vocabulary.numbers[word]) for word in new_words])
    text.withdraw(sorted(change.withdrawn, key=_by_chunk))
    text.post(sorted(change.posted, key=_by_chunk))
    _forget_vectors(connection, state.number, change)
    generation = state.generation + 1
    replaced = [*batch.removed, *(file.number for file in batch.fresh)]
    store.delete_files(connection, state.number, replaced)
    store.insert_files(connection, state.number, generation, rows)
    store.note_sightings(connection, state.number, batch.touched)
    after = replace(
        state,
        generation=generation,
        next_word=first_new + len(new_words),
        next_file=max([state.next_file, *(file.number % LAST + 1 for file in batch.fresh)]),
        chunks=state.chunks + change.chunks,
        lengths=tuple(before + int(more) for before, more in zip(state.lengths, change.lengths, strict=True)),
        changed_chunks=state.changed_chunks + len(change.withdrawn) + len(change.posted),
        finished_at=at if state.finished_at is not None else None,
    )
    store.save_index(connection, after)
    fault.point("search.before_commit")
    return after


def record_of(file: StoredFile) -> Record:
    """The record of a stored file."""
    slots = read_vocabulary(file.slots) if file.slots else None
    return Record(file.content, read_vocabulary(file.vocabulary), slots)


def _forget_vectors(connection: Connection, index: int, change: _Change) -> None:
    """What a chunk means is not known any more once it says something else."""
    kept = vectors(connection, index)
    if kept.model() is not None:
        kept.forget({posting.chunk for posting in (*change.withdrawn, *change.posted)})


def _by_chunk(posting: Posting) -> int:
    return posting.chunk


class _Change:
    """What a batch does to the postings and to the sums over all chunks."""

    def __init__(self) -> None:
        self.withdrawn: list[Posting] = []
        self.posted: list[Posting] = []
        self.chunks = 0
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
        self.chunks += sign * record.size
        self.lengths += sign * record.lengths.sum(axis=0)


def _old_records(connection: Connection, index: int, batch: Batch) -> dict[int, Record]:
    numbers = {*batch.removed, *(file.number for file in batch.fresh)}
    return {file.number: record_of(file) for file in store.stored_files(connection, index, numbers) if file.content}


def _place(file: FreshFile, old: Record | None, vocabulary: Vocabulary, change: _Change) -> FileRow:
    """Give the file's chunks their numbers; those that the old record has too keep theirs, and are not written."""
    if not file.content:
        if old is not None:
            change.forget(file.number, old)
        return FileRow(file, b"", b"")
    numbers = np.fromiter((vocabulary.numbers[word] for word in file.vocabulary), np.int64, len(file.vocabulary))
    record = Record(file.content, numbers)
    change.sum_up(record, 1)
    if old is None:
        for at in range(record.size):
            change.post(file.number, record, at)
        return FileRow(file, write_numbers(numbers), b"")
    change.sum_up(old, -1)
    _slots(file.number, old, record, change)
    plain = bool((record.slots == np.arange(record.size)).all())
    return FileRow(file, write_numbers(numbers), b"" if plain else write_numbers(record.slots))


def _slots(file: int, old: Record, record: Record, change: _Change) -> None:
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
            change.withdraw(file, old, at)
    record.slots = slots
    for at, before in enumerate(same):
        if before is None:
            change.post(file, record, at)


def _posting(file: int, record: Record, at: int) -> Posting:
    words, codes = record.postings(at)
    chunk = int(chunk_numbers(file, record.slots[at]))
    return Posting(chunk, words.tolist(), words[codes & DEFINES > 0].tolist())


def _word(word: str, number: int) -> Word:
    common = stem(word)
    return Word(common, "" if common == word else word, number)
