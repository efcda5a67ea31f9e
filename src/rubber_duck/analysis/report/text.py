"""The report for a terminal, in the manner of a good compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from rich.cells import cell_len

from rubber_duck.analysis.finding import Finding, Fix, Severity
from rubber_duck.analysis.report.excerpt import CodeLine, excerpt
from rubber_duck.analysis.report.model import FileReport, Problem, Report
from rubber_duck.analysis.report.narrowed import CAVEAT, sentences
from rubber_duck.analysis.report.overview import Overview, overview
from rubber_duck.analysis.report.words import counted, reason_in_words
from rubber_duck.analysis.visible import shortened, visible, visible_name

_SGR: Final = {
    Severity.CRITICAL: "1;97;41",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "33",
    Severity.LOW: "36",
    Severity.INFO: "34",
}
_UNDERLINE: Final = {**_SGR, Severity.CRITICAL: "1;31"}
_NAMES_SHOWN: Final = 3
_RANKED: Final = 3
_RANK_FROM: Final = 10  # with fewer findings a ranking only repeats them
_LEAST_WIDTH: Final = 40
_MESSAGE_CHARACTERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Style:
    """How wide the terminal is, whether it shows colours, and how the reader finds a file."""

    color: bool
    width: int
    find: Callable[[str], str]

    def path(self, path: str) -> str:
        return visible_name(self.find(path))

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text

    def listed(self, begin: str, names: str) -> str:
        """`begin` and the `names`, in lines that fit and hang below each other where people read them."""
        room = max(_LEAST_WIDTH, self.width - len(begin))
        lines = wrap(names, room, break_long_words=False, break_on_hyphens=False) if self.color else [names]
        return begin + f"\n{' ' * len(begin)}".join(map(self.dim, lines))

    def wrapped(self, sentence: str) -> list[str]:
        """A sentence in lines that fit where people read it."""
        return wrap(sentence, self.width, break_on_hyphens=False) if self.color else [sentence]

    def bold(self, text: str) -> str:
        return self.paint("1", text)

    def dim(self, text: str) -> str:
        return self.paint("2", text)


def render_text(
    report: Report, *, color: bool, width: int, limit: int | None = None, path: Callable[[str], str] = str
) -> str:
    """The report as lines that fit `width` terminal cells where they can; ends in a summary line and a line break.

    `limit` shows that many of the most urgent findings and says how many more there are; None shows all. `path`
    names a file, given relative to the root, as the reader finds it. The summary line is
    `N findings in M files, K left out. By severity: …`: M files were analysed, and K were not.
    """
    style = _Style(color, max(width, _LEAST_WIDTH), path)
    seen = overview(report)
    shown = seen.findings if limit is None else seen.worst(limit)
    lines: list[str] = []
    for file, findings in _by_file(report.files, shown):
        lines += _file(file, findings, style)
    lines += _ranking(seen, style)
    lines += _left_out(report.problems, style)
    if len(shown) < len(seen.findings):
        lines += [f"Shown: the {len(shown):,} most urgent of {len(seen.findings):,}; `--limit 0` shows all.", ""]
    if seen.suppressed:
        lines += [style.dim(f"{counted(seen.suppressed, 'finding')} suppressed by comments in the code."), ""]
    if report.narrowing is not None:
        lines += [*(line for said in sentences(report.narrowing) for line in style.wrapped(said)), ""]
    lines.append(_summary(report, seen, style))
    return "\n".join(lines) + "\n"


def _by_file(files: Sequence[FileReport], shown: Sequence[Finding]) -> Iterator[tuple[FileReport, list[Finding]]]:
    chosen: dict[str, list[Finding]] = {}
    for finding in shown:
        chosen.setdefault(finding.path, []).append(finding)
    by_path = {file.path: file for file in files}
    # `shown` is either in the order of paths or most urgent first; the files follow it.
    for path, findings in chosen.items():
        yield by_path[path], sorted(findings, key=lambda finding: finding.order)


def _file(file: FileReport, findings: Sequence[Finding], style: _Style) -> Iterator[str]:
    path = style.path(file.path)
    count = counted(len(findings), "finding")
    rule = "─" * max(3, style.width - cell_len(path) - len(count) - 5)
    yield f"{style.dim('──')} {style.bold(path)} {style.dim(rule)} {style.dim(count)}"
    yield ""
    for finding in findings:
        yield from _finding(finding, file, style)
        yield ""


def _finding(finding: Finding, file: FileReport, style: _Style) -> Iterator[str]:
    severity = finding.severity
    yield from _head(finding, style)
    span = finding.span
    gutter = max(3, len(str(max(span.start_line, span.end_line))) + 1)
    bar = style.dim(" " * gutter + " │")
    about = [finding.kind.value, *([f"CWE-{finding.cwe}"] if finding.cwe is not None else [])]
    about.append(f"{finding.confidence.label} confidence")
    yield from _place(
        f"{style.path(file.path)}:{span.start_line}:{span.start_column}", " · ".join(about), gutter, style
    )
    code = excerpt(file.excerpt, span, style.width - gutter - 3)
    if code is not None:
        for index, line in enumerate(code.lines):
            yield from _code(line, gutter, severity, style)
            if index == 0 and code.skipped:
                yield style.dim(f"{'…':>{gutter}} │ {counted(code.skipped, 'more line')}")
    if finding.fix is not None:
        yield f"{bar}"
        yield f"{style.dim(' ' * gutter + ' =')} {style.paint('1;32', 'help')}: {_fix(finding.fix)}"


def _place(place: str, about: str, gutter: int, style: _Style) -> Iterator[str]:
    """The place and what is said about it, on a line of its own where people would see it broken."""
    corner = style.dim(" " * gutter + " ┌─")
    if style.color and gutter + 6 + cell_len(place) + cell_len(about) > style.width:
        yield f"{corner} {place}"
        yield style.dim(f"{' ' * gutter} │  {about}")
    else:
        yield f"{corner} {place}  {style.dim(about)}"


def _head(finding: Finding, style: _Style) -> Iterator[str]:
    """The sentence about the finding: wrapped where people read it, one line where a program does."""
    severity, rule = finding.severity, f"[{visible_name(finding.rule)}]"
    begin = f"{severity.label}{rule}"
    text = f"{begin} {_said(finding.message)}"
    lines = wrap(text, style.width, subsequent_indent="    ", break_on_hyphens=False) if style.color else [text]
    if lines[0].startswith(begin):
        lines[0] = style.paint(_SGR[severity], severity.label) + style.bold(rule) + lines[0][len(begin) :]
    yield from lines


def _code(line: CodeLine, gutter: int, severity: Severity, style: _Style) -> Iterator[str]:
    number = style.dim(f"{line.number:>{gutter}} │")
    yield f"{number} {line.before}{line.marked}{line.after}".rstrip()
    under = style.paint(_UNDERLINE[severity], "^" * line.marked_cells)
    yield f"{style.dim(' ' * gutter + ' │')} {' ' * line.offset_cells}{under}"


def _fix(fix: Fix) -> str:
    return f"{_said(fix.message)} ({'safe' if fix.safe else 'check the result: it may change the meaning'})"


def _ranking(seen: Overview, style: _Style) -> list[str]:
    if len(seen.findings) < _RANK_FROM:
        return []
    rules = ", ".join(f"{visible_name(group.rule)} ×{group.findings:,}" for group in seen.rules[:_RANKED])
    files = ", ".join(f"{style.path(rank.path)} ×{rank.findings:,}" for rank in seen.files[:_RANKED])
    lines = [f"{style.bold('Where it weighs most')} {style.dim('(severity × confidence, added up)')}"]
    lines.append(style.listed("  rules  ", rules))
    if len(seen.files) > 1:
        lines.append(style.listed("  files  ", files))
    return [*lines, ""]


def _left_out(problems: Sequence[Problem], style: _Style) -> list[str]:
    if not problems:
        return []
    reasons: dict[str, list[str]] = {}
    for problem in sorted(problems, key=lambda problem: (problem.reason, problem.path, problem.detail)):
        reasons.setdefault(problem.reason, []).append(style.path(problem.path))
    lines = [style.bold("Left out")]
    words = {reason: visible_name(reason_in_words(reason)) for reason in reasons}
    column = max(map(len, words.values()))
    digits = max(len(f"{len(paths):,}") for paths in reasons.values())
    for reason, paths in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        names = ", ".join(paths[:_NAMES_SHOWN])
        more = f" and {len(paths) - _NAMES_SHOWN:,} more" if len(paths) > _NAMES_SHOWN else ""
        lines.append(style.listed(f"  {words[reason]:<{column}}  {len(paths):>{digits},}  ", names + more))
    return [*lines, ""]


def _summary(report: Report, seen: Overview, style: _Style) -> str:
    left_out = len(report.problems)
    found = f"{counted(len(seen.findings), 'finding').capitalize()} in {counted(seen.analysed, 'file')}"
    if not seen.findings:
        head = found if seen.analysed else "No files to analyse"
        head = f"{head}, {left_out:,} left out" if left_out else head
        if report.narrowing is not None:
            return style.bold(f"{head}, {CAVEAT}")
        if seen.analysed and all(problem.is_decided for problem in report.problems):
            return style.paint("1;32", f"{head}: nothing to quack about")
        return style.bold(head)
    counts = ", ".join(
        style.paint(_UNDERLINE[severity], f"{count:,} {severity.label}")
        for severity, count in seen.by_severity.items()
        if count
    )
    absent = f"{left_out:,} left out" if left_out else "nothing left out"
    return f"{style.bold(f'{found}, {absent}.')} By severity: {counts}"


def _said(text: str) -> str:
    return visible(shortened(text, _MESSAGE_CHARACTERS))
