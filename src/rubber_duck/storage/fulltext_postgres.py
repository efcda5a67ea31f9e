"""Full text on PostgreSQL: a `tsvector` of numbers for each chunk under a GIN index, one table for each index.

`search_postings_<n>` holds a chunk's words as hexadecimal numbers, and those it declares once more behind an `x`; as
lexemes that no dictionary has touched (postgresql.org, "array_to_tsvector"). Substrings of words are found by pg_trgm's
index over this index's part of the vocabulary where the server has that extension, and by looking at all words else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import CursorResult

from rubber_duck.storage.postings import AT_ONCE, FullText, Posting, Word

_ROWS: Final = 500
"""Rows that one statement writes: between two of them the event loop is free, and a cancel is heard."""

_READ: Final = 5_000
"""Rows that are fetched at once of very many, for the same reason."""

_WORDS = "SELECT stem, word, number FROM search_words WHERE index_number = :index"


class PostgresFullText(FullText):
    """See the module."""

    def create(self) -> None:
        """As FullText's."""
        self.drop()
        self._run(f"CREATE TABLE {self._postings} (chunk BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        self._run(f"CREATE INDEX ix_{self._postings}_words ON {self._postings} USING gin (words)")
        if self._run("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").first() is not None:
            self._run(
                f"CREATE INDEX ix_{self._trigrams} ON search_words "
                f"USING gin ((CASE word WHEN '' THEN stem ELSE word END) gin_trgm_ops) "
                f"WHERE index_number = {self._index}"
            )

    def drop(self) -> None:
        """As FullText's."""
        self._run(f"DROP TABLE IF EXISTS {self._postings}")
        self._run(f"DROP INDEX IF EXISTS ix_{self._trigrams}")

    def end_build(self, part: int) -> bool:
        """As FullText's."""
        tables = (self._postings, "search_words")
        self._run(f"ANALYZE {tables[part]}")
        return part + 1 < len(tables)

    def words(self, stems: Collection[str]) -> list[Word]:
        """As FullText's."""
        found = self._run(f"{_WORDS} AND stem = ANY(:stems) ORDER BY stem, word", index=self._index, stems=list(stems))
        return [Word(*row) for row in found]

    def fitting(self, glob: str, beginning: str) -> Sequence[int]:
        """As FullText's."""
        found = self._run(
            f"{self._alike} AND stem >= :first AND stem < :last ORDER BY number",
            pattern=_escaped(glob).replace("*", "%").replace("?", "_"),
            first=beginning,
            last=beginning + "\U0010ffff",
        )
        return list(found.scalars())

    def all_words(self) -> list[Word]:
        """As FullText's."""
        ordered = text(f"{_WORDS} ORDER BY stem, word").execution_options(yield_per=_READ)
        return [Word(*row) for row in self._connection.execute(ordered, {"index": self._index})]

    def add_words(self, words: Sequence[Word]) -> None:
        """As FullText's."""
        for start in range(0, len(words), _ROWS):
            stems, texts, numbers = zip(*words[start : start + _ROWS], strict=True)
            self._run(
                "INSERT INTO search_words (index_number, stem, word, number) SELECT :index, * "
                "FROM unnest(CAST(:stems AS TEXT[]), CAST(:texts AS TEXT[]), CAST(:numbers AS INTEGER[]))",
                index=self._index, stems=list(stems), texts=list(texts), numbers=list(numbers),
            )  # fmt: skip

    def post(self, postings: Iterable[Posting]) -> None:
        """As FullText's."""
        listed = iter(postings)
        while part := list(islice(listed, _ROWS)):
            self._run(
                f"INSERT INTO {self._postings} SELECT chunk, array_to_tsvector(string_to_array(words, ' ')) "
                "FROM unnest(CAST(:chunks AS BIGINT[]), CAST(:words AS TEXT[])) AS posted (chunk, words)",
                chunks=[posting.chunk for posting in part], words=[_written(posting) for posting in part],
            )  # fmt: skip

    def withdraw(self, postings: Iterable[Posting]) -> None:
        """As FullText's."""
        chunks = [posting.chunk for posting in postings]
        if chunks:
            self._run(f"DELETE FROM {self._postings} WHERE chunk = ANY(:chunks)", chunks=chunks)

    def holding(self, number: int, first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._chunks(f"'{number:x}'", first, last)

    def holding_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._any([f"'{number:x}'" for number in numbers], first, last)

    def count(self, number: int, first: int, last: int) -> int:
        """As FullText's."""
        found = self._run(
            f"SELECT count(*) FROM {self._postings} WHERE words @@ CAST(:term AS tsquery) "
            "AND chunk >= :first AND chunk < :last",
            term=f"'{number:x}'", first=first, last=last,
        )  # fmt: skip
        return int(found.scalar_one())

    def declaring(self, number: int, first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._chunks(f"'x{number:x}'", first, last)

    def declaring_any(self, numbers: Collection[int], first: int, last: int) -> Sequence[int]:
        """As FullText's."""
        return self._any([f"'x{number:x}'" for number in numbers], first, last)

    def tables(self) -> list[str]:
        """As FullText's."""
        found = self._run(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^search_postings_[0-9]+$' "
            "AND relnamespace = current_schema()::regnamespace"
        )
        return list(found.scalars())

    def containing(self, text: str, limit: int) -> Sequence[int]:
        """As FullText's."""
        pattern = f"%{_escaped(text)}%"
        return list(self._run(f"{self._alike} ORDER BY number LIMIT :most", pattern=pattern, most=limit).scalars())

    @property
    def _alike(self) -> str:
        """Words by a pattern; the index over a part of the table is only used where its number stands in the query."""
        return (
            f"SELECT number FROM search_words WHERE index_number = {self._index} "
            "AND (CASE word WHEN '' THEN stem ELSE word END) LIKE :pattern"
        )

    @property
    def _postings(self) -> str:
        return f"search_postings_{self._index}"

    @property
    def _trigrams(self) -> str:
        return f"search_trigrams_{self._index}"

    def _chunks(self, term: str, first: int, last: int) -> Sequence[int]:
        found = self._run(
            f"SELECT chunk FROM {self._postings} WHERE words @@ CAST(:term AS tsquery) "
            "AND chunk >= :first AND chunk < :last ORDER BY chunk",
            term=term, first=first, last=last,
        )  # fmt: skip
        return list(found.scalars())

    def _any(self, terms: Sequence[str], first: int, last: int) -> Sequence[int]:
        found: set[int] = set()
        for start in range(0, len(terms), AT_ONCE):
            found.update(self._chunks("|".join(terms[start : start + AT_ONCE]), first, last))
        return sorted(found)

    def _run(self, statement: str, **parameters: object) -> CursorResult[Any]:  # Any: rows of any shape
        return self._connection.execute(text(statement), parameters)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")


def _written(posting: Posting) -> str:
    return " ".join([f"{number:x}" for number in posting.words] + [f"x{number:x}" for number in posting.declared])
