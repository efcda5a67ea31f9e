"""The end of every analysis of a project: what is kept of it is brought up to date, and a report is written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
from rubber_duck.settings.home import REPORTS, make_private_folder, reports_of
from rubber_duck.storage.keys import new_key
from rubber_duck.workflows.workflow import Known
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
    """Keep what is found in the project of `root`, and write a report into the project's folder of the home's reports.

    Done again, it comes to the same: results are kept by content, and the file is replaced as a whole. Cancelled, it
    leaves no report.
    """
    settings = hands.parts.settings
    found = await hands.parts.project_analysis.update(scope, root, settings, tell)
    known = {*known_rules(), *found.outcome.ruff_rules}
    chosen = selection(found.target.settings.analysis, own=settings.analysis, only=(), known=known)
    path = reports_of(Path(settings.home), found.project.id) / f"{wanted.name}.{_SUFFIXES[wanted.form]}"
    tell(0, 0, "writing the report")
    answer, written = await asyncio.to_thread(_rendered, found, chosen, wanted, path)
    await placed(path, written)
    return answer


async def clear_reports(hands: object, known: Known, before: datetime) -> None:
    """Remove reports on this machine that were written before that moment, and whose runs are no longer known."""
    if not isinstance(hands, Hands):
        return
    old = await asyncio.to_thread(_written_before, Path(hands.parts.settings.home) / REPORTS, before.timestamp())
    left = await known([each.stem for each in old])
    for path in old:
        if path.stem not in left:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _written_before(folder: Path, moment_s: float) -> list[Path]:
    """Those of runs: a person's own, of `duck up`, is `report.html` in a folder of its own."""
    suffixes = {f".{each}" for each in _SUFFIXES.values()}
    found = (each for each in folder.rglob("*") if each.suffix in suffixes and each.stem != "report")
    return [each for each in found if each.is_file() and each.stat().st_mtime < moment_s]


async def placed(path: Path, content: bytes) -> None:
    """Write it, under another name until it is whole. Cancelled meanwhile, it leaves no file, and takes none away.

    A process that was frozen may come here when another has finished its run, whose report that is.
    """
    beside = path.with_name(f".{new_key()}{path.suffix}")
    writing = asyncio.ensure_future(asyncio.to_thread(_put, beside, content))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])  # nobody can stop a thread
        beside.unlink(missing_ok=True)  # a moment; no await is left to a task that was cancelled
        raise
    beside.replace(path)  # a moment, in which it cannot be cancelled


def _put(path: Path, content: bytes) -> None:
    make_private_folder(path.parent)
    Root(path.parent).write_atomic(path.name, content, mode=0o600)


def _rendered(found: ProjectOutcome, chosen: Selection, wanted: Wanted, path: Path) -> tuple[ReportAnswer, bytes]:
    """Blocks: the report of a large project takes a second to be put together."""
    root = found.target.root
    report = found.outcome.report(chosen, root=os.fspath(root.path), name=found.project.name)
    report = with_remarks(report, found.outcome, chosen, wanted.remarks)
    written = render(report, wanted.form, Style()).encode(errors="replace")
    seen = overview(report)
    answer = ReportAnswer(
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
    return answer, written


def said_of(answer: Any) -> str:  # Any: a ReportAnswer as builtins
    """What a report says, in a sentence, and where it is."""
    counted = ", ".join(f"{count:,} {label}" for label, count in answer["by_severity"].items() if count)
    findings = f"{_counted(answer['findings'], 'finding')} ({counted})" if counted else "no findings"
    return f"{answer['project']}: {_counted(answer['files'], 'file')}, {findings}\n{answer['report']}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
