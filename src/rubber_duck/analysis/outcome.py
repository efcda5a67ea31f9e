"""What one run over a set of files came to, and the report that it makes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck import __version__
from rubber_duck.analysis.analyzer import INVALID_ENCODING, SYNTAX_ERROR
from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.directives import INVALID_SUPPRESSION
from rubber_duck.analysis.file_analysis import FAILURES, RUFF_GIVEN_UP, FileAnalysis
from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity
from rubber_duck.analysis.report.model import FileReport, LanguageCount, Problem, Report, RuleDescription
from rubber_duck.analysis.ruff import rule_meaning
from rubber_duck.analysis.ruff_rules import SYNTAX_RULE
from rubber_duck.analysis.rule import Rule, rules
from rubber_duck.analysis.selection import Selection
from rubber_duck.workspace.paths import display
from rubber_duck.workspace.scan import Scan

BUILT_IN: Final[dict[str, RuleDescription]] = {
    SYNTAX_ERROR: RuleDescription(
        SYNTAX_ERROR,
        Kind.SYNTAX,
        Severity.MEDIUM,
        Confidence.MEDIUM,
        "Text that the language's grammar does not understand.",
        "The parser had to skip something here. What follows in the file was still analysed, as far as possible.",
    ),
    SYNTAX_RULE: RuleDescription(
        SYNTAX_RULE,
        Kind.SYNTAX,
        Severity.MEDIUM,
        Confidence.HIGH,
        "Python that does not parse.",
        "ruff's parser could not understand the file here, so ruff's other rules said nothing about the file.",
    ),
    INVALID_ENCODING: RuleDescription(
        INVALID_ENCODING,
        Kind.SYNTAX,
        Severity.MEDIUM,
        Confidence.HIGH,
        "Bytes that are not text in the file's encoding.",
        "Each such byte was read as `?`, and the rest of the file was analysed. Save the file as UTF-8, or, in Python, "
        "declare its encoding in the first line (PEP 263).",
    ),
    INVALID_SUPPRESSION: RuleDescription(
        INVALID_SUPPRESSION,
        Kind.STYLE,
        Severity.LOW,
        Confidence.HIGH,
        "A comment that means to silence a finding and does not.",
        "`duck: ignore[rule] -- the reason` silences the rules in brackets, on the line that the comment stands behind "
        "or, from a line of its own, on the next line with code; `duck: ignore-file[…]` does so in the whole file. "
        "Without a rule in brackets or without a reason it silences nothing, nor does a name that no rule has.",
    ),
}
"""What may be reported without a rule class of its own."""


@dataclass(frozen=True, slots=True)
class AnalyzedFile:
    """One file of an outcome; `analysis.findings` carry the file's path."""

    path: str
    size_bytes: int
    analysis: FileAnalysis
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a run found, before anything is left out for being below a severity.

    `version` names the rules and programs that ran; `cached` counts the files whose results were known;
    `ruff_rules` describes ruff's rules, if it was asked to run.
    """

    root: str
    scan: Scan
    files: tuple[AnalyzedFile, ...]
    problems: tuple[Problem, ...]
    version: str
    cached: int
    ruff_rules: Mapping[str, RuleDescription]

    def refused(self, named: Sequence[str], find: Callable[[str], str] = str) -> tuple[str, ...]:
        """A sentence for each file that was named and could not be analysed, or that something failed on.

        `find` names a file as the reader finds it.
        """
        wanted = set(named)
        sentences = [
            each.detail
            if each.reason == RUFF_GIVEN_UP
            else f"'{display(find(each.path))}' could not be analysed: {each.detail}"
            for each in self.problems
            if each.path in wanted or each.reason in FAILURES
        ]
        sentences += [
            f"'{display(find(file.path))}' could not be analysed: it is in no language that RubberDuck knows"
            for file in self.scan.files
            if file.language is None and file.path in wanted
        ]
        for file in self.files:
            if file.path in wanted:
                sentences += [
                    f"'{display(find(file.path))}' was not analysed as it is: {finding.message}"
                    for finding in file.findings
                    if finding.rule == INVALID_ENCODING
                ]
        return tuple(sentences)

    def report(self, selection: Selection, *, root: str, name: str = "") -> Report:
        """The report over the findings that count; `root` is shown as the place of the analysis."""
        reports: list[FileReport] = []
        languages: dict[str, LanguageCount] = {}
        used: set[str] = set()
        withheld = 0
        for file in self.files:
            if file.analysis.is_left_out:
                continue
            held = languages.get(file.analysis.language, LanguageCount(0, 0))
            languages[file.analysis.language] = LanguageCount(held.files + 1, held.lines + file.analysis.lines)
            findings = selection.keep(file.findings)
            withheld += selection.withheld(file.findings)
            if findings:
                used.update(finding.rule for finding in findings)
                analysis = file.analysis
                reports.append(FileReport(file.path, analysis.language, analysis.lines, findings, analysis.excerpt))
        return Report(
            root=root,
            files=tuple(reports),
            problems=self.problems,
            languages=dict(sorted(languages.items())),
            rules=tuple(self.ruff_rules.get(rule) or description(rule) for rule in sorted(used)),
            version=__version__,
            name=name,
            narrowing=selection.narrowing and replace(selection.narrowing, withheld=withheld),
        )


def placed(path: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with their path filled in."""
    return tuple(replace(finding, path=path) for finding in findings)


def left_out(scan: Scan, wanted: Sequence[str]) -> list[Problem]:
    """What the scan left out, as far as it lies below `wanted` (empty: everywhere)."""
    return [Problem(each.path, each.reason.value, each.detail) for each in scan.left_out if is_below(each.path, wanted)]


def given_up(files: int) -> Problem:
    """The problem of all files of a run that ruff was not shown any more."""
    what = "1 Python file" if files == 1 else f"{files:,} Python files"
    return Problem(
        ".",
        RUFF_GIVEN_UP,
        f"ruff was given up, because it failed on too many files or took too long; {what} it did not look at: "
        "leave out what it failed on, or set `analysis.ruff = false`",
    )


def is_below(path: str, wanted: Sequence[str]) -> bool:
    """Whether `path` is one of `wanted` or lies in it; always when `wanted` is empty."""
    return not wanted or any(path == each or path.startswith(f"{each}/") for each in wanted)


def known_rules() -> set[str]:
    """The names of our own rules and of what is reported without one."""
    return {*rules.discover(), *BUILT_IN}


@functools.cache
def description(name: str) -> RuleDescription:
    """What there is to say about the rule of a finding."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name.startswith(RUFF):
        meant = rule_meaning(name)
        summary = f"ruff's rule {name.removeprefix(RUFF)}."
        return RuleDescription(name, meant.kind, meant.severity, meant.confidence, summary, "", meant.cwe)
    return describe(rules[name])


def describe(rule: type[Rule]) -> RuleDescription:
    """The description of one of our own rules: the docstring's first sentence, and all of it."""
    documentation = inspect.cleandoc(rule.__doc__ or "")
    summary = documentation.split("\n\n")[0].replace("\n", " ")
    return RuleDescription(rule.name, rule.kind, rule.severity, rule.confidence, summary, documentation, rule.cwe)
