"""Analyse files or folders and report what is wrong in them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.analysis.report.narrowed import sentences
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.render import Format, Style, render
from rubber_duck.analysis.selection import selection
from rubber_duck.analysis.target import seen_from, shown_root, shown_together, target
from rubber_duck.call import Call, Progress
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.scope import Right
from rubber_duck.settings.tree import SeverityName


class AnalyzeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to analyse, and how to show it."""

    paths: Annotated[tuple[str, ...], Meta(description="Files or folders.", extra={"argument": True, "path": True})]
    directory: Annotated[
        str, Meta(description="What relative paths are relative to; empty: the process's own folder.")
    ] = ""
    format: Annotated[Format, Meta(description="The form of the report.")] = "text"
    min_severity: Annotated[
        SeverityName | None, Meta(description="Report findings of at least this severity; unset: as configured.")
    ] = None
    rules: Annotated[
        tuple[str, ...], Meta(description="Only these rules; a name may end in `*`. Empty: as configured.")
    ] = ()
    color: Annotated[bool, Meta(description="Colour the text form.")] = False
    width: Annotated[int, Meta(ge=20, le=1000, description="Columns of the text form.")] = 100
    limit: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Show at most this many findings, the worst; the text form only."),
    ] = None


class AnalyzeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The report, and its numbers. `findings` counts those at or above the severity; suppressed ones not.

    `refused` has a sentence for each file that was asked for by name and could not be analysed, or not as it is;
    `narrowed` says what the project's own duck.toml keeps from the report.
    """

    report: str
    findings: int
    files: int
    cached: int
    problems: int
    by_severity: dict[str, int]
    refused: tuple[str, ...]
    narrowed: tuple[str, ...]


@engines.add
class Analyze(Engine[AnalyzeRequest, AnalyzeAnswer]):
    """Analyse files or folders and report what is wrong in them."""

    name: ClassVar[str] = "analyze"
    request = AnalyzeRequest
    answer = AnalyzeAnswer
    right = Right.ANALYSIS_RUN
    needs = ("analysis",)
    uses = ("ruff",)
    timeout_s = 3600.0

    async def run(self, request: AnalyzeRequest, call: Call) -> AnalyzeAnswer:
        """Analyse, choose what counts, render."""
        found = target(request.paths, request.directory, call.settings)
        chosen = selection(
            found.settings.analysis,
            own=call.settings.analysis,
            only=request.rules,
            known=await call.parts.analysis.known_rules(found),
            min_severity=request.min_severity,
        )

        def progress(done: int, total: int, note: str) -> None:
            call.emit(Progress(done, total, note))

        outcome = await call.parts.analysis.run(found, progress)
        path = seen_from(request.directory, found.root.path)
        root = shown_root(found.root.path, request.directory)
        report = outcome.report(chosen, root=root, name=shown_together(found.only, path))
        call.emit(Progress(len(outcome.files), len(outcome.files), "writing the report"))
        seen = overview(report)
        return AnalyzeAnswer(
            report=render(report, request.format, Style(request.color, request.width, request.limit, path)),
            findings=len(seen.findings),
            files=len(outcome.files),
            cached=outcome.cached,
            problems=len(outcome.problems),
            by_severity={each.label: count for each, count in seen.by_severity.items()},
            refused=outcome.refused(found.only, path),
            narrowed=sentences(report.narrowing) if report.narrowing is not None else (),
        )
