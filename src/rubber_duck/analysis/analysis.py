"""The front of analysis: takes a root and gives an outcome, doing only what the cache does not know."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from rubber_duck import telemetry
from rubber_duck.analysis.analyzer import hash_content
from rubber_duck.analysis.extraction import NOTHING, Facts, Listing, extract
from rubber_duck.analysis.file_analysis import RUFF_FAILED, RUFF_GIVEN_UP, FileAnalysis, FileProblem
from rubber_duck.analysis.known import Known, Sighting, analysis_key, facts_key
from rubber_duck.analysis.linting import Linting, RuffRun, open_linting, with_ruff
from rubber_duck.analysis.outcome import AnalyzedFile, Outcome, given_up, known_rules, left_out, placed
from rubber_duck.analysis.report.model import Problem, RuleDescription
from rubber_duck.analysis.ruff import ruff_identity
from rubber_duck.analysis.ruff_catalog import ruff_catalog
from rubber_duck.analysis.rule_set import RuleSet, program_digest
from rubber_duck.analysis.suppression import suppressed
from rubber_duck.analysis.target import Target
from rubber_duck.analysis.worker import TASK, WorkItem, WorkResult, analyze_item, item_encoder, read_result
from rubber_duck.code.language import detect
from rubber_duck.code.workers import Crashed, Workers
from rubber_duck.errors import DuckError
from rubber_duck.settings import Settings
from rubber_duck.storage.cache import Cache
from rubber_duck.workspace.scan import Scan, ScannedFile, examine, in_thread, scan

OnProgress = Callable[[int, int, str], None]
"""Called with files done, files in all, and what is being done."""

CACHE_BYTES: Final = 1 << 30
"""What the disposable cache may take; the least recently used goes first. Django needs 16 MB of it."""

FEW_FILES: Final = 16
"""So many files named by somebody are read again sooner than what was seen of all others in the root is decoded."""


@dataclass(slots=True)
class _Run:
    """The state of one run: what is known of each file, and what is still to do."""

    target: Target
    rule_set: RuleSet
    version: str
    started_ns: int
    on_progress: OnProgress
    hashes: dict[str, str] = field(default_factory=dict)
    done: dict[str, FileAnalysis] = field(default_factory=dict)
    facts: dict[bytes, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def uses_sightings(self, files: Sequence[ScannedFile]) -> bool:
        """Whether it pays to know, and to keep, which files of the root have not changed since they were seen."""
        return not self.target.only or len(files) > FEW_FILES


class Analysis:
    """Analyses files. One instance serves many runs, one after the other or at once."""

    def __init__(self, known: Known, workers: Workers, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._known = known
        self._workers = workers
        self._now_ns = now_ns
        self._described: tuple[str, Mapping[str, RuleDescription]] = ("", {})

    async def run(self, target: Target, on_progress: OnProgress) -> Outcome:
        """Analyse what `target` means; unchanged files come from the cache.

        Being cancelled leaves the cache as it was.
        """
        started_ns = self._now_ns()
        with telemetry.span("analysis.run"):
            rule_set = RuleSet(target.settings.analysis.rules)
            on_progress(0, 0, "looking at the files")
            listed = await in_thread(lambda stopped: _scan(target, stopped))
            files = [file for file in listed.files if file.language is not None]
            run = _Run(target, rule_set, _version(rule_set, target), started_ns, on_progress)
            pending = await asyncio.to_thread(self._look_up, run, files)
            await self._analyze(run, pending)
            await asyncio.to_thread(self._keep, run, files, pending)
            described = await self._ruff_rules(target)
        outcome = replace(_outcome(run, listed, files, cached=len(files) - len(pending)), ruff_rules=described)
        _report_events(outcome, self._now_ns() - started_ns)
        return outcome

    async def read(self, target: Target, on_progress: OnProgress, *, held: Mapping[str, str] = NOTHING) -> Facts:
        """The facts of all files of the root, unchanged ones from the cache; no rule runs.

        `held`: path → content hash of files whose facts the caller has already; they are not given again. Being
        cancelled leaves the cache as it was.
        """
        started_ns = self._now_ns()
        on_progress(0, 0, "looking at the files")
        target = replace(target, only=())
        listed = await in_thread(lambda stopped: _scan(target, stopped))
        run = _Run(target, RuleSet({}, without_rules=True), "", started_ns, on_progress)
        files = [file for file in listed.files if file.language is not None]
        changed = await asyncio.to_thread(self._hash, run, files)
        listing = Listing(listed, started_ns, run.hashes, held, changed)
        return await extract(self._known, self._workers, target, listing, on_progress)

    def worked_out(self, target: Target, state: bytes, kind: str, make: Callable[[], bytes]) -> bytes:
        """What `make` gives for all files of the target's root together, kept while they are in that state, a digest.

        One value of a kind is kept for each root.
        """
        return self._known.worked_out(os.fspath(target.root.path), state, kind, make)

    async def known_rules(self, target: Target) -> set[str]:
        """The names of all rules that can report something: ours, and those of ruff that are run."""
        return {*known_rules(), *await self._ruff_rules(target)}

    def facts(self, target: Target, files: Sequence[AnalyzedFile]) -> dict[str, bytes]:
        """The facts (`code.codec`) of files of an outcome, by path; extracted again where the cache lost them.

        A file that changed since, or cannot be read any more, has none.
        """
        keys = {file.path: facts_key(program_digest(), file.path, file.analysis.content_hash) for file in files}
        kept = self._known.facts(list(keys.values()))
        found = {path: kept[key] for path, key in keys.items() if key in kept}
        for file in files:
            if file.path not in found:
                again = analyze_item(_item(target, file.path, file.analysis.language))
                if again.facts and again.analysis.content_hash == file.analysis.content_hash:
                    found[file.path] = again.facts
        return found

    async def _ruff_rules(self, target: Target) -> Mapping[str, RuleDescription]:
        """What ruff says of its rules, by name; decoded once while it is the same ruff."""
        if not target.settings.analysis.ruff:
            return {}
        identity = ruff_identity()
        if self._described[0] != identity or not self._described[1]:
            self._described = identity, await ruff_catalog(self._known)
        return self._described[1]

    def _look_up(self, run: _Run, files: Sequence[ScannedFile]) -> list[ScannedFile]:
        """Fill `run.hashes` and `run.done` from the cache; the files that must be analysed."""
        self._hash(run, files)
        keys = {path: analysis_key(run.version, path, content_hash) for path, content_hash in run.hashes.items()}
        found = self._known.analyses(list(keys.values()))
        for path, key in keys.items():
            if key in found:
                run.done[path] = found[key]
        return [file for file in files if file.path in run.hashes and file.path not in run.done]

    def _hash(self, run: _Run, files: Sequence[ScannedFile]) -> int:
        """Fill `run.hashes`, reading only the files that changed since they were seen; how many those were."""
        changed = 0
        sightings = self._known.sightings(os.fspath(run.target.root.path)) if run.uses_sightings(files) else {}
        for file in files:
            seen = sightings.get(os.fsencode(file.path))
            if seen is not None and seen.still_holds(file):
                run.hashes[file.path] = seen.content_hash
            else:
                changed += 1
                content = _content(run, file)
                if content is not None:
                    run.hashes[file.path] = hash_content(content)
        return changed

    async def _analyze(self, run: _Run, pending: Sequence[ScannedFile]) -> None:
        settings = run.target.settings
        if not settings.analysis.ruff or all(file.language != "python" for file in pending):
            await self._walk(run, pending, None)
            return
        async with open_linting(run.target.root, settings.workers, self._workers.count) as linting:
            await self._walk(run, pending, linting)
            _add_ruff(run, await linting.finish())

    async def _walk(self, run: _Run, pending: Sequence[ScannedFile], linting: Linting | None) -> None:
        run.on_progress(0, len(pending), "analysing")
        encoded = await asyncio.to_thread(_encoded, run, pending, linting)
        sizes = [file.size_bytes for file in pending]
        deadline_s = run.target.settings.workers.file_timeout_s
        async with aclosing(self._workers.map(encoded, sizes=sizes, deadline_s=deadline_s)) as results:
            done = 0
            async for index, result in results:
                done += 1
                file = pending[index]
                _take(run, file, read_result(result))
                if linting is not None and file.path in run.done:
                    linting.add(file.path, run.done[file.path])
                run.on_progress(done, len(pending), "analysing")

    def _keep(self, run: _Run, files: Sequence[ScannedFile], pending: Sequence[ScannedFile]) -> None:
        if not pending and (not run.uses_sightings(files) or self._all_sighted(run, files)):
            return
        analyses: dict[bytes, FileAnalysis] = {}
        for file in pending:
            analysis = run.done.get(file.path)
            if analysis is not None and analysis.content_hash and analysis.is_complete:
                analyses[analysis_key(run.version, file.path, analysis.content_hash)] = analysis
        self._known.prune(CACHE_BYTES)
        self._known.keep_analyses(analyses)
        self._known.keep_facts(run.facts)
        if not run.uses_sightings(files):
            return
        root = os.fspath(run.target.root.path)
        seen = {
            os.fsencode(file.path): Sighting.of(file, run.hashes[file.path], run.started_ns)
            for file in files
            if file.path in run.hashes
        }
        if run.target.only:
            seen = {**self._known.sightings(root), **seen}
        self._known.keep_sightings(root, seen)

    def _all_sighted(self, run: _Run, files: Sequence[ScannedFile]) -> bool:
        sightings = self._known.sightings(os.fspath(run.target.root.path))
        held = (sightings.get(os.fsencode(file.path)) for file in files)
        return all(seen is not None and seen.still_holds(file) for seen, file in zip(held, files, strict=True))


@asynccontextmanager
async def open_analysis(settings: Settings) -> AsyncIterator[Analysis]:
    """The analysis with its cache in the home folder and its worker processes, which start when first needed."""
    cache = Cache(Path(settings.home) / "cache.db")
    try:
        workers = Workers(settings.workers.count, TASK, memory_bytes=settings.workers.memory_bytes)
        try:
            yield Analysis(Known(cache), workers)
        finally:
            await workers.close()
    finally:
        cache.close()


def _scan(target: Target, stopped: threading.Event) -> Scan:
    index = target.settings.index
    with telemetry.span("workspace.scan"):
        if not target.only:
            return scan(target.root, index, detect, stopped=stopped)
        listed = scan(target.root, index, detect, below=target.only, stopped=stopped)
        missing = [path for path in target.only if (target.root.path / path).is_file()]
        missing = sorted(
            set(missing)
            - {file.path for file in listed.files}
            - {each.path for each in listed.left_out if each.reason.is_problem}
        )
        extra = [examine(target.root, path, index, detect) for path in missing]
    named = [each for each in extra if isinstance(each, ScannedFile)]
    refused = [each for each in extra if not isinstance(each, ScannedFile)]
    unnamed = [each for each in listed.left_out if each.path not in missing]
    return Scan(
        tuple(sorted([*listed.files, *named], key=lambda file: file.path)),
        tuple(sorted([*unnamed, *refused], key=lambda each: each.path)),
        listed.folders,
    )


def _version(rule_set: RuleSet, target: Target) -> str:
    ruff = ruff_identity() if target.settings.analysis.ruff else "off"
    return hash_content(f"{rule_set.fingerprint} {ruff}".encode())


def _item(target: Target, path: str, language: str, copy: str = "") -> WorkItem:
    settings = target.settings
    return WorkItem(
        os.fsencode(target.root.path),
        os.fsencode(path),
        language,
        settings.index.max_file_size_bytes,
        settings.analysis.rules,
        os.fsencode(copy),
    )


def _encoded(run: _Run, pending: Sequence[ScannedFile], linting: Linting | None) -> list[bytes]:
    """What the workers are told of the files, for which there is a place to be copied to where ruff is to see them."""
    items = []
    for file in pending:
        copy = linting.place(file.path) if linting is not None and file.language == "python" else ""
        items.append(item_encoder.encode(_item(run.target, file.path, file.language or "", copy)))
    return items


def _content(run: _Run, file: ScannedFile) -> bytes | None:
    """The file's bytes; None, and a problem, when they cannot be read."""
    try:
        return run.target.root.open_bytes(file.path, run.target.settings.index.max_file_size_bytes)
    except DuckError as error:
        run.problems.append(Problem(file.path, error.code, error.message))
        return None


