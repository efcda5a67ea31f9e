"""The report as JSON, for programs: one versioned schema, sorted, the same bytes for the same findings.

The structs below are the schema; `schema()` gives it as JSON Schema. Within one `version`, fields are only ever
added. Suppressed findings are counted, not listed. No clock and no path but `root`, as it was given, gets in.

In every path a byte that is not UTF-8 is written as `\\xff` and a backslash as two, so no two files have the same path;
put two back to one and `\\xff` to the byte to get the name on the disk. In other text a lone surrogate is `\\udc80`.
Characters that cannot be seen, or not for what they are, stand in JSON's own escapes.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from rubber_duck.analysis.finding import Finding, Fix
from rubber_duck.analysis.report.model import FileReport, Narrowing, Report
from rubber_duck.analysis.report.overview import Overview, overview, priority
from rubber_duck.analysis.visible import reversible, scrubbed, visible_json

VERSION: Final = 1
"""The number of the schema; a change that could break a reader raises it."""


class JSONEdit(msgspec.Struct, frozen=True, gc=False):
    """Replace the bytes [start_byte, end_byte) of the file by `text`, in UTF-8."""

    start_byte: int
    end_byte: int
    text: str


class JSONFix(msgspec.Struct, frozen=True, gc=False):
    """A way to make the finding disappear; `safe` claims that the program's meaning stays."""

    message: str
    safe: bool
    edits: tuple[JSONEdit, ...]


class JSONSpan(msgspec.Struct, frozen=True, gc=False):
    """Lines and columns are 1-based, columns count Unicode code points, the end is exclusive."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


class JSONFinding(msgspec.Struct, frozen=True, gc=False):
    """One finding; `priority` is above 0 and up to 100, higher is more urgent; `cwe` is the weakness's number."""

    rule: str
    kind: str
    severity: str
    confidence: str
    priority: float
    message: str
    span: JSONSpan
    cwe: int | None
    fix: JSONFix | None


class JSONFile(msgspec.Struct, frozen=True):
    """One analysed file; `path` is relative to the root, with `/`; `language` is null when none is known."""

    path: str
    language: str | None
    lines: int
    findings: tuple[JSONFinding, ...]


class JSONLanguage(msgspec.Struct, frozen=True):
    """How much of one language was analysed, files without findings included."""

    files: int
    lines: int


class JSONRule(msgspec.Struct, frozen=True):
    """A rule of this analysis; `documentation` is Markdown, `url` is empty when there is no page about it."""

    name: str
    kind: str
    severity: str
    confidence: str
    summary: str
    documentation: str
    cwe: int | None
    url: str


class JSONProblem(msgspec.Struct, frozen=True):
    """Something left out or failed."""

    path: str
    reason: str
    detail: str


class JSONSummary(msgspec.Struct, frozen=True):
    """The report in numbers; `by_severity` and `by_kind` hold every member, zeros included."""

    findings: int
    suppressed: int
    files: int
    lines: int
    left_out: int
    by_severity: dict[str, int]
    by_kind: dict[str, int]


class JSONTool(msgspec.Struct, frozen=True):
    """What made the report."""

    name: str
    version: str


class JSONPathNarrowing(msgspec.Struct, frozen=True):
    """Rules (names, or prefixes ending in `*`) that do not count below `path`, a pattern in .gitignore syntax."""

    path: str
    rules: tuple[str, ...]


class JSONNarrowing(msgspec.Struct, frozen=True):
    """What the project's own duck.toml keeps from the report that the reader's settings alone would put there.

    `off` are rules that count nowhere, `ruff/*` for all of ruff's, and `is_total` says that none is left; `options`
    are rules whose options it sets; `min_severity` is null unless it is higher for it; `withheld` counts the
    findings that were made and are not in the report for it.
    """

    off: tuple[str, ...]
    is_total: bool
    paths: tuple[JSONPathNarrowing, ...]
    min_severity: str | None
    options: tuple[str, ...]
    withheld: int


class JSONReport(msgspec.Struct, frozen=True):
    """The whole report: `files` and `problems` sorted by path, findings by place, `rules` and `languages` by name.

    With `narrowing` other than null, no findings is no all-clear.
    """

    version: int
    tool: JSONTool
    project: str
    root: str
    summary: JSONSummary
    narrowing: JSONNarrowing | None
    languages: dict[str, JSONLanguage]
    files: tuple[JSONFile, ...]
    problems: tuple[JSONProblem, ...]
    rules: tuple[JSONRule, ...]


