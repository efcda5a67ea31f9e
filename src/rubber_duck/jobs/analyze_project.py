"""Analyse a whole project durably: in batches, the files of each side by side, then keep, then report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from rubber_duck.analysis.analysis import OnProgress
from rubber_duck.analysis.outcome import AnalyzedFile
from rubber_duck.analysis.report.render import Format
from rubber_duck.analysis.target import Target, existing, project_settings
from rubber_duck.call import Parts
from rubber_duck.code.language import detect
from rubber_duck.errors import DuckError
from rubber_duck.jobs.ahead import reading_ahead
from rubber_duck.jobs.hands import hands_of, tenant
from rubber_duck.jobs.reports import ReportAnswer, Wanted, clear_reports, said_of, written_report
from rubber_duck.jobs.reviewing import Review, Worth, reviewed
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import PATIENT, Retries
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Known, Workflow, workflows
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import ScannedFile, in_thread, scan

_BATCHES: Final = 15
_FILES: Final = 50
_WORTH: Final = 20
_SENTENCES: Final = 50
_LINES: Final = 10_000


class AnalyzeProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which project, how to report, and how much of it a model is to review."""

    path: Annotated[str, Meta(description="The project's folder.", extra={"path": True})]
    format: Annotated[Format, Meta(description="The form of the report.")] = "html"
    review: Annotated[
        int, Meta(ge=0, le=200, description="Files that a model reviews, where one is configured; 0: none.")
    ] = 10


class Batch(msgspec.Struct, frozen=True):
    """What one batch came to: how many files, what failed in it, and which of its files are most worth a review."""

    files: int
    cached: int
    problems: int
    failed: tuple[str, ...] = ()
    worth: tuple[Worth, ...] = ()


class Aggregate(msgspec.Struct, frozen=True):
    """What all batches came to together."""

    files: int
    cached: int
    failed_batches: int
    failed: tuple[str, ...]


@workflows.add
class ProjectAnalyzer(Workflow[AnalyzeProject, ReportAnswer]):
    """Analyse a whole project in batches, let a model review the worst of it, keep what was found, and report.

    In each batch files are read, parsed and put before every rule and ruff, side by side; unchanged files are not read
    again, and not reviewed again either. A model reviews only where one is configured. A file, a rule, a batch or a
    review that fails is reported, and the rest stands.
    """

    name = "analyze-project"
    version = 3
    request = AnalyzeProject
    answer = ReportAnswer
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    @classmethod
    def said(cls, answer: Any) -> str:  # Any: as builtins
        """What was found, and where the report is."""
        return said_of(answer)

    @classmethod
    async def clear(cls, hands: object, known: Known, before: datetime) -> None:
        """Reports go with their runs."""
        await clear_reports(hands, known, before)

    async def run(self, request: AnalyzeProject, run: Run) -> ReportAnswer:
        """Validate, detect, parse and analyse in batches, review, aggregate, report."""
        parts = hands_of(run).parts
        path = await run.step(Step("validate", lambda: _validated(request, parts), str))
        listed = await run.step(Step("detect", lambda: _batches(path, parts), list[list[str]]))
        async with reading_ahead(listed, lambda files, tell: _analyzed(path, files, parts, tell)) as ahead:
            steps = [
                Step(
                    f"analyse {number} of {len(listed)}",
                    lambda index=number - 1: ahead.result(index),  # type: ignore[misc]  # a loop's value, bound at once
                    Batch,
                    retries=Retries(2, patient=True),
                )
                for number in range(1, len(listed) + 1)
            ]
            found = await run.parallel(steps, at_once=1, note="analysing")  # so a kill costs one
        worth = [each for batch in found if isinstance(batch, Batch) for each in batch.worth]
        review = await reviewed(run, path, worth, request.review)
        whole = await run.step(Step("aggregate", lambda: _aggregated(listed, found, review), Aggregate))
        wanted = Wanted(request.format, run.id, review.remarks)
        async with run.telling() as tell:
            answer = await run.step(
                Step(
                    "report",
                    lambda: written_report(hands_of(run), tenant(run), Root(path), wanted, tell),
                    ReportAnswer,
                    retries=PATIENT,
                )
            )
        return msgspec.structs.replace(
            answer,
            failed_batches=whole.failed_batches,
            failed=whole.failed,
            reviewed=review.files,
            review=review.left_out,
        )


async def _validated(request: AnalyzeProject, parts: Parts) -> str:
    path = existing(request.path, "")
    project_settings(Root(path), parts.settings)
    return path


async def _batches(path: str, parts: Parts) -> list[list[str]]:
    """The files that have a language, in batches of about as many bytes; names that are not text come last of all."""
    root = Root(path)
    settings = project_settings(root, parts.settings)
    listed = await in_thread(lambda stopped: scan(root, settings.index, detect, stopped=stopped))
    files = [file for file in listed.files if file.language is not None and _is_text(file.path)]
    return _cut(files)


async def _analyzed(path: str, files: list[str], parts: Parts, tell: OnProgress) -> Batch:
    root = Root(path)
    target = Target(root, tuple(files), project_settings(root, parts.settings))
    outcome = await parts.analysis.run(target, tell)
    worth = sorted((_worth(file) for file in outcome.files), key=lambda each: (-each.score, each.path))
    failed = outcome.refused(())[:_SENTENCES]
    return Batch(len(outcome.files), outcome.cached, len(outcome.problems), failed, tuple(worth[:_WORTH]))


def _worth(file: AnalyzedFile) -> Worth:
    """The graver and surer the findings, the more a second look is worth; of equal files, the longer."""
    found = sum((each.severity + 1) * (each.confidence + 1) for each in file.findings if each.suppressed is None)
    return Worth(file.path, found * _LINES + min(file.analysis.lines, _LINES - 1), file.analysis.content_hash)


async def _aggregated(listed: list[list[str]], found: list[Batch | DuckError], review: Review) -> Aggregate:
    """What failed, in sentences, with the files that nobody looked at therefore."""
    failed = list(review.failed)
    for files, batch in zip(listed, found, strict=True):
        if isinstance(batch, DuckError):
            failed.append(f"{len(files):,} files from {files[0]!r} on were not analysed: {batch.message}")
        else:
            failed += batch.failed
    batches = [each for each in found if isinstance(each, Batch)]
    return Aggregate(
        sum(each.files for each in batches),
        sum(each.cached for each in batches),
        len(found) - len(batches),
        tuple(dict.fromkeys(failed))[:_SENTENCES],
    )


def _cut(files: list[ScannedFile]) -> list[list[str]]:
    size = sum(file.size_bytes for file in files) / _BATCHES
    batches: list[list[str]] = []
    held, held_bytes = list[str](), 0
    for file in files:
        held.append(file.path)
        held_bytes += file.size_bytes
        if held_bytes >= size and len(held) >= _FILES:
            batches.append(held)
            held, held_bytes = [], 0
    return [*batches, held] if held else batches


def _is_text(path: str) -> bool:
    return path.isascii() or path == path.encode(errors="replace").decode()
