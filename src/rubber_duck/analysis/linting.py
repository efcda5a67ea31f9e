"""Shows files to ruff in batches, beside the workers, so that a file that kills or stalls it costs only itself."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.analysis.analyzer import SYNTAX_ERROR
from rubber_duck.analysis.copies import Copies
from rubber_duck.analysis.file_analysis import FileAnalysis
from rubber_duck.analysis.finding import Finding, Kind
from rubber_duck.analysis.lines import Lines
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.ruff import (
    HEEDLESS,
    Diagnostic,
    ask_ruff,
    read_diagnostics,
    ruff_finding,
    rule_meaning,
    rule_name,
    silenced,
    silenced_finding,
)
from rubber_duck.analysis.rule import overlapping
from rubber_duck.errors import DuckError
from rubber_duck.settings import WorkerSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.private import private_folder
from rubber_duck.workspace.programs import Limits

BATCH_BYTES: Final = 2_000_000
"""The source that ruff is shown at once: some 0.06 s of work, beside 0.01 s for its start."""

BATCH_FILES: Final = 500
"""The files that ruff is shown at once."""

BATCH_CPU_S: Final = 2
"""Seconds of processor time for several files, thirty times what a batch needs. Beyond, it is taken apart."""

FEW_FILES: Final = 32
"""So many files of a batch that failed are shown one by one; more are shown in parts first."""

BROKEN_BATCHES: Final = 8
"""Batches that may fail while the workers run; those after them wait to the end, for the time that is left."""

CULPRITS: Final = 20
"""Files that ruff may fail on; then it is given up."""

SUSPECTS_S: Final = 60.0
"""Seconds for finding in batches that failed the files that did it; then ruff is given up."""

OUTPUT_BYTES: Final = 64_000_000
"""What ruff may say at once. Of Django's 18 MB of source it says 1.6 MB."""


@dataclass(frozen=True, slots=True)
class Linted:
    """What ruff found in one file: findings with an empty path, and the lines they lie on."""

    findings: tuple[Finding, ...]
    excerpt: Mapping[int, str]


@dataclass(slots=True)
class RuffRun:
    """What ruff said, by path; the files it failed on, with the reason; those left when it was given up."""

    linted: dict[str, Linted] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    paths: list[str] = field(default_factory=list)
    size_bytes: int = 0


