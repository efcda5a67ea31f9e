"""The front of search: indexes projects, and finds in them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from rubber_duck import telemetry
from rubber_duck.code.code import detect
from rubber_duck.code.workers import Workers
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.search import store
from rubber_duck.search.draft import FORMAT
from rubber_duck.search.finding import NOT_INDEXED, Finding, Options, Sources
from rubber_duck.search.hits import Found, Hit, Line, Reason, ReasonKind
from rubber_duck.search.index import Embedded, IndexState, KnownFile
from rubber_duck.search.indexer import Indexer, OnProgress, Updated
from rubber_duck.search.meaning import Embedder
from rubber_duck.search.plan import unindexed
from rubber_duck.search.query import Query, parse
from rubber_duck.search.question import query_of
from rubber_duck.search.shelf import Shelf
from rubber_duck.search.worker import TASK
from rubber_duck.settings import IndexSettings, Settings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import scan

__all__ = [
    "Embedded",
    "Embedder",
    "Found",
    "Hit",
    "IndexStatus",
    "Line",
    "Options",
    "Reason",
    "ReasonKind",
    "Search",
    "Updated",
    "open_search",
]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What is indexed of a project. `files` are those that can be found, `failed` those with a problem, by path.

    `left_out` counts what was not indexed, by reason. Sizes are of the sources. `updated_at` is None while a first
    build has not ended. `embedded` is about the embeddings model that is configured, or else the one that was.
    """

    files: int
    chunks: int
    words: int
    size_bytes: int
    by_language: dict[str, int]
    failed: tuple[KnownFile, ...]
    left_out: dict[str, int]
    created_at: datetime
    updated_at: datetime | None
    embedded: Embedded


Told = Callable[[UUID, Mapping[str, int]], Awaitable[None]]
"""Hears that something was done in a project, in numbers."""


async def _ignore(project: UUID, numbers: Mapping[str, int]) -> None:
    """Nobody follows."""


class Search:
    """Indexes of projects. What queries read is kept in memory, within limits, for the next ones."""

    def __init__(
        self,
        database: Database,
        indexer: Indexer,
        *,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`embedder` is the one of the indexer; `clock` gives seconds from any point."""
        self._told: Told = _ignore
        self._database = database
        self._indexer = indexer
        self._sources = Sources(database, self._shelf, clock, embedder)
        self._shelves: dict[tuple[UUID, int, datetime], Shelf] = {}

    def follow(self, told: Told) -> None:
        """Let `told` hear of each update that changed something: numbers of files."""
        self._told = told

    async def update(
        self, scope: Scope, root: Root, settings: Settings, on_progress: OnProgress, *, only: Collection[str] = ()
    ) -> Updated:
        """Make the index of the scope's project, which lies at `root`, equal to its files.

        `only` are relative paths, for who knows that nothing else has changed.
        """
        done = await self._indexer.update(scope, root, settings, on_progress, only=only)
        numbers = {"added": done.added, "changed": done.changed, "removed": done.removed}
        if scope.project is not None and any(numbers.values()):
            await self._told(scope.project, numbers)
        return done

    async def find(self, scope: Scope, root: Root, query: str, options: Options) -> Found:
        """What the query finds in the scope's project, as it was indexed last.

        Raises InvalidInput or LimitExceeded for the query, NotFound when the project was never indexed.
        """
        scope.require(Right.FILE_READ)
        return await self._found(scope, root, parse(query), options)

    async def find_words(self, scope: Scope, root: Root, question: str, options: Options) -> Found:
        """What the words of a question or a task find, of whatever length, in the scope's project.

        No sign in it means anything. Raises NotFound when the project was never indexed.
        """
        scope.require(Right.FILE_READ)
        query = query_of(question)
        return await self._found(scope, root, query, options) if query.words else Found((), ())

    async def _found(self, scope: Scope, root: Root, query: Query, options: Options) -> Found:
        with telemetry.span("search.query"):
            return await Finding(self._sources, scope, root).run(query, options)

    async def status(self, scope: Scope) -> IndexStatus:
        """What is indexed of the scope's project; raises NotFound when it never was."""
        embedder = self._sources.embedder
        model = "" if embedder is None else embedder.model
        return await self._database.run(partial(_status, scope=scope, model=model), write=False)

    async def left_out(self, root: Root, settings: IndexSettings) -> tuple[tuple[str, str, str], ...]:
        """Path, reason and detail of each file and folder below `root` that would not be indexed now, by path."""
        return await asyncio.to_thread(_left_out, root, settings)

    async def paths(self, scope: Scope) -> dict[str, str]:
        """The files of the scope's project that can be found: path → language. Raises NotFound when never indexed."""
        return await self._database.run(partial(_paths, scope=scope), write=False)

    def _shelf(self, scope: Scope, state: IndexState) -> Shelf:
        """What was read of that index; a number may be given to another project's index later."""
        assert scope.project is not None
        key = (scope.project, state.number, state.created_at)
        if key not in self._shelves and len(self._shelves) >= MOST_SHELVES:
            self._shelves.pop(next(iter(self._shelves)))
        return self._shelves.setdefault(key, Shelf())


MOST_SHELVES: Final = 8
"""Indexes of which something is kept in memory."""


@asynccontextmanager
async def open_search(
    database: Database,
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    timer: Callable[[], float] = time.monotonic,
    embedder: Embedder | None = None,
) -> AsyncIterator[Search]:
    """Search over `database`, with worker processes that start when first needed.

    `clock` gives aware moments, `timer` seconds from any point. With an `embedder` chunks are also found by what they
    mean.
    """
    workers = Workers(settings.workers.count, TASK, memory_bytes=settings.workers.memory_bytes)
    try:
        indexer = Indexer(database, workers, clock=clock, embedder=embedder)
        yield Search(database, indexer, embedder=embedder, clock=timer)
    finally:
        await workers.close()


def _left_out(root: Root, settings: IndexSettings) -> tuple[tuple[str, str, str], ...]:
    listed = scan(root, settings, detect)
    found = [(each.path, str(each.reason), each.detail) for each in listed.left_out]
    found += [(file.path, why, "") for file in listed.files if (why := unindexed(file, with_text=settings.text))]
    return tuple(sorted(found))


def _paths(connection: Connection, scope: Scope) -> dict[str, str]:
    state = store.find_index(connection, scope)
    if state is None or state.format != FORMAT:
        raise NotFound(NOT_INDEXED)
    return {file.path: file.language for file in store.known_files(connection, state.number) if file.is_found}


def _status(connection: Connection, scope: Scope, model: str) -> IndexStatus:
    state = store.find_index(connection, scope)
    if state is None or state.format != FORMAT:
        raise NotFound(NOT_INDEXED)
    files = store.known_files(connection, state.number)
    found = [file for file in files if file.is_found]
    embedded = store.embedded(connection, state.number)
    if model and embedded.model != model:
        embedded = Embedded(model, 0, embedded.problem)
    by_language: dict[str, int] = {}
    for file in found:
        by_language[file.language] = by_language.get(file.language, 0) + 1
    return IndexStatus(
        files=len(found),
        chunks=state.chunks,
        words=state.next_word - 1,
        size_bytes=sum(file.sighting.size_bytes for file in found),
        by_language=dict(sorted(by_language.items(), key=lambda pair: (-pair[1], pair[0]))),
        failed=tuple(file for file in files if file.problem),
        left_out=state.left_out,
        created_at=state.created_at,
        updated_at=state.finished_at,
        embedded=embedded,
    )
