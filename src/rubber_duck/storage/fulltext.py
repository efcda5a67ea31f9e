"""The front of full text: an index inside a transaction, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection

from rubber_duck.storage.postings import SHORTEST, FullText, Posting, Word, search_words

__all__ = ["SHORTEST", "FullText", "Posting", "Word", "full_text", "numbers_with_tables", "search_words"]


def full_text(connection: Connection, index: int) -> FullText:
    """The full text of one index on the database of `connection`."""
    if connection.dialect.name == "sqlite":
        from rubber_duck.storage.fulltext_sqlite import SqliteFullText  # noqa: PLC0415  # only the twin in use is loaded

        return SqliteFullText(connection, index)
    from rubber_duck.storage.fulltext_postgres import PostgresFullText  # noqa: PLC0415  # as above

    return PostgresFullText(connection, index)


def numbers_with_tables(connection: Connection) -> list[int]:
    """The numbers of all indexes that have tables of their own, also of those whose projects were purged."""
    return sorted(int(name.rpartition("_")[2]) for name in full_text(connection, 0).tables())
