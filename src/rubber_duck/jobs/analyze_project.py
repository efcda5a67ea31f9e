"""Analyse a whole project durably: in batches of files, side by side, then keep, then report."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rubber_duck.analysis.report.render import Format
from rubber_duck.analysis.target import Target, existing, project_settings
from rubber_duck.call import Parts
from rubber_duck.code.language import detect
from rubber_duck.errors import DuckError
from rubber_duck.jobs.hands import hands_of
from rubber_duck.jobs.reports import ReportAnswer, written_report
from rubber_duck.scope import Right
from rubber_duck.workflows.run import Retries, Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import ScannedFile, in_thread, scan

_BATCHES: Final = 20
_FILES: Final = 50
_AT_ONCE: Final = 2


class AnalyzeProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which project, and how to report."""

    path: Annotated[str, Meta(description="The project's folder.", extra={"path": True})]
    format: Annotated[Format, Meta(description="The form of the report.")] = "html"


class Batch(msgspec.Struct, frozen=True):
    """What one batch came to."""

    files: int
    cached: int
    problems: int


@workflows.add
class ProjectAnalyzer(Workflow[AnalyzeProject, ReportAnswer]):
    """Analyse a whole project in batches, keep what was found, and write a report.

    Unchanged files are not read again. A file or a batch that fails is reported, and the rest stands.
    """

    name = "analyze-project"
    version = 1
    request = AnalyzeProject
    answer = ReportAnswer
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    async def run(self, request: AnalyzeProject, run: Run) -> ReportAnswer:
        """Validate, list, analyse the batches, keep and report."""
        parts = hands_of(run).parts
        path = await run.step(Step("validate", lambda: _validated(request, parts), str))
        listed = await run.step(Step("detect", lambda: _batches(path, parts), list[list[str]]))
        steps = [
            Step(
                f"analyse {number} of {len(listed)}",
                lambda files=files: _analyzed(path, files, parts),  # type: ignore[misc]  # a loop's value, bound at once
                Batch,
                retries=Retries(2),
            )
            for number, files in enumerate(listed, 1)
        ]
        found = await run.parallel(steps, at_once=_AT_ONCE, note="analysing")
        failed = sum(isinstance(each, DuckError) for each in found)
        async with run.telling() as tell:
            answer = await run.step(
                Step(
                    "report",
                    lambda: written_report(hands_of(run), run.scope, Root(path), request.format, run.id, tell),
                    ReportAnswer,
                )
            )
        return msgspec.structs.replace(answer, failed_batches=failed)


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


async def _analyzed(path: str, files: list[str], parts: Parts) -> Batch:
    root = Root(path)
    target = Target(root, tuple(files), project_settings(root, parts.settings))
    outcome = await parts.analysis.run(target, lambda done, total, note: None)
    return Batch(len(outcome.files), outcome.cached, len(outcome.problems))


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
