"""Brings the index of a project up to date with its folder: only what has changed is read, cut and written."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Final, TypeVar

from rubber_duck import telemetry
from rubber_duck.code.language import detect
from rubber_duck.code.workers import Crashed, Workers
from rubber_duck.errors import Conflict, DuckError
from rubber_duck.scope import Scope
from rubber_duck.search import store
from rubber_duck.search.associations import learn, written
from rubber_duck.search.draft import FORMAT
from rubber_duck.search.index import LAST, FreshFile, IndexState, KnownFile, Sighting, StoredFile
from rubber_duck.search.kinds import is_test
from rubber_duck.search.meaning import Ask, Embedder, embed_chunks
from rubber_duck.search.plan import Pending, Plan, decides_on_files, has_grammar, plan
from rubber_duck.search.reading import Texts
from rubber_duck.search.worker import IndexedFile, IndexItem, index_item, item_encoder, result_decoder
from rubber_duck.search.writing import Batch, Vocabulary, change_of, read_kept, record_of, write_change
from rubber_duck.settings import Settings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.fulltext import Word, full_text
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import Scan, ScannedFile, examine, in_thread, scan

T = TypeVar("T")

OnProgress = Callable[[int, int, str], None]
"""Called with files done, files in all, and what is being done."""

BATCH_BYTES: Final = 4_000_000
BATCH_FILES: Final = 1_000
"""A transaction is written when this much source, or this many files, were read."""

FEW_BYTES: Final = 20_000
"""So little source is cut in a thread of this process; more goes to processes that can be killed."""


LEARN_ANEW: Final = 0.1
"""When this share of the chunks has changed, what goes together is learnt anew."""

NOTED_EVERY: Final = timedelta(minutes=1)
"""How often an update that changed nothing is noted."""

_TRIES: Final = 5
_NOTHING: Final[tuple[object, int, Vocabulary]] = (None, 0, Vocabulary())


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did: numbers of files."""

    added: int
    changed: int
    removed: int
    unchanged: int
    duration_s: float


@dataclass(slots=True)
class _Run:
    """One update while it goes on."""

    scope: Scope
    root: Root
    settings: Settings
    state: IndexState
    plan: Plan
    started_ns: int
    on_progress: OnProgress
    first_file: int
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    added: int = 0
    changed: int = 0
    touched: int = 0


