"""Analyses an opened project and keeps what it found: files, facts and results, in the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from rubber_duck.analysis import store as result_store
from rubber_duck.analysis.analysis import Analysis, OnProgress
from rubber_duck.analysis.finding import Kind
from rubber_duck.analysis.outcome import AnalyzedFile, Outcome
from rubber_duck.analysis.result import AnalysisResult
from rubber_duck.analysis.target import Target, project_settings
from rubber_duck.code import store as fact_store
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.project import Project
from rubber_duck.workspace.workspace import Changes, ScanEntry, Workspace

T = TypeVar("T")

BATCH_FILES: Final = 400
"""Files whose facts and results are written in one transaction."""


Told = Callable[[UUID, Mapping[str, int]], Awaitable[None]]
"""Hears that something was done in a project, in numbers."""


async def _ignore(project: UUID, numbers: Mapping[str, int]) -> None:
    """Nobody follows."""


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """What opening and analysing a project came to. `target` holds the settings that applied."""

    project: Project
    target: Target
    changes: Changes
    outcome: Outcome
    kept: int


class ProjectAnalysis:
    """Brings what is kept of a project up to date with its folder."""

    def __init__(
        self,
        database: Database,
        workspace: Workspace,
        analysis: Analysis,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._told: Told = _ignore
        self._database = database
        self._workspace = workspace
        self._analysis = analysis
        self._clock = clock

    def follow(self, told: Told) -> None:
        """Let `told` hear of each update: files, those of other content or rules than before, findings in all."""
        self._told = told

    async def update(self, scope: Scope, root: Root, settings: Settings, on_progress: OnProgress) -> ProjectOutcome:
        """Open the project of `root` (or make it), analyse it, and keep what is new.

        Interrupted at any point, the next call completes it: files are recorded first, and whatever has no facts
        or results of its present content is written again.
        """
        project = await self._workspace.project_at(scope, str(root.path))
        inside = scope.within(project.id)
        target = Target(root, (), project_settings(root, settings))
        outcome = await self._analysis.run(target, on_progress)
        on_progress(0, 0, "keeping what was found")
        entries = [
            ScanEntry(file.path, file.analysis.language, file.analysis.content_hash, file.size_bytes)
            for file in outcome.files
            if file.analysis.content_hash
        ]
        changes = await self._workspace.record_scan(inside, project, entries)
        kept = await self._keep(inside, target, outcome, changes.ids)
        found = sum(finding.suppressed is None for file in outcome.files for finding in file.findings)
        await self._told(project.id, {"files": len(outcome.files), "renewed": kept, "findings": found})
        return ProjectOutcome(project, target, changes, outcome, kept)

    async def _keep(self, scope: Scope, target: Target, outcome: Outcome, ids: Mapping[str, UUID]) -> int:
        """Write facts and results of the files whose kept ones are of other content or other rules."""
        kept = await self._database.run(partial(result_store.kept_versions, scope=scope), write=False)
        stale = [
            file
            for file in outcome.files
            if file.path in ids and kept.get(ids[file.path]) != (file.analysis.content_hash, outcome.version)
        ]
        for batch in _batches(stale, BATCH_FILES):
            facts = self._analysis.facts(target, batch)
            results = [result for file in batch for result in self._results(scope, outcome.version, ids, file)]
            rows = [
                fact_store.FactsRow(ids[file.path], file.analysis.content_hash, facts[file.path])
                for file in batch
                if file.path in facts
            ]
            await self._database.run(partial(_write, scope=scope, rows=rows, results=results))
        return len(stale)

    def _results(
        self, scope: Scope, version: str, ids: Mapping[str, UUID], file: AnalyzedFile
    ) -> Iterator[AnalysisResult]:
        assert scope.project is not None
        now = self._clock()
        for kind in Kind:
            yield AnalysisResult(
                id=new_key(),
                project_id=scope.project,
                file_id=ids[file.path],
                kind=kind,
                content_hash=file.analysis.content_hash,
                rules_version=version if file.analysis.is_complete else "",  # so it is stale until nothing fails
                findings=tuple(finding for finding in file.findings if finding.kind is kind),
                created_at=now,
            )


def _write(
    connection: Connection, *, scope: Scope, rows: Sequence[fact_store.FactsRow], results: Sequence[AnalysisResult]
) -> None:
    fact_store.put_facts(connection, scope, rows)
    result_store.put_results(connection, scope, results)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
