"""Vectors as bytes in a table, compared here: on SQLite, and on a PostgreSQL that has no pgvector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from sqlalchemy import text

from rubber_duck.storage.embeddings import DIGITS, Near, Vector, Vectors, in_order

_AT_ONCE: Final = 4_096


class BlobVectors(Vectors):
    """Each vector is 32-bit numbers, little-endian; a question reads all of them, a few thousand at once."""

    def put(self, vectors: Mapping[int, Vector]) -> None:
        """As Vectors'."""
        rows = [{"chunk": chunk, "vector": vector.astype("<f4").tobytes()} for chunk, vector in vectors.items()]
        if rows:
            self._connection.execute(text(f"INSERT INTO {self._vectors} VALUES (:chunk, :vector)"), rows)

    def nearest(self, vector: Vector, limit: int, first: int, last: int) -> list[Near]:
        """As Vectors'."""
        found: list[Near] = []
        statement = f"SELECT chunk, vector FROM {self._vectors} WHERE chunk >= :first AND chunk < :last ORDER BY chunk"
        result = self._connection.execute(text(statement), {"first": first, "last": last})
        while rows := result.fetchmany(_AT_ONCE):
            matrix = np.frombuffer(b"".join(bytes(row[1]) for row in rows), "<f4").reshape(len(rows), -1)
            cosines = np.round((matrix @ vector).astype(np.float64), DIGITS)
            best = np.argsort(-cosines, kind="stable")[:limit]
            found = in_order([*found, *(Near(rows[at][0], float(cosines[at])) for at in best.tolist())], limit)
        return found

    def _create(self, size: int) -> None:
        del size
        number, content = ("INTEGER", "BLOB") if self._connection.dialect.name == "sqlite" else ("BIGINT", "BYTEA")
        self._run(f"CREATE TABLE {self._vectors} (chunk {number} PRIMARY KEY, vector {content} NOT NULL)")
