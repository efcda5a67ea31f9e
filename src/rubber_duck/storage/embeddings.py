"""What both twins of vectors are: for chunks of an index, what an embeddings model made of them, and which are near."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, text

Vector = NDArray[np.float32]
"""A vector of norm 1, all of one index of one length."""

DIGITS: Final = 5
"""Nearness is rounded to so many decimals: beyond them databases add up differently."""


@dataclass(frozen=True, slots=True)
class Model:
    """What made the vectors of an index: its name, and how long they are."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Near:
    """A chunk and its nearness to what was asked: the cosine, from -1 to 1."""

    chunk: int
    cosine: float


class Vectors(ABC):
    """The vectors of one index inside a transaction. Use it within the `work` of `Database.run`, and nowhere else."""

    def __init__(self, connection: Connection, index: int) -> None:
        self._connection = connection
        self._index = index

    def create(self, model: Model) -> None:
        """Make room for the vectors of `model`; those of another one go."""
        self.drop()
        self._create(model.size)
        self._run(f"CREATE TABLE {self._models} (name TEXT NOT NULL, size INTEGER NOT NULL)")
        self._run(f"INSERT INTO {self._models} VALUES (:name, :size)", name=model.name, size=model.size)

    def drop(self) -> None:
        """Remove all vectors; nothing when there are none."""
        self._run(f"DROP TABLE IF EXISTS {self._vectors}")
        self._run(f"DROP TABLE IF EXISTS {self._models}")

    def model(self) -> Model | None:
        """What made the vectors; None while nobody has made room for any."""
        if not self._connection.dialect.has_table(self._connection, self._models):
            return None
        name, size = self._run(f"SELECT name, size FROM {self._models}")[0]
        return Model(name, size)

    @abstractmethod
    def put(self, vectors: Mapping[int, Vector]) -> None:
        """Keep vectors of chunks that have none."""

    def forget(self, chunks: Iterable[int]) -> None:
        """Forget the vectors of these chunks, which may have none."""
        rows = [{"chunk": chunk} for chunk in chunks]
        if rows:
            self._connection.execute(text(f"DELETE FROM {self._vectors} WHERE chunk = :chunk"), rows)

    def chunks(self) -> list[int]:
        """The chunks that have a vector, ascending."""
        return [chunk for (chunk,) in self._run(f"SELECT chunk FROM {self._vectors} ORDER BY chunk")]

    def count(self) -> int:
        """How many chunks have a vector."""
        return int(self._run(f"SELECT count(*) FROM {self._vectors}")[0][0])

    @abstractmethod
    def nearest(self, vector: Vector, limit: int, first: int, last: int) -> list[Near]:
        """The chunks in [first, last) whose vectors are nearest to `vector`, the nearest first; of equals by number."""

    @abstractmethod
    def _create(self, size: int) -> None: ...

    @property
    def _vectors(self) -> str:
        return f"search_vectors_{self._index}"

    @property
    def _models(self) -> str:
        return f"search_models_{self._index}"

    def _run(self, statement: str, **parameters: object) -> Sequence[Row[Any]]:  # Any: rows of any shape
        result = self._connection.execute(text(statement), parameters)
        return result.fetchall() if result.returns_rows else []


def in_order(found: Iterable[Near], limit: int) -> list[Near]:
    """The nearest of them first, of equals by number."""
    return sorted(found, key=lambda near: (-near.cosine, near.chunk))[:limit]
