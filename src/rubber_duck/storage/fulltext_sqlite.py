"""Full text on SQLite: FTS5 tables that hold numbers and nothing else, two for each index.

`search_postings_<n>` has a row for each chunk: its words as hexadecimal numbers, and those it declares once more behind
an `x`. It is contentless and keeps neither positions nor sizes (sqlite.org/fts5.html, sections 4.4 and 4.6), a seventh
of the size of a usual one; a row is removed by naming exactly what it holds. `search_trigrams_<n>` has a row for each
word. Statements go to the driver itself: SQLAlchemy would take longer than SQLite does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, cast

from rubber_duck.storage.postings import AT_ONCE, SHORTEST, FullText, Posting, Word

_BUILD_BYTES: Final = 16 << 20
_USUAL_BYTES: Final = 1 << 20
_MOST_PAGES: Final = 20_000
_PACKED_AT_ONCE: Final = 20_000
_WORDS: Final = "SELECT stem, word, number FROM search_words WHERE index_number = ?"


class SqliteFullText(FullText):
    """See the module."""

    def create(self) -> None:
        """As FullText's."""
        self.drop()
        options = "content='', columnsize=0, detail=none"
        self._run(f"CREATE VIRTUAL TABLE {self._postings} USING fts5(words, {options}, tokenize=ascii)")
        self._run(f"CREATE VIRTUAL TABLE {self._trigrams} USING fts5(word, {options}, tokenize=trigram)")
        for table in (self._postings, self._trigrams):
            self._configure(table, hashsize=_BUILD_BYTES)

    def drop(self) -> None:
        """As FullText's."""
        self._run(f"DROP TABLE IF EXISTS {self._postings}")
        self._run(f"DROP TABLE IF EXISTS {self._trigrams}")

    def end_build(self, part: int) -> bool:
        """Pack both tables, then the words, and give the pages that became free to the file system. See FullText."""
        tables = (self._postings, self._trigrams)
        if part < len(tables):
            self._configure(tables[part], hashsize=_USUAL_BYTES)
            self._run(f"INSERT INTO {tables[part]} ({tables[part]}) VALUES ('optimize')")
            return True
        if self._packed((part - len(tables)) * _PACKED_AT_ONCE):
            return True
        for _ in range(min(_MOST_PAGES, self._run("PRAGMA freelist_count")[0][0])):
            self._run("PRAGMA incremental_vacuum(1)")  # the driver takes a single step, which frees one page
        return False

    def words(self, stems: Collection[str]) -> list[Word]:
        """As FullText's."""
        asked = json.dumps(list(stems), ensure_ascii=False)
        found = self._run(
            f"{_WORDS} AND stem IN (SELECT value FROM json_each(?)) ORDER BY stem, word", self._index, asked
        )
        return [Word(*row) for row in found]

    def fitting(self, glob: str, beginning: str) -> Sequence[int]:
        """As FullText's."""
        found = self._run(
            "SELECT number FROM search_words WHERE index_number = ? AND stem >= ? AND stem < ? AND "
            "CASE word WHEN '' THEN stem ELSE word END GLOB ? ORDER BY number",
            self._index, beginning, beginning + "\U0010ffff", glob.replace("[", "[[]"),
        )  # fmt: skip
        return [number for (number,) in found]

    def all_words(self) -> list[Word]:
        """As FullText's."""
        return [Word(*row) for row in self._run(f"{_WORDS} ORDER BY stem, word", self._index)]

    def add_words(self, words: Sequence[Word]) -> None:
        """As FullText's."""
        self._insert_words(words)
        self._driver.executemany(
            f"INSERT INTO {self._trigrams} (rowid, word) VALUES (?, ?)",
            [(word.number, word.text) for word in words if len(word.text) >= SHORTEST],
        )

    def post(self, postings: Iterable[Posting]) -> None:
        """As FullText's."""
        self._driver.executemany(
            f"INSERT INTO {self._postings} (rowid, words) VALUES (?, ?)",
            [(posting.chunk, _written(posting)) for posting in postings],
        )

    def withdraw(self, postings: Iterable[Posting]) -> None:
        """As FullText's."""
        self._driver.executemany(
            f"INSERT INTO {self._postings} ({self._postings}, rowid, words) VALUES ('delete', ?, ?)",
            [(posting.chunk, _written(posting)) for posting in postings],
        )

    def holding(self, number: int, first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._chunks(f'"{number:x}"', first, last)

    def holding_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._any([f'"{number:x}"' for number in numbers], first, last)

    def count(self, number: int, first: int, last: int) -> int:
        """As FullText's."""
        counted = f"SELECT count(*) FROM {self._postings} WHERE {self._postings} MATCH ? AND rowid >= ? AND rowid < ?"
        return int(self._run(counted, f'"{number:x}"', first, last)[0][0])

    def declaring(self, number: int, first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._chunks(f'"x{number:x}"', first, last)

    def declaring_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._any([f'"x{number:x}"' for number in numbers], first, last)

    def tables(self) -> list[str]:
        """As FullText's."""
        found = self._run("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'search_postings_[0-9]*'")
        return [name for (name,) in found if name.rpartition("_")[2].isdigit()]

    def containing(self, text: str, limit: int) -> Sequence[int]:
        """As FullText's."""
        asked = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}
        trigrams = " AND ".join(f'"{each}"' for each in sorted(asked))
        found = self._run(f"SELECT rowid FROM {self._trigrams} WHERE {self._trigrams} MATCH ? LIMIT ?", trigrams, limit)
        if len(found) == limit:  # trigrams may stand elsewhere in a word, and here it matters how many words there are
            return self.fitting(f"*{text}*", "")[:limit]
        return [number for (number,) in found]

    @property
    def _postings(self) -> str:
        return f"search_postings_{self._index}"

    @property
    def _trigrams(self) -> str:
        return f"search_trigrams_{self._index}"

    @property
    def _driver(self) -> sqlite3.Connection:
        return cast(sqlite3.Connection, self._connection.connection.driver_connection)

    def _insert_words(self, words: Sequence[Word]) -> None:
        self._driver.executemany(
            "INSERT INTO search_words (index_number, stem, word, number) VALUES (?, ?, ?, ?)",
            [(self._index, *word) for word in words],
        )

    def _packed(self, first: int) -> bool:
        """Write some words anew, in their order, which takes less room; False when there are not so many."""
        ordered = f"{_WORDS} ORDER BY stem, word LIMIT ? OFFSET ?"
        words = [Word(*row) for row in self._run(ordered, self._index, _PACKED_AT_ONCE, first)]
        if words:
            span = (*words[0][:2], *words[-1][:2])
            own = "DELETE FROM search_words WHERE index_number = ?"
            self._run(f"{own} AND (stem, word) >= (?, ?) AND (stem, word) <= (?, ?)", self._index, *span)
            self._insert_words(words)
        return bool(words)

    def _configure(self, table: str, **settings: int) -> None:
        """Options of a table (sqlite.org/fts5.html, section 6), which it keeps."""
        for name, value in settings.items():
            self._run(f"INSERT INTO {table} ({table}, rank) VALUES (?, ?)", name, value)

    def _chunks(self, term: str, first: int, last: int) -> Sequence[int]:
        found = self._run(
            f"SELECT rowid FROM {self._postings} WHERE {self._postings} MATCH ? AND rowid >= ? AND rowid < ?",
            term,
            first,
            last,
        )
        return [chunk for (chunk,) in found]

    def _any(self, terms: Sequence[str], first: int, last: int) -> Sequence[int]:
        found: set[int] = set()
        for start in range(0, len(terms), AT_ONCE):
            found.update(self._chunks(" OR ".join(terms[start : start + AT_ONCE]), first, last))
        return sorted(found)

    def _run(self, statement: str, *parameters: object) -> list[Any]:  # Any: rows of any shape
        return self._driver.execute(statement, parameters).fetchall()


def _written(posting: Posting) -> str:
    return " ".join([f"{number:x}" for number in posting.words] + [f"x{number:x}" for number in posting.declared])
