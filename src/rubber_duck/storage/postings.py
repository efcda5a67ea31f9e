"""What both twins of full text are: the words of an index, and which chunks hold them.

Only sets are kept here: chunks by word, words by substring, and how many chunks a word is in. What matters more is for
`search` to say, so that both databases give the same answers. An index has tables of its own, and goes with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Column, Connection, ForeignKey, Integer, Table

from rubber_duck.storage.columns import CODE_POINT_TEXT
from rubber_duck.storage.metadata import metadata

search_words: Final = Table(
    "search_words",
    metadata,
    Column("index_number", Integer, ForeignKey("search_indexes.number", ondelete="CASCADE"), primary_key=True),
    Column("stem", CODE_POINT_TEXT, primary_key=True),
    Column("word", CODE_POINT_TEXT, primary_key=True),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The vocabulary of every index. `word` is empty where it is its own stem."""


class Word(NamedTuple):
    """A word of an index: its stem, itself (`""` when that is the stem), its number."""

    stem: str
    word: str
    number: int

    @property
    def text(self) -> str:
        """The word as it is written, in lower case."""
        return self.word or self.stem


@dataclass(frozen=True, slots=True)
class Posting:
    """One chunk, the numbers of the words it holds, and of those among them that it declares; each once."""

    chunk: int
    words: Sequence[int]
    declared: Sequence[int] = ()


SHORTEST: Final = 3
"""A shorter text than this is not looked for inside of words: there is no trigram of it."""


AT_ONCE: Final = 50
"""Words whose chunks are asked for in one query."""


class FullText(ABC):
    """One index inside a transaction. Use it within the `work` of `Database.run`, and nowhere else."""

    def __init__(self, connection: Connection, index: int) -> None:
        self._connection = connection
        self._index = index

    @abstractmethod
    def create(self) -> None:
        """Make the index's own tables, empty; whatever is left of an index of the same number goes."""

    @abstractmethod
    def drop(self) -> None:
        """Remove the index's own tables; nothing when it has none."""

    @abstractmethod
    def end_build(self, part: int) -> bool:
        """A first build is over, and from now on changes are small: let the database prepare for that, part by part.

        False when this one, from 0 on, was the last. Each is for a transaction of its own, so that nobody waits long.
        """

    @abstractmethod
    def words(self, stems: Collection[str]) -> list[Word]:
        """Every word that has one of these stems, in code point order."""

    @abstractmethod
    def fitting(self, glob: str, beginning: str) -> Sequence[int]:
        """The numbers of the words that fit and whose stem begins so, ascending.

        In `glob`, which is in lower case, `*` is any text and `?` one character. `beginning` may be empty; the longer
        it is, the fewer words are looked at.
        """

    @abstractmethod
    def all_words(self) -> list[Word]:
        """The whole vocabulary, in code point order."""

    @abstractmethod
    def add_words(self, words: Sequence[Word]) -> None:
        """Add words that the index does not have."""

    @abstractmethod
    def post(self, postings: Iterable[Posting]) -> None:
        """Let chunks, which hold nothing yet, hold words. Ascending by chunk it is fastest, and takes least room."""

    @abstractmethod
    def withdraw(self, postings: Iterable[Posting]) -> None:
        """Undo `post`; the postings must be what was posted, word for word, or some would stay for ever.

        Ascending by chunk, as in `post`.
        """

    @abstractmethod
    def holding(self, number: int, first: int, last: int) -> Sequence[int]:
        """The chunks in [first, last) that hold the word of this number, ascending."""

    @abstractmethod
    def holding_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """The chunks in [first, last) that hold one of the words of these numbers, ascending."""

    @abstractmethod
    def count(self, number: int, first: int, last: int) -> int:
        """How many chunks `holding` would give; several times as fast."""

    @abstractmethod
    def declaring(self, number: int, first: int, last: int) -> Sequence[int]:
        """The chunks in [first, last) that declare the word of this number, ascending."""

    @abstractmethod
    def declaring_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """The chunks in [first, last) that declare one of the words of these numbers, ascending."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables that every index has of its own; each ends in the number of its index."""

    @abstractmethod
    def containing(self, text: str, limit: int) -> Sequence[int]:
        """The numbers of words that have every trigram of `text` (lower case, SHORTEST characters or more); ascending.

        All words that contain `text` are among them, unless there are more than `limit`.
        """