class Indexer:
    """Updates indexes. Two updates of one project, in whatever processes, follow each other."""

    def __init__(
        self,
        database: Database,
        workers: Workers,
        *,
        clock: Callable[[], datetime],
        embedder: Embedder | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`clock` gives aware moments, `now_ns` nanoseconds since 1970."""
        self._embedder = embedder
        self._database = database
        self._workers = workers
        self._clock = clock
        self._now_ns = now_ns
        self._remembered = _NOTHING

    async def update(
        self, scope: Scope, root: Root, settings: Settings, on_progress: OnProgress, *, only: Collection[str] = ()
    ) -> Updated:
        """Make the index of the scope's project equal to the files below `root`.

        Who knows that `only` these relative paths have changed saves a look at all others; it is taken all the same
        when that is not enough to know what belongs to the project. What was done is kept when this is interrupted at
        any point, and the next update goes on from there.
        """
        started_ns = self._now_ns()
        waiting = partial(on_progress, 0, 0, "waiting for another process that indexes this project")
        with telemetry.span("search.update"):
            async with self._database.alone(f"index-{scope.project}", on_wait=waiting):
                run = await self._planned(scope, root, settings, on_progress, only)
                await self._write(run, await in_thread(partial(_touched, run)))
                await self._read(run)
                await self._finish(run)
                await self._embed(run)
                self._remembered = ((run.state.number, run.state.created_at), run.state.generation, run.vocabulary)
        duration_s = (self._now_ns() - started_ns) / 1e9
        unchanged = run.plan.unchanged + run.touched
        updated = Updated(run.added, run.changed, len(run.plan.removed), unchanged, duration_s)
        telemetry.emit("search.indexed", duration_ms=round(duration_s * 1000), **_told(updated))
        return updated

    async def _planned(
        self, scope: Scope, root: Root, settings: Settings, on_progress: OnProgress, only: Collection[str]
    ) -> _Run:
        started_ns = self._now_ns()
        on_progress(0, 0, "looking at the files")
        state = await self._opened(scope)
        todo = await self._plan_of(state, root, settings, only) if only and state.finished_at else None
        if todo is None:
            known = await self._database.run(partial(store.known_files, index=state.number), write=False)
            listed = await in_thread(lambda stopped: scan(root, settings.index, detect, stopped=stopped))
            todo = plan(listed, known, started_ns, with_text=settings.index.text)
        run = _Run(scope, root, settings, state, todo, started_ns, on_progress, state.next_file)
        run.vocabulary = self._vocabulary(state)
        return run

    async def _plan_of(self, state: IndexState, root: Root, settings: Settings, only: Collection[str]) -> Plan | None:
        """What to do about these paths; None when one is no indexed file, or may change what is one."""
        work = partial(store.known_files, index=state.number, paths=only)
        known = await self._database.run(work, write=False)
        if len(known) < len(set(only)) or any(decides_on_files(path) for path in only):
            return None
        listed = await asyncio.to_thread(_listed, root, settings, known)
        todo = plan(listed, known, self._now_ns(), with_text=settings.index.text)
        return replace(todo, left_out=state.left_out)

    def _vocabulary(self, state: IndexState) -> Vocabulary:
        """The words that this process knows of the index already, if nobody else has written to it since."""
        number, generation, known = self._remembered
        if (number, generation) == ((state.number, state.created_at), state.generation):
            self._remembered = _NOTHING  # until all is written it may have words that the index does not
            return known
        return Vocabulary(is_complete=state.next_word == 1)

    async def _opened(self, scope: Scope) -> IndexState:
        work = partial(store.open_index, scope=scope, format_=FORMAT, at=self._clock())
        found = await self._database.run(partial(store.find_index, scope=scope), write=False)
        if found is not None and found.format == FORMAT:
            return found
        for _ in range(_TRIES):
            try:
                return await self._database.run(work)
            except Conflict:  # somebody else began another project's index at the same moment
                continue
        return await self._database.run(work)

    async def _read(self, run: _Run) -> None:
        """Read what is pending, a transaction for each batch."""
        pending = run.plan.pending
        fresh: list[FreshFile] = []
        removed = [file.number for file in run.plan.removed]
        size_bytes = 0
        total = len(pending)
        run.on_progress(0, total, "indexing")
        async with aclosing(self._results(run)) as results:
            done = 0
            async for at, result in results:
                file, outdated = _fresh(run, at, result)
                fresh.append(file)
                removed += outdated
                size_bytes += file.sighting.size_bytes
                done += 1
                if size_bytes >= BATCH_BYTES or len(fresh) >= BATCH_FILES:
                    await self._write(run, Batch(fresh, removed))
                    fresh, removed, size_bytes = [], [], 0
                run.on_progress(done, total, "indexing")
        await self._write(run, Batch(fresh, removed))

    async def _results(self, run: _Run) -> AsyncGenerator[tuple[int, IndexedFile | Crashed], None]:
        """(index into what is pending, what became of it), as they are done."""
        root = os.fsencode(run.root.path)
        limit_bytes = run.settings.index.max_file_size_bytes
        items = [
            IndexItem(root, os.fsencode(each.file.path), each.language, has_grammar(each.language), limit_bytes)
            for each in run.plan.pending
        ]
        sizes = [each.file.size_bytes for each in run.plan.pending]
        if sum(sizes) <= FEW_BYTES:
            for at, item in enumerate(items):
                yield at, await asyncio.to_thread(index_item, item)
            return
        encoded = [item_encoder.encode(item) for item in items]
        deadline_s = run.settings.workers.file_timeout_s
        async with aclosing(self._workers.map(encoded, sizes=sizes, deadline_s=deadline_s)) as answers:
            async for at, answer in answers:
                yield at, answer if isinstance(answer, Crashed) else result_decoder.decode(answer)

    async def _write(self, run: _Run, batch: Batch) -> None:
        if not batch.fresh and not batch.removed and not batch.touched:
            return
        index, words = run.state.number, run.vocabulary
        stems = await asyncio.to_thread(words.unknown, batch)
        kept = await self._database.run(partial(read_kept, index=index, batch=batch, stems=stems), write=False)
        change = await asyncio.to_thread(change_of, run.state, batch, kept, words, self._clock())
        await self._database.run(partial(write_change, change=change))
        run.state = change.after

    async def _embed(self, run: _Run) -> None:
        """Ask what the chunks mean that nobody was asked about yet, if there is somebody to ask."""
        if self._embedder is not None:
            texts = Texts(run.root, run.settings.index.max_file_size_bytes)
            await embed_chunks(self._database, Ask(run.scope, self._embedder), run.state, texts, run.on_progress)

    async def _finish(self, run: _Run) -> None:
        """Note that it is complete."""
        now = self._clock()
        before = run.state
        is_old = before.finished_at is None or now - before.finished_at > NOTED_EVERY
        learns = before.changed_chunks > LEARN_ANEW * before.chunks
        if not (is_old or learns or before.left_out != run.plan.left_out):
            return
        if learns:
            run.on_progress(0, 0, "learning which words go together")
            words, files = await self._database.run(partial(_learnable, index=before.number), write=False)
            learnt = await in_thread(partial(_learn, words, files))
            await self._database.run(partial(store.save_associations, index=before.number, learnt=learnt))
            before = replace(before, generation=before.generation + 1, changed_chunks=0)
        run.state = replace(before, generation=before.generation + 1, left_out=run.plan.left_out, finished_at=now)
        if before.finished_at is None:
            part = 0
            while await self._database.run(partial(_end_build, index=before.number, part=part)):
                part += 1
        await self._database.run(partial(store.save_index, state=run.state))


def _listed(root: Root, settings: Settings, known: Sequence[KnownFile]) -> Scan:
    """Those of the known files that are still there."""
    found: list[ScannedFile] = []
    for file in known:
        try:
            seen = examine(root, file.path, settings.index, detect)
        except DuckError:
            continue  # it is gone
        if isinstance(seen, ScannedFile):
            found.append(seen)
    return Scan(tuple(found), (), 0)


def _learnable(connection: Connection, index: int) -> tuple[list[Word], list[StoredFile]]:
    """The vocabulary, and the files that are looked at first."""
    files = store.all_files(connection, index, before=LAST)
    return full_text(connection, index).all_words(), [file for file in files if file.content]


def _learn(words: Sequence[Word], files: Sequence[StoredFile], stopped: Event) -> bytes:
    """Which words go together in the files."""
    stems = [""] * (1 + max((word.number for word in words), default=0))
    for word in words:
        stems[word.number] = word.stem
    return written(learn(map(record_of, _until(stopped, files)), stems))


def _until(stopped: Event, all_: Iterable[T]) -> Iterator[T]:
    """What there is, as long as somebody waits for what becomes of it."""
    return itertools.takewhile(lambda _: not stopped.is_set(), all_)


def _end_build(connection: Connection, index: int, part: int) -> bool:
    return full_text(connection, index).end_build(part)


def _touched(run: _Run, stopped: Event) -> Batch:
    """Take those from what is pending whose content is what the index has."""
    same: dict[int, Sighting] = {}
    pending: list[Pending] = []
    limit_bytes = run.settings.index.max_file_size_bytes
    for each in _until(stopped, run.plan.pending):
        if each.known is not None and each.known.language == each.language and _holds(run, each.known, limit_bytes):
            same[each.known.number] = Sighting.of(each.file, run.started_ns)
        else:
            pending.append(each)
    run.touched = len(same)
    run.plan = replace(run.plan, pending=tuple(pending))
    return Batch(touched=same)


def _holds(run: _Run, known: KnownFile, limit_bytes: int) -> bool:
    try:
        content = run.root.open_bytes(known.path, limit_bytes)
    except DuckError:
        return False  # the worker says why
    return hashlib.blake2b(content, digest_size=16).hexdigest() == known.content_hash


def _fresh(run: _Run, at: int, result: IndexedFile | Crashed) -> tuple[FreshFile, list[int]]:
    """The file as it is kept, and the numbers that its path no longer has."""
    each = run.plan.pending[at]
    if isinstance(result, Crashed):
        telemetry.emit("search.file_crashed", path=each.file.path, reason=result.reason)
        result = IndexedFile("", 0, f"it was given up: {result.reason}", False, (), b"")
    is_last = is_test(each.file.path) or result.is_generated
    number = run.first_file + at + (LAST if is_last else 0)
    known = each.known
    if known is not None and (known.number >= LAST) == is_last:
        number = known.number
    outdated = [known.number] if known is not None and known.number != number else []
    run.added += known is None and not result.problem
    run.changed += known is not None and not result.problem
    seen = Sighting.of(each.file, run.started_ns)
    file = FreshFile(
        number, each.file.path, each.language, result.content_hash, seen, result.problem,
        result.vocabulary, result.content,
    )  # fmt: skip
    return file, outdated


def _told(updated: Updated) -> dict[str, int]:
    return {"added": updated.added, "changed": updated.changed, "removed": updated.removed}
