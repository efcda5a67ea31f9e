"""What chunks mean, as vectors from an embeddings model that somebody has configured; without one, nothing is done.

Search works without: vectors only add chunks that say the same in other words. A model that does not answer costs these
and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from rubber_duck import telemetry
from rubber_duck.errors import DuckError, InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.search import store
from rubber_duck.search.chunk import Chunk
from rubber_duck.search.index import LAST, Embedded, IndexState, StoredFile
from rubber_duck.search.reading import Texts
from rubber_duck.search.record import chunk_numbers
from rubber_duck.search.shelf import Loaded
from rubber_duck.search.writing import record_of
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.vectors import Model, Vector, vectors

Embed = Callable[[Scope, Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""One vector for each text, in their order, all of one length; charged to the scope. Raises a DuckError."""

MAX_CHARACTERS: Final = 4_000
"""Of a chunk that are given to the model."""

OnProgress = Callable[[int, int, str], None]

_FILES_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Embedder:
    """The model's name, how to ask it, and how many texts it is given at once.

    Vectors of models of different names are never compared.
    """

    model: str
    embed: Embed
    at_once: int = 64


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks the model."""

    scope: Scope
    embedder: Embedder

    async def of(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The vectors of texts."""
        return await self.embedder.embed(self.scope, texts)


async def embed_chunks(database: Database, ask: Ask, state: IndexState, texts: Texts, on_progress: OnProgress) -> None:
    """Give every chunk of the index that has none a vector; what was answered is kept, whatever happens after it.

    Why the model did not answer is kept too, until it does. For whoever holds the index's lock.
    """
    embedder, index = ask.embedder, state.number
    known, pending = await database.run(partial(_pending, state=state, model=embedder.model), write=False)
    problem = ""
    total, done = sum(map(len, pending.values())), 0
    waiting: list[tuple[int, str]] = []
    numbers = sorted(pending)
    try:
        for start in range(0, len(numbers), _FILES_AT_ONCE):
            group = numbers[start : start + _FILES_AT_ONCE]
            files = await database.run(partial(store.stored_files, index=index, numbers=group), write=False)
            waiting += await asyncio.to_thread(_all_said, files, texts, pending)
            is_end = start + _FILES_AT_ONCE >= len(numbers)
            while len(waiting) >= embedder.at_once or (waiting and is_end):
                on_progress(done, total, "asking what the code means")
                batch, waiting = waiting[: embedder.at_once], waiting[embedder.at_once :]
                await _keep(database, ask, index, batch)
                done += len(batch)
    except DuckError as error:
        problem = error.message
        telemetry.emit("search.embedding_stopped", done=done, pending=total, error=problem)
    if problem != known.problem:
        await database.run(partial(store.note_embedding, index=index, problem=problem))


async def meaning_of(ask: Ask, query: str) -> Vector:
    """What a query means. Raises a DuckError when the model does not say."""
    try:
        return _checked(await ask.of([query]), 1)[0]
    except DuckError as error:
        telemetry.emit("search.embedding_stopped", done=0, pending=1, error=error.message)
        raise


def _pending(connection: Connection, state: IndexState, model: str) -> tuple[Embedded, dict[int, list[int]]]:
    """What there is, and file → the numbers of its chunks that have no vector of the model."""
    known = store.embedded(connection, state.number)
    is_same = known.model == model
    if is_same and known.chunks == state.chunks:
        return known, {}
    kept = vectors(connection, state.number)
    done = set(kept.chunks()) if is_same else set[int]()
    pending: dict[int, list[int]] = {}
    for file in store.all_files(connection, state.number, before=2 * LAST):
        if file.content:
            missing = [
                chunk for chunk in chunk_numbers(file.number, record_of(file).slots).tolist() if chunk not in done
            ]
            if missing:
                pending[file.number] = missing
    return known, pending


def _all_said(files: Sequence[StoredFile], texts: Texts, pending: Mapping[int, Sequence[int]]) -> list[tuple[int, str]]:
    return [piece for file in files for piece in _said(file, texts, pending)]


def _said(file: StoredFile, texts: Texts, pending: Mapping[int, Sequence[int]]) -> list[tuple[int, str]]:
    """The file's pending chunks and what a model is told of each; none of a file that has changed since."""
    loaded = Loaded(file)
    text = texts.of(loaded)
    if text is None or not text.is_current:
        return []
    wanted = set(pending[file.number])
    numbers = chunk_numbers(file.number, loaded.record.slots).tolist()
    return [
        (number, f"{file.path} {chunk.qualified_name}\n{_excerpt(text.content, chunk)}")
        for number, chunk in zip(numbers, loaded.record.chunks(), strict=True)
        if number in wanted
    ]


def _excerpt(content: bytes, chunk: Chunk) -> str:
    return content[chunk.start_byte : chunk.end_byte].decode("utf-8", "replace")[:MAX_CHARACTERS]


async def _keep(database: Database, ask: Ask, index: int, batch: Sequence[tuple[int, str]]) -> None:
    found = _checked(await ask.of([text for _, text in batch]), len(batch))
    kept = dict(zip((number for number, _ in batch), found, strict=True))
    await database.run(partial(_put, index=index, model=Model(ask.embedder.model, len(found[0])), kept=kept))


def _put(connection: Connection, index: int, model: Model, kept: Mapping[int, Vector]) -> None:
    room = vectors(connection, index)
    if room.model() != model:
        room.create(model)
    room.put(kept)


def _checked(answered: Sequence[Sequence[float]], expected: int) -> list[Vector]:
    """The vectors with norm 1. Raises InvalidInput when they are not what was asked for."""
    sizes = {len(vector) for vector in answered}
    if len(answered) != expected or len(sizes) != 1 or 0 in sizes:
        raise InvalidInput(
            f"the embeddings model answered {len(answered)} vectors of lengths {sorted(sizes)} for {expected} texts"
        )
    found: list[Vector] = []
    for vector in np.array(answered, np.float32):
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(norm):
            raise InvalidInput("the embeddings model answered numbers that are not finite")
        found.append(vector / norm if norm else vector)
    return found
