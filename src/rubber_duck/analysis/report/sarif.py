"""The report as SARIF 2.1.0 (OASIS, errata 01), shaped for GitHub's code scanning and its like.

- A rule's CWE is in `properties.tags` as `external/cwe/cwe-089`, beside `security`; security rules have a
  `security-severity` (over 9 critical, from 7 high, from 4 medium, else low), all have a `precision`.
- Level: critical and high are `error`, medium is `warning`, low and info are `note`; `rank` is our priority.
- Fingerprints are under `rubberDuck/v1` (see `fingerprint`), not under GitHub's `primaryLocationLineHash`, because
  its upload action computes that one itself and warns about every value that is not its own.
- Suppressed findings are results with a suppression. What was left out is a notification of the invocation; what the
  project's own duck.toml keeps back is a notification of its configuration, with the whole list in its properties.
- URIs are relative to `SRCROOT`, which has an address only when the root was given as an absolute path.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import quote

import msgspec

from rubber_duck.analysis.finding import Finding, Fix, Kind, Severity
from rubber_duck.analysis.report.fingerprint import fingerprints
from rubber_duck.analysis.report.model import FileReport, Narrowing, Problem, Report, RuleDescription
from rubber_duck.analysis.report.narrowed import sentences
from rubber_duck.analysis.report.overview import priority
from rubber_duck.analysis.visible import scrubbed, visible_json

_Tree = dict[str, Any]  # Any: SARIF is a tree of plain JSON, checked against its schema in the tests

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "SRCROOT"
_LEVEL: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_NARROWED: Final = "narrowed_by_project"
_PROBLEM_SEVERITY: Final = {"error": "error", "warning": "warning", "note": "recommendation"}
_SECURITY_SEVERITY: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}


def render_sarif(report: Report) -> str:
    """The report as one SARIF run, ending in a line break."""
    files = sorted((file for file in report.files if file.findings), key=lambda file: file.path)
    rules = _rules(report, files)
    index = {rule.name: position for position, rule in enumerate(rules)}
    results = [
        _result(finding, index[finding.rule], {**_location(file.path), "index": position}, fingerprint)
        for position, file in enumerate(files)
        for finding, fingerprint in fingerprints(file)
    ]
    if any("suppressions" in result for result in results):
        for result in results:  # 3.27.23: present on all results or on none
            result.setdefault("suppressions", [])
    problems = sorted(report.problems, key=lambda each: (each.path, each.reason, each.detail))
    run = {
        "tool": {"driver": _driver(report, rules, problems)},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(map(_notification, problems)),
                **_configuration(report.narrowing),
            }
        ],
        "originalUriBaseIds": {_ROOT: _source_root(report)},
        "columnKind": "unicodeCodePoints",
        "artifacts": list(map(_artifact, files)),
        "results": results,
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return visible_json(msgspec.json.encode(document).decode()) + "\n"


def _rules(report: Report, files: list[FileReport]) -> list[RuleDescription]:
    """The rules of the report and, made from their first finding, those that it does not describe; by name."""
    rules = {rule.name: rule for rule in report.rules}
    for file in files:
        for finding in file.findings:
            if finding.rule not in rules:
                rules[finding.rule] = RuleDescription(
                    finding.rule, finding.kind, finding.severity, finding.confidence, "", "", finding.cwe
                )
    return [rules[name] for name in sorted(rules)]


def _driver(report: Report, rules: list[RuleDescription], problems: list[Problem]) -> _Tree:
    reasons = sorted({*(scrubbed(problem.reason) for problem in problems), *([_NARROWED] if report.narrowing else [])})
    return {
        "name": "RubberDuck",
        "version": report.version,
        "rules": list(map(_rule, rules)),
        "notifications": [{"id": reason, "shortDescription": {"text": _words(reason)}} for reason in reasons],
    }


def _rule(rule: RuleDescription) -> _Tree:
    summary = scrubbed(rule.summary) or scrubbed(rule.name)
    documentation = scrubbed(rule.documentation) or summary
    level = _LEVEL[rule.severity]
    properties: _Tree = {
        "tags": _tags(rule.kind, rule.cwe),
        "precision": rule.confidence.label,
        "problem.severity": _PROBLEM_SEVERITY[level],
    }
    if rule.kind is Kind.SECURITY:
        properties["security-severity"] = _SECURITY_SEVERITY[rule.severity]
    descriptor: _Tree = {
        "id": scrubbed(rule.name),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": documentation.partition("\n\n")[0].strip() or summary},
        "help": {"text": documentation, "markdown": documentation},
        "defaultConfiguration": {"level": level},
        "properties": properties,
    }
    if rule.url:
        descriptor["helpUri"] = quote(_bytes(rule.url), safe=":/?#[]@!$&'()*+,;=%~")
    return descriptor


@cache
def _tags(kind: Kind, cwe: int | None) -> tuple[str, ...]:
    # GitHub matches `external/cwe/cwe-089`: three digits at least.
    return (*([f"external/cwe/cwe-{cwe:03d}"] if cwe is not None else []), kind.value)


def _result(finding: Finding, rule: int, location: _Tree, fingerprint: str) -> _Tree:
    """One finding; `rule` is the position of its rule in the run."""
    result: _Tree = {
        "ruleId": scrubbed(finding.rule),
        "ruleIndex": rule,
        "level": _LEVEL[finding.severity],
        "rank": priority(finding),
        "message": {"text": scrubbed(finding.message) or scrubbed(finding.rule)},
        "locations": [{"physicalLocation": {"artifactLocation": location, "region": _region(finding)}}],
        "partialFingerprints": {"rubberDuck/v1": fingerprint},
        "properties": {
            "severity": finding.severity.label,
            "confidence": finding.confidence.label,
            "tags": _tags(finding.kind, finding.cwe),
        },
    }
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix, location)]
    if finding.suppressed is not None:
        result["suppressions"] = [
            {"kind": "inSource", "status": "accepted", "justification": scrubbed(finding.suppressed)}
        ]
    return result


def _region(finding: Finding) -> dict[str, int]:
    span = finding.span
    return {
        "startLine": max(1, span.start_line),
        "startColumn": max(1, span.start_column),
        "endLine": max(1, span.end_line),
        "endColumn": max(1, span.end_column),
    }


def _fix(fix: Fix, location: _Tree) -> _Tree:
    replacements = [
        {
            "deletedRegion": {"byteOffset": edit.start_byte, "byteLength": edit.end_byte - edit.start_byte},
            **({"insertedContent": {"text": scrubbed(edit.text)}} if edit.text else {}),
        }
        for edit in fix.edits
    ]
    return {
        "description": {"text": scrubbed(fix.message)},
        "artifactChanges": [{"artifactLocation": location, "replacements": replacements}],
        "properties": {"safe": fix.safe},
    }


def _artifact(file: FileReport) -> _Tree:
    language = {"sourceLanguage": file.language} if file.language else {}
    return {"location": _location(file.path), "roles": ["analysisTarget"], **language}


def _notification(problem: Problem) -> _Tree:
    detail = f": {problem.detail}" if problem.detail else ""
    reason = scrubbed(problem.reason)
    return {
        "descriptor": {"id": reason},
        "level": "note" if problem.is_decided else "warning",
        "message": {"text": scrubbed(f"{problem.path} was left out: {_words(problem.reason)}{detail}")},
        "locations": [{"physicalLocation": {"artifactLocation": _location(problem.path)}}],
    }


def _configuration(narrowing: Narrowing | None) -> _Tree:
    """What the project's own duck.toml keeps back: 3.20.22 is for conditions of the configuration."""
    if narrowing is None:
        return {}
    severity = narrowing.min_severity
    paths = [{"path": scrubbed(each.path), "rules": list(map(scrubbed, each.rules))} for each in narrowing.paths]
    notification = {
        "descriptor": {"id": _NARROWED},
        "level": "warning",
        "message": {"text": scrubbed(" ".join(sentences(narrowing)))},
        "properties": {
            "off": list(map(scrubbed, narrowing.off)),
            "isTotal": narrowing.is_total,
            "paths": paths,
            **({} if severity is None else {"minSeverity": severity.label}),
            "options": list(map(scrubbed, narrowing.options)),
            "withheld": narrowing.withheld,
        },
    }
    return {"toolConfigurationNotifications": [notification]}


def _source_root(report: Report) -> _Tree:
    described: _Tree = {"description": {"text": "The folder that was analysed."}}
    if report.root.startswith("/"):
        return {"uri": f"file://{_uri(report.root.rstrip('/'))}/", **described}
    return described


def _location(path: str) -> _Tree:
    return {"uri": _uri(path), "uriBaseId": _ROOT}


@lru_cache(maxsize=64)  # a file's findings follow each other
def _uri(path: str) -> str:
    """Percent-encoded byte by byte, `:` too: `a:b` would otherwise be read as a scheme."""
    return quote(_bytes(path), safe="/")


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that no file name gives
        return text.encode("utf-8", "surrogatepass")


def _words(reason: str) -> str:
    return reason.replace("_", " ")