def render_json(report: Report) -> str:
    """The report as indented JSON, ending in a line break; read it back with `msgspec` and `JSONReport`."""
    document = JSONReport(
        version=VERSION,
        tool=JSONTool("RubberDuck", report.version),
        project=scrubbed(report.title),
        root=reversible(report.root),
        summary=_summary(overview(report), len(report.problems)),
        narrowing=_narrowing(report.narrowing) if report.narrowing is not None else None,
        languages={
            scrubbed(name): JSONLanguage(count.files, count.lines) for name, count in sorted(report.languages.items())
        },
        files=tuple(map(_file, sorted(report.files, key=lambda file: file.path))),
        problems=tuple(
            JSONProblem(reversible(problem.path), scrubbed(problem.reason), scrubbed(problem.detail))
            for problem in sorted(report.problems, key=lambda each: (each.path, each.reason, each.detail))
        ),
        rules=_rules(report),
    )
    return visible_json(msgspec.json.format(msgspec.json.encode(document), indent=2).decode()) + "\n"


def schema() -> dict[str, Any]:  # Any: a JSON Schema is a tree of plain JSON
    """The JSON Schema (2020-12) of what `render_json` writes, the same whichever Python writes it."""
    made: dict[str, Any] = _without_indentation(msgspec.json.schema(JSONReport))  # Any: as above
    return made


def _without_indentation(schema: Any) -> Any:  # Any: as above
    """Descriptions are docstrings, whose indentation Python takes away from 3.13 on."""
    match schema:
        case dict():
            return {key: _without_indentation(value) for key, value in schema.items()}
        case list():
            return [_without_indentation(each) for each in schema]
        case str():
            return inspect.cleandoc(schema)
        case _:
            return schema


def _summary(seen: Overview, left_out: int) -> JSONSummary:
    return JSONSummary(
        findings=len(seen.findings),
        suppressed=seen.suppressed,
        files=seen.analysed,
        lines=seen.lines,
        left_out=left_out,
        by_severity={severity.label: count for severity, count in seen.by_severity.items()},
        by_kind={kind.value: count for kind, count in seen.by_kind.items()},
    )


def _rules(report: Report) -> tuple[JSONRule, ...]:
    return tuple(
        JSONRule(
            name=scrubbed(rule.name),
            kind=rule.kind.value,
            severity=rule.severity.label,
            confidence=rule.confidence.label,
            summary=scrubbed(rule.summary),
            documentation=scrubbed(rule.documentation),
            cwe=rule.cwe,
            url=scrubbed(rule.url),
        )
        for rule in sorted(report.rules, key=lambda rule: rule.name)
    )


def _narrowing(narrowing: Narrowing) -> JSONNarrowing:
    severity = narrowing.min_severity
    return JSONNarrowing(
        off=tuple(map(scrubbed, narrowing.off)),
        is_total=narrowing.is_total,
        paths=tuple(
            JSONPathNarrowing(scrubbed(each.path), tuple(map(scrubbed, each.rules))) for each in narrowing.paths
        ),
        min_severity=None if severity is None else severity.label,
        options=tuple(map(scrubbed, narrowing.options)),
        withheld=narrowing.withheld,
    )


def _file(file: FileReport) -> JSONFile:
    findings = sorted((each for each in file.findings if each.suppressed is None), key=lambda each: each.order)
    return JSONFile(reversible(file.path), file.language, file.lines, tuple(map(_finding, findings)))


def _finding(finding: Finding) -> JSONFinding:
    span = finding.span
    return JSONFinding(
        scrubbed(finding.rule),
        finding.kind.value,
        finding.severity.label,
        finding.confidence.label,
        priority(finding),
        scrubbed(finding.message),
        JSONSpan(span.start_line, span.start_column, span.end_line, span.end_column),
        finding.cwe,
        _fix(finding.fix) if finding.fix is not None else None,
    )


def _fix(fix: Fix) -> JSONFix:
    edits = tuple(JSONEdit(edit.start_byte, edit.end_byte, scrubbed(edit.text)) for edit in fix.edits)
    return JSONFix(scrubbed(fix.message), fix.safe, edits)
