"""The end of every analysis of a project: what is kept of it is brought up to date, and a report is written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rubber_duck.analysis.outcome import known_rules
from rubber_duck.analysis.project_analysis import ProjectOutcome
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.render import Format, Style, render
from rubber_duck.analysis.selection import Selection, selection
from rubber_duck.jobs.hands import Hands
from rubber_duck.jobs.remarks import RULE, with_remarks
from rubber_duck.jobs.reviewing import Remark
from rubber_duck.scope import Scope
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.paths import Root, display

_SUFFIXES = {"text": "txt", "json": "json", "sarif": "sarif", "html": "html"}


class ReportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a project, and where the report is. `worst` are the most urgent findings, one line each.

    `failed` says what failed beside which the rest stands, a sentence each. `reviewed` files were shown to a model,
    which made `remarks`; they are findings of the rule `review` in the report. `review` says why there was none.
    """

    project: str
    files: int
    findings: int
    by_severity: dict[str, int]
    problems: int
    worst: tuple[str, ...]
    report: str
    failed_batches: Annotated[int, Meta(ge=0)] = 0
    failed: tuple[str, ...] = ()
    reviewed: int = 0
    remarks: int = 0
    review: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form and the name of a report, and what a model said that is to stand in it."""

    form: Format
    name: str
    remarks: tuple[Remark, ...] = ()


async def written_report(
    hands: Hands, scope: Scope, root: Root, wanted: Wanted, tell: Callable[[int, int, str], None]
) -> ReportAnswer:
    """Keep what is found in the project of `root`, and write a report into the home folder's reports.

    Done again, it comes to the same: results are kept by content, and the file is replaced as a whole.
    """
    settings = hands.parts.settings
    found = await hands.parts.project_analysis.update(scope, root, settings, tell)
    known = {*known_rules(), *found.outcome.ruff_rules}
    chosen = selection(found.target.settings.analysis, own=settings.analysis, only=(), known=known)
    tell(0, 0, "writing the report")
    return await asyncio.to_thread(_written, found, chosen, wanted, Path(settings.home) / "reports")


def _written(found: ProjectOutcome, chosen: Selection, wanted: Wanted, folder: Path) -> ReportAnswer:
    """Blocks: the report of a large project takes a second to be put together."""
    root = found.target.root
    report = found.outcome.report(chosen, root=os.fspath(root.path), name=found.project.name)
    report = with_remarks(report, found.outcome, chosen, wanted.remarks)
    make_private_folder(folder)
    path = folder / f"{wanted.name}.{_SUFFIXES[wanted.form]}"
    written = render(report, wanted.form, Style()).encode(errors="replace")
    Root(folder).write_atomic(path.name, written, mode=0o600)
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
        remarks=sum(finding.rule == RULE for file in report.files for finding in file.findings),
    )


def said_of(answer: Any) -> str:  # Any: a ReportAnswer as builtins
    """What a report says, in a sentence, and where it is."""
    counted = ", ".join(f"{count:,} {label}" for label, count in answer["by_severity"].items() if count)
    findings = f"{_counted(answer['findings'], 'finding')} ({counted})" if counted else "no findings"
    return f"{answer['project']}: {_counted(answer['files'], 'file')}, {findings}\n{answer['report']}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
