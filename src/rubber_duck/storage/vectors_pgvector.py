"""Vectors in PostgreSQL with the extension pgvector, which compares them where they are."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from rubber_duck.storage.embeddings import DIGITS, Model, Near, Vector, Vectors, in_order


class PgVectors(Vectors):
    """See the module. Every vector is looked at: an approximate index would make the answers depend on its building."""

    def model(self) -> Model | None:
        """As Vectors'; None also for vectors that were kept as bytes before the extension was there."""
        found = super().model()
        if found is None:
            return None
        kept_as = "SELECT atttypid = 'vector'::regtype FROM pg_attribute WHERE attrelid = to_regclass(:of)"
        return found if self._run(f"{kept_as} AND attname = 'vector'", of=self._vectors)[0][0] else None

    def put(self, vectors: Mapping[int, Vector]) -> None:
        """As Vectors'."""
        rows = [{"chunk": chunk, "vector": _written(vector)} for chunk, vector in vectors.items()]
        if rows:
            statement = text(f"INSERT INTO {self._vectors} VALUES (:chunk, CAST(:vector AS vector))")
            self._connection.execute(statement, rows)

    def nearest(self, vector: Vector, limit: int, first: int, last: int) -> list[Near]:
        """As Vectors'."""
        rows = self._run(
            f"SELECT chunk, -(vector <#> CAST(:asked AS vector)) AS cosine FROM {self._vectors} "
            "WHERE chunk >= :first AND chunk < :last ORDER BY cosine DESC, chunk LIMIT :most",
            asked=_written(vector), first=first, last=last, most=limit,
        )  # fmt: skip
        return in_order((Near(chunk, round(float(cosine), DIGITS)) for chunk, cosine in rows), limit)

    def _create(self, size: int) -> None:
        self._run(f"CREATE TABLE {self._vectors} (chunk BIGINT PRIMARY KEY, vector vector({size}) NOT NULL)")


def _written(vector: Vector) -> str:
    return "[" + ",".join(map(repr, vector.tolist())) + "]"
