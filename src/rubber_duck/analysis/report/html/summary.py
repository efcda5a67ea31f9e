"""The head of the page: what was looked at, how much was found, and where it piles up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rubber_duck.analysis.finding import Severity
from rubber_duck.analysis.report.html.bars import DUCK, single, stacked
from rubber_duck.analysis.report.html.findings import Detailed, Items, shown_path
from rubber_duck.analysis.report.html.markup import Html, element
from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.narrowed import CAVEAT, sentences
from rubber_duck.analysis.report.overview import Overview
from rubber_duck.analysis.report.words import counted
from rubber_duck.analysis.visible import visible_name
from rubber_duck.code.language import title

_RANKED: Final = 12
_LANGUAGES: Final = 8
_WEIGHT: Final = (
    "The number is of findings. The bar is their weight, severity × confidence added up: a few critical ones outweigh "
    "a hundred remarks."
)


def masthead(report: Report, seen: Overview, generated: str | None, links: Sequence[tuple[str, str]]) -> Html:
    """The mark, the project's name, one sentence that says how it stands, and `links` (id, text) into the page."""
    made = f"RubberDuck {report.version}" + (f" · {generated}" if generated else "")
    root = [visible_name(report.root)] if report.root not in (report.title, ".") else []
    return element(
        "header",
        element(
            "div",
            element("p", DUCK, element("span", "RubberDuck report"), class_="mark"),
            element("nav", *(element("a", text, href=f"#{id_}") for id_, text in links), aria_label="On this page"),
            class_="bar-top",
        ),
        element("h1", visible_name(report.title)),
        element("p", _verdict(report, seen), class_="verdict"),
        *(element("p", sentence, class_="note") for sentence in _narrowed(report)),
        element("p", " · ".join((*root, made)), class_="made"),
    )


def summary(report: Report, seen: Overview) -> Html:
    """Findings by severity, and what was analysed."""
    return element(
        "section",
        _severities(seen) if seen.findings else None,
        element("div", _code(report, seen), _kinds(seen), class_="facts"),
        class_="summary",
        aria_label="Summary",
    )


def piles(seen: Overview, found: Detailed, items: Items) -> Html | None:
    """The heaviest files and the heaviest rules, side by side."""
    if not seen.findings:
        return None
    files, rules = seen.files[:_RANKED], seen.rules[:_RANKED]
    file_rows = [
        element(
            "li",
            _row(_file_link(rank.path, found), f"{rank.findings:,}"),
            stacked(rank.weight_by_severity, f"weight {rank.weight:,.1f}", longest=files[0].weight),
        )
        for rank in files
    ]
    rule_rows = [
        element(
            "li",
            _row(items.named(group.rule), f"{group.findings:,}"),
            stacked({group.severity: group.weight}, f"weight {group.weight:,.1f}", longest=rules[0].weight),
        )
        for group in rules
    ]
    return element(
        "section",
        element("h2", "Where it piles up"),
        element("p", _WEIGHT, class_="note"),
        element(
            "div",
            _ranking("Files", len(seen.files), file_rows),
            _ranking("Rules", len(seen.rules), rule_rows),
            class_="columns",
        ),
        id="piles",
    )


def _ranking(what: str, number: int, rows: list[Html]) -> Html:
    shown = f"{len(rows)} heaviest of {number:,}" if len(rows) < number else f"{number:,}"
    return element("div", element("h3", f"{what} ", element("span", shown)), element("ol", *rows, class_="ranking"))


def _row(name: Html, number: str) -> Html:
    return element("div", name, element("span", number, class_="number"), class_="row")


def _narrowed(report: Report) -> tuple[str, ...]:
    return () if report.narrowing is None else sentences(report.narrowing)


def _verdict(report: Report, seen: Overview) -> Html:
    looked = f"{counted(seen.analysed, 'file')} and {counted(seen.lines, 'line')}"
    if not seen.findings:
        end = ": nothing to quack about." if report.narrowing is None else f", {CAVEAT}."
        return element("span", f"Nothing found in {looked}{end}")
    urgent = seen.by_severity[Severity.CRITICAL] + seen.by_severity[Severity.HIGH]
    tail = (
        f". {urgent:,} {'is' if urgent == 1 else 'are'} critical or high." if urgent else ". None is critical or high."
    )
    return element("span", element("strong", counted(len(seen.findings), "finding")), f" in {looked}{tail}")


def _severities(seen: Overview) -> Html:
    cells = [
        element(
            "li",
            element("b", f"{count:,}"),
            element("span", severity.label),
            class_=f"{severity.label}{'' if count else ' none'}",
        )
        for severity, count in seen.by_severity.items()
    ]
    return element(
        "div",
        stacked(seen.by_severity, f"Findings by severity: {_words(seen.by_severity)}"),
        element("ul", *cells, class_="severities"),
        class_="scale",
    )


def _code(report: Report, seen: Overview) -> Html:
    languages = sorted(report.languages.items(), key=lambda item: (-item[1].lines, item[0]))
    most = max((count.lines for _, count in languages), default=0)
    rows = [
        element(
            "li",
            element(
                "div",
                element("span", visible_name(title(name)) or "other"),
                element("span", f"{counted(count.lines, 'line')}, {counted(count.files, 'file')}", class_="number"),
                class_="row",
            ),
            single(count.lines, most, counted(count.lines, "line")),
        )
        for name, count in languages[:_LANGUAGES]
    ]
    density = None
    if seen.findings and seen.lines:
        density = element("p", f"{1000 * len(seen.findings) / seen.lines:.1f} findings per 1,000 lines", class_="note")
    return element(
        "div",
        element("h3", "Code"),
        element("ul", *rows, class_="ranking"),
        density,
    )


def _kinds(seen: Overview) -> Html | None:
    if not seen.findings and not seen.suppressed:
        return None
    most = max(seen.by_kind.values(), default=0)
    rows = [
        element(
            "li",
            element("div", element("span", kind.value), element("span", f"{count:,}", class_="number"), class_="row"),
            single(count, most, counted(count, "finding")),
        )
        for kind, count in sorted(seen.by_kind.items(), key=lambda item: (-item[1], item[0]))
        if count
    ]
    suppressed = (
        element("p", f"{seen.suppressed:,} more suppressed by comments in the code", class_="note")
        if seen.suppressed
        else None
    )
    return element("div", element("h3", "Kinds of finding"), element("ul", *rows, class_="ranking"), suppressed)


def _file_link(path: str, found: Detailed) -> Html:
    anchor = found.anchors.get(path)
    if anchor is None:
        return element("span", shown_path(path), class_="path")
    return element("a", shown_path(path), class_="path", href=f"#{anchor}")


def _words(counts: Mapping[Severity, int]) -> str:
    return ", ".join(f"{count:,} {severity.label}" for severity, count in counts.items() if count) or "none"
