"""The page put together: a policy that forbids it to load anything, its style and script inline, its sections."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from rubber_duck.analysis.report.html.appendix import left_out, narrowed, reference
from rubber_duck.analysis.report.html.findings import Items, detailed, listing, urgent
from rubber_duck.analysis.report.html.markup import Html, element, join
from rubber_duck.analysis.report.html.summary import masthead, piles, summary
from rubber_duck.analysis.report.model import Report
from rubber_duck.analysis.report.overview import overview
from rubber_duck.analysis.report.words import counted
from rubber_duck.analysis.visible import visible_name

_PACKAGE: Final = "rubber_duck.analysis.report.html"


def render_html(report: Report, *, generated: str | None = None) -> str:
    """The report as one HTML page, ending in a line break, below 3 MB whatever the number of findings.

    `generated` is a date in words for the head of the page; without it two runs give the same bytes.
    """
    seen = overview(report)
    items = Items.of(report)
    found = detailed(seen, items)
    style, script = _asset("style.css"), _asset("script.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{visible_name(report.title)}: {counted(len(seen.findings), 'finding')}"),
        element("style", style),
    )
    sections = {
        ("first", "First"): urgent(seen, items),
        ("piles", "Where"): piles(seen, found, items),
        ("findings", "Findings"): listing(seen, found, items),
        ("narrowed", "Narrowed"): narrowed(report),
        ("left-out", "Left out"): left_out(report.problems),
        ("rules", "Rules"): reference(report, seen),
    }
    links = [link for link, section in sections.items() if section is not None]
    main = element("main", summary(report, seen), *sections.values())
    body = element("body", masthead(report, seen, generated, links), main, element("script", script))
    return "<!doctype html>\n" + element("html", join((head, body), "\n"), lang="en") + "\n"


@cache
def _asset(name: str) -> Html:
    return Html(files(_PACKAGE).joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