class Linting:
    """One run of ruff over files whose copies are there, `count` processes at a time."""

    def __init__(self, copies: Copies, settings: WorkerSettings, count: int) -> None:
        self._copies = copies
        alone_s = math.ceil(settings.file_timeout_s)
        self._alone = Limits(output_bytes=OUTPUT_BYTES, cpu_s=alone_s, memory_bytes=settings.memory_bytes)
        self._together = Limits(output_bytes=OUTPUT_BYTES, cpu_s=BATCH_CPU_S, memory_bytes=settings.memory_bytes)
        self._count = count
        self._slots = asyncio.Semaphore(count)
        self._tasks: list[asyncio.Task[None]] = []
        self._speaking: set[str] = set()
        self._batches = {False: _Batch(), True: _Batch()}
        self._broken = 0
        self._suspects: deque[list[str]] = deque()
        self._sizes: dict[str, int] = {}
        self._run = RuffRun()

    def place(self, path: str) -> str:
        """Where the file is to be copied to."""
        return self._copies.place(path)

    def add(self, path: str, analysis: FileAnalysis) -> None:
        """Have ruff look at a file if a worker could: then its copy is there."""
        if not analysis.content_hash or analysis.is_left_out or analysis.lacks_ruff or not self._copies.has(path):
            return
        self._sizes[path] = analysis.size_bytes
        batch = self._batches[analysis.speaks_to_ruff]
        batch.paths.append(path)
        batch.size_bytes += analysis.size_bytes
        if batch.size_bytes >= BATCH_BYTES or len(batch.paths) >= BATCH_FILES:
            self._send(speaking=analysis.speaks_to_ruff)

    async def finish(self) -> RuffRun:
        """What ruff said of all files that were added; batches that it failed on are now taken apart."""
        self._send_rest()
        await asyncio.gather(*self._tasks)
        if self._suspects:
            with suppress(TimeoutError):  # what is left is given up
                async with asyncio.timeout(SUSPECTS_S):
                    await asyncio.gather(*(self._start(self._take_apart()) for _ in range(self._count)))
        known = self._run.linted.keys() | self._run.failed.keys()
        self._run.given_up = [path for path in self._sizes if path not in known]
        return self._run

    async def close(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _send(self, *, speaking: bool) -> None:
        batch = self._batches[speaking]
        if batch.paths:
            self._batches[speaking] = _Batch()
            self._speaking.update(batch.paths if speaking else ())
            self._start(self._look_at_batch(batch.paths))

    def _send_rest(self) -> None:
        """What is left in one batch: to start ruff costs as much as to show it a sixth of one."""
        speaking, others = self._batches[True], self._batches[False]
        paths = others.paths + speaking.paths
        if paths:
            self._batches = {False: _Batch(), True: _Batch()}
            self._speaking.update(speaking.paths)
            self._start(self._look_at_batch(paths))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    async def _look_at_batch(self, paths: list[str]) -> None:
        async with self._slots:
            if self._broken >= BROKEN_BATCHES:
                self._suspects.append(paths)
            elif not await self._look(paths):
                self._broken += 1

    async def _take_apart(self) -> None:
        while self._suspects and len(self._run.failed) < CULPRITS:
            await self._look(self._suspects.popleft())

    async def _look(self, paths: list[str]) -> bool:
        """Show files to ruff; when it fails, the only one is the culprit, and parts of several are suspect."""
        alone = len(paths) == 1
        try:
            await self._lint(paths, self._alone if alone else self._together)
        except DuckError as error:
            telemetry.emit("analysis.ruff_failed", files=len(paths), error=error.message)
            if alone:
                self._run.failed[paths[0]] = error.message
            else:
                self._suspects += _parts(paths)
            return False
        return True

    async def _lint(self, paths: Sequence[str], limits: Limits) -> None:
        said = await self._ask(paths, limits)
        speaking = [path for path in paths if path in self._speaking]
        heedless = await self._ask(speaking, limits, HEEDLESS) if speaking else {}
        self._run.linted |= await asyncio.to_thread(self._linted, paths, said, heedless)

    async def _ask(self, paths: Sequence[str], limits: Limits, *options: str) -> Mapping[str, Sequence[Diagnostic]]:
        output = await ask_ruff(self._copies.folder, [self._copies.name(path) for path in paths], limits, *options)
        return await asyncio.to_thread(read_diagnostics, output, self._copies.folder)

    def _linted(
        self,
        paths: Sequence[str],
        said: Mapping[str, Sequence[Diagnostic]],
        heedless: Mapping[str, Sequence[Diagnostic]],
    ) -> dict[str, Linted]:
        linted: dict[str, Linted] = {}
        for path in paths:
            self._copies.check(path, self._sizes[path])  # for ruff, a file that is not there is a clean one
            name = self._copies.name(path)
            heeding = [each for each in said.get(name, ()) if _concerns(each, path)]
            kept = silenced([each for each in heedless.get(name, ()) if _concerns(each, path)], heeding)
            findings: list[Finding] = []
            excerpt: Mapping[int, str] = {}
            if heeding or kept:
                lines = Lines(self._copies.read(path))
                findings += [ruff_finding(each, lines) for each in heeding]
                findings += [silenced_finding(each, lines) for each in kept]
                excerpt = lines.excerpt(findings)
            linted[path] = Linted(tuple(findings), excerpt)
        for path in paths:
            self._copies.release(path)
        return linted


def with_ruff(analysis: FileAnalysis, linted: Linted) -> FileAnalysis:
    """What ruff found beside what we did. ruff parsed the file, so its word on the syntax counts, not ours."""
    ours = [finding for finding in analysis.findings if finding.rule != SYNTAX_ERROR]
    if not linted.findings and len(ours) == len(analysis.findings):
        return analysis
    there = {(finding.rule, finding.span.start_line) for finding in ours}
    theirs = [each for each in linted.findings if not _is_said(each, there)]
    findings = tuple(sorted([*ours, *theirs], key=lambda each: each.order))
    excerpt = dict(sorted({**linted.excerpt, **analysis.excerpt}.items()))
    return msgspec.structs.replace(analysis, findings=findings, excerpt=excerpt)


def _concerns(diagnostic: Diagnostic, path: str) -> bool:
    """Whether it has something to say about the file: of what endangers a running product tests have nothing."""
    return not is_test(path) or rule_meaning(rule_name(diagnostic.code)).kind is not Kind.SECURITY


def _is_said(theirs: Finding, there: Collection[tuple[str, int]]) -> bool:
    """Whether a rule of ours says the same on that line."""
    return any((rule, theirs.span.start_line) in there for rule in overlapping().get(theirs.rule, ()))


def _parts(paths: list[str]) -> list[list[str]]:
    """The files each alone, or, when there are many, as many parts as there are files in each."""
    size = math.isqrt(len(paths)) if len(paths) > FEW_FILES else 1
    return [paths[start : start + size] for start in range(0, len(paths), size)]


@asynccontextmanager
async def open_linting(root: Root, settings: WorkerSettings, count: int) -> AsyncIterator[Linting]:
    """ruff over files of `root`; their copies go away in the end. Raises Unavailable when there is no room for them."""
    with private_folder() as folder:
        linting = Linting(Copies(folder, root), settings, count)
        try:
            yield linting
        finally:
            await linting.close()
