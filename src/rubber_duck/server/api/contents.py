"""What is in a project: its files, what was found in them, reports, and whatever engines answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec

from rubber_duck.analysis.finding import Finding, Severity
from rubber_duck.analysis.store import results_of
from rubber_duck.call import emit_nothing
from rubber_duck.errors import InvalidInput, UnknownName
from rubber_duck.scope import Right
from rubber_duck.server.api.projects import project_of
from rubber_duck.server.api.route import Answer, Call, Method, Plain, Route, paged
from rubber_duck.server.asking import RunRequest, carried_out, permit_of, placed_in, unplaced
from rubber_duck.server.copies import check_here
from rubber_duck.server.desk import Member
from rubber_duck.server.files import content_of
from rubber_duck.server.limits import RouteClass
from rubber_duck.workspace.paths import display

_FORMATS: Final = {"json": "application/json", "sarif": "application/sarif+json", "html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}  # fmt: skip  # noqa: E501


class FileView(msgspec.Struct, frozen=True):
    """A file of a project; `language` is "" for what is only text."""

    path: str
    language: str
    size_bytes: int


class FilesPage(msgspec.Struct, frozen=True):
    """Files by path; `next` is the cursor of the next page, "" at the end."""

    files: tuple[FileView, ...]
    next: str


class FindingView(msgspec.Struct, frozen=True):
    """A finding; lines and columns are 1-based, the end is exclusive."""

    path: str
    rule: str
    severity: str
    message: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int


class Analyzed(msgspec.Struct, frozen=True):
    """How many files there are and how many findings, also by severity."""

    files: int
    findings: int
    by_severity: dict[str, int]


class FindingsPage(msgspec.Struct, frozen=True):
    """Findings by place; `next` is the cursor of the next page, "" at the end."""

    findings: tuple[FindingView, ...]
    next: str


async def list_files(call: Call) -> FilesPage:
    """The files that were seen when the project was analysed last."""
    files = await call.desk.app.parts.workspace.files(call.tenant, await project_of(call))
    found, more = paged(files, lambda each: each.path, call.page())
    return FilesPage(tuple(FileView(display(each.path), each.language or "", each.size_bytes) for each in found), more)


async def read_file(call: Call) -> Plain:
    """What a file holds now; up to 5 MB. Only files that the project does not ignore, as they were seen last."""
    content = await content_of(call.tenant, call.desk.app, await project_of(call), call.path["path"])
    return Plain(content, "application/octet-stream")


async def list_findings(call: Call) -> FindingsPage:
    """What the last analysis found; `?severity=` is the least, `?path=` one file."""
    least = call.query.get("severity", "info")
    known = {each.label: each for each in Severity}
    if least not in known:
        raise UnknownName.among("severity", least, known)
    async with call.desk.database.begin(write=False) as tx:
        results = await results_of(call.tenant, tx, path=call.query.get("path"))
    found = {
        _key(each): each
        for result in results
        for each in result.findings
        if each.severity >= known[least] and each.suppressed is None
    }
    page, more = paged(sorted(found), str, call.page())
    return FindingsPage(tuple(_finding(found[key]) for key in page), more)


async def analyze(call: Call) -> Analyzed:
    """Analyse the project and keep what is found; its files and findings are those of this moment then."""
    project, scope = await project_of(call), call.tenant
    kept = replace(scope, rights=scope.rights | {Right.PROJECT_CREATE})  # what is there already is opened, not made
    await check_here(project.root)
    with unplaced(project.root):
        answer = await call.desk.app.run("up", {"path": project.root, "format": "json"}, kept)
    files = answer.added + answer.changed + answer.unchanged
    return Analyzed(files, answer.findings, answer.by_severity)


async def report(call: Call) -> Plain:
    """An analysis of the project as it is now, as json, sarif, html or text."""
    form = call.query.get("format", "json")
    if form not in _FORMATS:
        raise UnknownName.among("format", form, _FORMATS)
    answer = await _run(call, "analyze", {"paths": ["."], "format": form})
    return Plain(answer.report.encode("utf-8", "replace"), _FORMATS[form])


async def search(call: Call) -> msgspec.Struct:
    """What `duck search` finds; `?q=` is the query, `?limit=` the most hits."""
    if not call.query.get("q"):
        raise InvalidInput("say with ?q= what to look for")
    _, limit = call.page()
    found: msgspec.Struct = await _run(call, "search", {"query": call.query["q"], "limit": limit})
    return found


async def run(call: Call) -> Answer:
    """Run an engine on the project and wait for its answer; its progress is told only over the socket."""
    asked: RunRequest = call.body
    answered: msgspec.Struct = await _run(call, asked.engine, asked.request)
    return answered


async def _run(call: Call, engine: str, request: dict[str, Any]) -> Any:  # Any: JSON; the engine's own answer
    placed = await placed_in(call.desk, await project_of(call), RunRequest(engine, request), call.scope, call.tenant)
    permit = permit_of(call.desk, Member(call.standing, call.trace), placed.right, call.scope.project)
    return await carried_out(call.desk, permit, placed, emit_nothing)


def _key(finding: Finding) -> str:
    """In the order of places, and different for any two findings."""
    span = finding.span
    return "\0".join((finding.path, f"{span.start_line:09}", f"{span.start_column:09}", finding.rule, finding.message))


def _finding(finding: Finding) -> FindingView:
    span = finding.span
    place = (span.start_line, span.start_column, span.end_line, span.end_column)
    return FindingView(display(finding.path), finding.rule, finding.severity.label, finding.message, *place)


_P, _READ, _RUN, _PAGES = "/projects/{project}", Right.FILE_READ, RouteClass.RUN, ("cursor", "limit")

ROUTES: tuple[Route, ...] = (
    Route(
        Method.GET,
        _P + "/files",
        _READ,
        list_files,
        "The files of a project",
        answer=FilesPage,
        queries=_PAGES,
    ),
    Route(
        Method.GET,
        _P + "/files/{path:path}",
        _READ,
        read_file,
        "What a file holds",
        answer=None,
    ),
    Route(
        Method.GET,
        _P + "/findings",
        _READ,
        list_findings,
        "What the last analysis found",
        answer=FindingsPage,
        queries=(*_PAGES, "severity", "path"),
    ),
    Route(
        Method.POST,
        _P + "/analyze",
        Right.FILE_WRITE,
        analyze,
        "Analyse a project and keep what is found",
        answer=Analyzed,
        cost=_RUN,
    ),
    Route(
        Method.GET,
        _P + "/report",
        Right.ANALYSIS_RUN,
        report,
        "A report on the project as it is now",
        answer=None,
        cost=_RUN,
        queries=("format",),
    ),
    Route(
        Method.GET,
        _P + "/search",
        _READ,
        search,
        "Find code",
        answer=None,
        cost=_RUN,
        queries=("q", "limit"),
    ),
    Route(
        Method.POST,
        _P + "/run",
        Right.PROJECT_READ,
        run,
        "Run an engine and wait for its answer",
        RunRequest,
        None,
        _RUN,
    ),
)
"""The routes into a project."""
