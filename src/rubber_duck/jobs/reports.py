"""The end of every analysis of a project: what is kept of it is brought up to date, and a report is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from rubber_duck.analysis.finding import Finding
from rubber_duck.analysis.outcome import known_rules
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.render import Format, Style, render
from rubber_duck.analysis.selection import selection
from rubber_duck.jobs.hands import Hands
from rubber_duck.scope import Scope
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.paths import Root, display

_SUFFIXES = {"text": "txt", "json": "json", "sarif": "sarif", "html": "html"}


class ReportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a project, and where the report is. `worst` are the most urgent findings, one line each."""

    project: str
    files: int
    findings: int
    by_severity: dict[str, int]
    problems: int
    worst: tuple[str, ...]
    report: str
    failed_batches: Annotated[int, Meta(ge=0)] = 0


async def written_report(
    hands: Hands, scope: Scope, root: Root, form: Format, name: str, tell: Callable[[int, int, str], None]
) -> ReportAnswer:
    """Keep what is found in the project of `root`, and write a report called `name` into the home folder's reports.

    Done again, it comes to the same: results are kept by content, and the file is replaced as a whole.
    """
    settings = hands.parts.settings
    found = await hands.parts.project_analysis.update(scope, root, settings, tell)
    known = {*known_rules(), *found.outcome.ruff_rules}
    chosen = selection(found.target.settings.analysis, own=settings.analysis, only=(), known=known)
    report = found.outcome.report(chosen, root=os.fspath(root.path), name=found.project.name)
    tell(0, 0, "writing the report")
    folder = Path(settings.home) / "reports"
    make_private_folder(folder)
    path = folder / f"{name}.{_SUFFIXES[form]}"
    Root(folder).write_atomic(path.name, render(report, form, Style()).encode(errors="replace"), mode=0o600)
    seen = overview(report)
    return ReportAnswer(
        project=found.project.name,
        files=len(found.outcome.files),
        findings=len(seen.findings),
        by_severity={each.label: count for each, count in seen.by_severity.items()},
        problems=len(found.outcome.problems),
        worst=tuple(
            f"{display(each.path)}:{each.span.start_line} {each.rule}: {each.message}" for each in seen.worst(5)
        ),
        report=os.fspath(path),
    )


def _line(finding: Finding) -> str:
    return f"{display(finding.path)}:{finding.span.start_line} {finding.rule}: {finding.message}"