def _take(run: _Run, file: ScannedFile, result: WorkResult | Crashed) -> None:
    if isinstance(result, Crashed):
        telemetry.emit("analysis.file_crashed", path=file.path, reason=result.reason)
        run.problems.append(Problem(file.path, "crashed", result.reason))
        return
    analysis = result.analysis
    run.done[file.path] = analysis
    if analysis.content_hash:
        run.hashes[file.path] = analysis.content_hash
        if result.facts:
            run.facts[facts_key(program_digest(), file.path, analysis.content_hash)] = result.facts


def _add_ruff(run: _Run, ruff: RuffRun) -> None:
    for path, linted in ruff.linted.items():
        run.done[path] = with_ruff(run.done[path], linted)
    failed = {path: FileProblem(RUFF_FAILED, f"ruff could not look at it: {why}") for path, why in ruff.failed.items()}
    given_up = {path: FileProblem(RUFF_GIVEN_UP, "ruff was given up before") for path in ruff.given_up}
    for path, problem in (failed | given_up).items():
        analysis = run.done[path]
        run.done[path] = msgspec.structs.replace(analysis, problems=(*analysis.problems, problem))


def _outcome(run: _Run, listed: Scan, files: Sequence[ScannedFile], *, cached: int) -> Outcome:
    problems = [*left_out(listed, run.target.only), *run.problems]
    unseen = 0
    analyzed: list[AnalyzedFile] = []
    for file in files:
        analysis = run.done.get(file.path)
        if analysis is None:
            continue
        for each in analysis.problems:
            if each.reason == RUFF_GIVEN_UP:
                unseen += 1
            else:
                problems.append(Problem(file.path, each.reason, each.detail))
        findings = placed(file.path, suppressed(analysis.findings, analysis.suppressions))
        analyzed.append(AnalyzedFile(file.path, analysis.size_bytes, analysis, findings))
    if unseen:
        problems.append(given_up(unseen))
    problems.sort(key=lambda problem: (problem.path, problem.reason, problem.detail))
    return Outcome(
        root=os.fspath(run.target.root.path),
        scan=listed,
        files=tuple(analyzed),
        problems=tuple(problems),
        version=run.version,
        cached=cached,
        ruff_rules={},
    )


def _report_events(outcome: Outcome, took_ns: int) -> None:
    findings = sum(len(file.findings) for file in outcome.files)
    telemetry.count("analysis.files", len(outcome.files))
    telemetry.count("analysis.cache_hits", outcome.cached)
    telemetry.count("analysis.findings", findings)
    telemetry.emit(
        "analysis.finished",
        files=len(outcome.files),
        cached=outcome.cached,
        findings=findings,
        duration_ms=took_ns // 1_000_000,
    )
