"""What is known of an index and of its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rubber_duck.workspace.scan import ScannedFile

LAST: Final = 1 << 26
"""Files that are looked at last, tests and generated ones, have numbers from here on; `chunk.MAX_CHUNKS` to each."""

_RACY_NS: Final = 100_000_000
"""A file changed this shortly before it was seen may change again within the clock's tick: it is read again."""

_INODE_BITS: Final = (1 << 63) - 1  # file systems use 64, databases have 63


@dataclass(frozen=True, slots=True)
class IndexState:
    """One project's index.

    `generation` counts its transactions. `lengths` are the sums of the five fields over its `chunks` (`fields.Counts`).
    `changed_chunks` came or went since associations were learnt. `left_out` counts what was not indexed, by reason.
    `finished_at` is None while a first build has not ended.
    """

    number: int
    format: int
    generation: int
    next_word: int
    next_file: int
    chunks: int
    lengths: tuple[int, ...]
    changed_chunks: int
    has_associations: bool
    left_out: dict[str, int]
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an embeddings model has said of an index: its name, how many chunks have its vectors.

    `model` is empty when none was ever asked. `problem` says why it did not answer last time; empty when it did.
    """

    model: str = ""
    chunks: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file as it was seen at `seen_ns` (since 1970): if nothing of this changed, neither did its content."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    seen_ns: int

    @classmethod
    def of(cls, file: ScannedFile, seen_ns: int) -> Sighting:
        """`seen_ns` is when the scan began."""
        return cls(file.size_bytes, file.mtime_ns, file.ctime_ns, file.inode & _INODE_BITS, seen_ns)

    def still_holds(self, file: ScannedFile) -> bool:
        """Whether `file` is certainly what was seen."""
        seen = Sighting.of(file, self.seen_ns)
        return seen == self and self.ctime_ns < self.seen_ns - _RACY_NS


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of the index. `problem` says why it is not found, or not as it should be; `""` if all is well.

    `is_found` is false when nothing of it can be found because of the problem.
    """

    number: int
    path: str
    language: str
    content_hash: str
    sighting: Sighting
    problem: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the index with what `record.Record` is made of."""

    number: int
    path: str
    language: str
    content_hash: str
    vocabulary: bytes
    slots: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class FreshFile:
    """A file that was read, to be kept in place of the one of its path. `vocabulary` are its words, in their order."""

    number: int
    path: str
    language: str
    content_hash: str
    sighting: Sighting
    problem: str
    vocabulary: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class FileRow:
    """A fresh file with the numbers of its words and the places of its chunks, as they are kept (`record`)."""

    file: FreshFile
    vocabulary: bytes
    slots: bytes
