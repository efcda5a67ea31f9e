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
from rubber_duck.analysis.report.overview import Overview, overview
from rubber_duck.analysis.report.visible import shortened, visible, visible_name
from rubber_duck.analysis.report.words import counted

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
    lines.append(_summary(seen, len(report.problems), style))
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
    place = f"{style.path(file.path)}:{span.start_line}:{span.start_column}"
    yield f"{style.dim(' ' * gutter + ' ┌─')} {place}  {style.dim(' · '.join(about))}"
    code = excerpt(file.excerpt, span, style.width - gutter - 3)
    if code is not None:
        for index, line in enumerate(code.lines):
            yield from _code(line, gutter, severity, style)
            if index == 0 and code.skipped:
                yield style.dim(f"{'…':>{gutter}} │ {counted(code.skipped, 'more line')}")
    if finding.fix is not None:
        yield f"{bar}"
        yield f"{style.dim(' ' * gutter + ' =')} {style.paint('1;32', 'help')}: {_fix(finding.fix)}"


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
    lines.append(f"  rules  {rules}")
    if len(seen.files) > 1:
        lines.append(f"  files  {files}")
    return [*lines, ""]


def _left_out(problems: Sequence[Problem], style: _Style) -> list[str]:
    if not problems:
        return []
    reasons: dict[str, list[str]] = {}
    for problem in sorted(problems, key=lambda problem: (problem.reason, problem.path, problem.detail)):
        reasons.setdefault(problem.reason, []).append(style.path(problem.path))
    lines = [style.bold("Left out")]
    words = {reason: visible_name(reason.replace("_", " ")) for reason in reasons}
    column = max(map(len, words.values()))
    digits = max(len(f"{len(paths):,}") for paths in reasons.values())
    for reason, paths in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        names = ", ".join(paths[:_NAMES_SHOWN])
        more = f" and {len(paths) - _NAMES_SHOWN:,} more" if len(paths) > _NAMES_SHOWN else ""
        lines.append(f"  {words[reason]:<{column}}  {len(paths):>{digits},}  {style.dim(names + more)}")
    return [*lines, ""]


def _summary(seen: Overview, left_out: int, style: _Style) -> str:
    found = f"{counted(len(seen.findings), 'finding').capitalize()} in {counted(seen.analysed, 'file')}"
    if not seen.findings:
        if seen.analysed and not left_out:
            return style.paint("1;32", f"{found}: nothing to quack about")
        head = found if seen.analysed else "No files to analyse"
        return style.bold(f"{head}, {left_out:,} left out" if left_out else head)
    counts = ", ".join(
        style.paint(_UNDERLINE[severity], f"{count:,} {severity.label}")
        for severity, count in seen.by_severity.items()
        if count
    )
    absent = f"{left_out:,} left out" if left_out else "nothing left out"
    return f"{style.bold(f'{found}, {absent}.')} By severity: {counts}"


def _said(text: str) -> str:
    return visible(shortened(text, _MESSAGE_CHARACTERS))
