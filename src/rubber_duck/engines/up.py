"""Open a code base, index and analyse it, keep what was found, and show a report."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from rubber_duck.analysis.outcome import known_rules
from rubber_duck.analysis.report.narrowed import sentences
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.render import Format, Style, render
from rubber_duck.analysis.selection import selection
from rubber_duck.analysis.target import existing, seen_from, shown_root
from rubber_duck.call import Call, Progress
from rubber_duck.code.language import title
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.scope import Right
from rubber_duck.workspace.paths import Root


class UpRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which folder to open, and how to show what was found."""

    path: Annotated[str, Meta(description="The project's folder.", extra={"argument": True, "path": True})]
    directory: Annotated[
        str, Meta(description="What a relative path is relative to; empty: the process's own folder.")
    ] = ""
    format: Annotated[Format, Meta(description="The form of the report.")] = "text"
    color: Annotated[bool, Meta(description="Colour the text form.")] = False
    width: Annotated[int, Meta(ge=20, le=1000, description="Columns of the text form.")] = 100
    limit: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Show at most this many findings, the worst first.")
    ] = 10


class LanguageLine(msgspec.Struct, frozen=True):
    """How much of one language there is; `title` is how people write its `name`, both empty where none is known."""

    name: str
    title: str
    files: int
    lines: int


class UpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The opened project, what changed since it was opened last, and the report (also as one HTML page).

    `worst_rule` and `worst_file` (as the one who asks finds it) are of the most urgent finding, empty without one;
    `narrowed` says what the project's own duck.toml keeps from the report.
    """

    project: str
    project_id: str
    root: str
    languages: tuple[LanguageLine, ...]
    added: int
    changed: int
    removed: int
    unchanged: int
    findings: int
    by_severity: dict[str, int]
    worst_rule: str
    worst_file: str
    narrowed: tuple[str, ...]
    report: str
    html: str


@engines.add
class Up(Engine[UpRequest, UpAnswer]):
    """Open a code base, index and analyse it, keep what was found, and show a report."""

    name: ClassVar[str] = "up"
    request = UpRequest
    answer = UpAnswer
    right = Right.PROJECT_CREATE
    needs = ("project_analysis",)
    uses = ("ruff",)
    timeout_s = 3600.0

    async def run(self, request: UpRequest, call: Call) -> UpAnswer:
        """Bring what is kept of the project up to date, then report on all of it."""

        def progress(done: int, total: int, note: str) -> None:
            call.emit(Progress(done, total, note))

        root = Root(existing(request.path, request.directory))
        found = await call.parts.project_analysis.update(call.scope, root, call.settings, progress)
        known = {*known_rules(), *found.outcome.ruff_rules}
        chosen = selection(found.target.settings.analysis, own=call.settings.analysis, only=(), known=known)
        shown = shown_root(root.path, request.directory)
        report = found.outcome.report(chosen, root=shown, name=found.project.name)
        call.emit(Progress(0, 0, "writing the report"))
        seen = overview(report)
        path = seen_from(request.directory, root.path)
        worst = next(iter(seen.worst(1)), None)
        return UpAnswer(
            project=found.project.name,
            project_id=str(found.project.id),
            root=shown,
            languages=tuple(
                LanguageLine(name, title(name), each.files, each.lines) for name, each in report.languages.items()
            ),
            added=found.changes.added,
            changed=found.changes.changed,
            removed=found.changes.removed,
            unchanged=found.changes.unchanged,
            findings=len(seen.findings),
            by_severity={each.label: count for each, count in seen.by_severity.items()},
            worst_rule=worst.rule if worst else "",
            worst_file=path(worst.path) if worst else "",
            narrowed=sentences(report.narrowing) if report.narrowing is not None else (),
            report=render(report, request.format, Style(request.color, request.width, request.limit, path)),
            html=render(replace(report, root=os.fspath(root.path)), "html", Style()),  # read far from here
        )
