"""The front of vectors: those of one index inside a transaction, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, text

from rubber_duck.storage.embeddings import Model, Near, Vector, Vectors

__all__ = ["Model", "Near", "Vector", "Vectors", "vectors"]


def vectors(connection: Connection, index: int) -> Vectors:
    """The vectors of one index on the database of `connection`."""
    if connection.dialect.name == "postgresql":
        extension = text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
        if connection.execute(extension).first() is not None:
            from rubber_duck.storage.vectors_pgvector import PgVectors  # noqa: PLC0415  # only the twin in use is loaded

            return PgVectors(connection, index)
    from rubber_duck.storage.vectors_blobs import BlobVectors  # noqa: PLC0415  # as above

    return BlobVectors(connection, index)
