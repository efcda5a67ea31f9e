"""The end of the page: what was left out and why, and what each rule means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.analysis.report.html.findings import rule_anchor, said, shown_path
from rubber_duck.analysis.report.html.markup import Html, element
from rubber_duck.analysis.report.html.prose import prose
from rubber_duck.analysis.report.model import Problem, Report, RuleDescription
from rubber_duck.analysis.report.overview import Overview
from rubber_duck.analysis.report.words import reason_in_words
from rubber_duck.analysis.visible import visible, visible_name

_NAMES_SHOWN: Final = 25
_DOCUMENTED_BYTES: Final = 600_000


def left_out(problems: Sequence[Problem]) -> Html | None:
    """What was left out, by reason, most frequent reason first, with up to 25 names each."""
    if not problems:
        return None
    reasons: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: (each.reason, each.path, each.detail)):
        reasons.setdefault(problem.reason, []).append(problem)
    groups = [
        element(
            "details",
            element(
                "summary",
                element("b", visible(reason_in_words(reason))),
                element("span", f"{len(same):,}", class_="number"),
            ),
            element("ul", *map(_problem, same[:_NAMES_SHOWN]), _more(len(same) - _NAMES_SHOWN)),
            class_="reason",
        )
        for reason, same in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return element(
        "section",
        element("h2", "Left out"),
        element("p", f"{len(problems):,} left out, files or whole folders, or not analysed to the end.", class_="note"),
        *groups,
        id="left-out",
    )


def narrowed(report: Report) -> Html | None:
    """All that the project's own duck.toml keeps from the report."""
    narrowing = report.narrowing
    if narrowing is None:
        return None
    severity = narrowing.min_severity
    places = (
        element("li", element("span", visible_name(each.path), class_="path"), element("span", ", ".join(each.rules)))
        for each in narrowing.paths
    )
    groups = {
        "switched off": [element("li", name) for name in narrowing.off],
        "switched off in places": list(places),
        "severities left out": [] if severity is None else [element("li", f"below {severity.label}")],
        "options set": [element("li", name) for name in narrowing.options],
    }
    return element(
        "section",
        element("h2", "Narrowed by the project's duck.toml"),
        element(
            "p", "What the project's own settings keep from this report. Yours alone would show it.", class_="note"
        ),
        *(
            element(
                "details",
                element("summary", element("b", what), element("span", f"{len(each):,}", class_="number")),
                element("ul", *each),
                class_="reason",
            )
            for what, each in groups.items()
            if each
        ),
        id="narrowed",
    )


def reference(report: Report, seen: Overview) -> Html | None:
    """The documentation of every rule that found something, by name, up to a total of 600 kB."""
    found = {group.rule for group in seen.rules}
    size, written = 0, []
    for rule in sorted(report.rules, key=lambda each: each.name):
        if rule.name in found:
            entry = _rule(rule, full=size < _DOCUMENTED_BYTES)
            size += len(entry)
            written.append(entry)
    if not written:
        return None
    return element(
        "section",
        element("h2", "What the rules mean"),
        element("p", "The rules that found something here.", class_="note"),
        *written,
        id="rules",
    )


def _problem(problem: Problem) -> Html:
    detail = element("span", said(problem.detail), class_="about") if problem.detail else None
    return element("li", element("span", shown_path(problem.path), class_="path"), detail)


def _more(number: int) -> Html | None:
    return element("li", f"and {number:,} more") if number > 0 else None


def _rule(rule: RuleDescription, *, full: bool) -> Html:
    weakness = None
    if rule.cwe is not None:
        address = f"https://cwe.mitre.org/data/definitions/{rule.cwe}.html"
        weakness = element("a", f"CWE-{rule.cwe}", href=address, rel="noreferrer noopener")
    page = None
    if rule.url.startswith(("https://", "http://")):
        page = element("a", "read more", href=rule.url, rel="noreferrer noopener")
    label = rule.severity.label
    return element(
        "details",
        element(
            "summary",
            element("span", visible_name(rule.name), class_="rule"),
            element("span", said(rule.summary), class_="message"),
            element("span", label, class_=f"severity {label}"),
        ),
        element(
            "div",
            prose(_beyond_summary(rule)) if full else None,
            element("p", weakness, page, class_="links"),
            class_="prose",
        ),
        class_="reference",
        id=rule_anchor(rule.name),
    )


def _beyond_summary(rule: RuleDescription) -> str:
    """The documentation without a first paragraph that only repeats the summary, which stands right above it."""
    first, _, rest = rule.documentation.strip().partition("\n\n")
    repeats = " ".join(first.split()).rstrip(".") == " ".join(rule.summary.split()).rstrip(".")
    return rest if repeats else rule.documentation
