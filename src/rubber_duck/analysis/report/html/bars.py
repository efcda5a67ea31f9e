"""Small drawings: the duck, and bars in SVG, since a strict page may not set a width by style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rubber_duck.analysis.finding import Severity
from rubber_duck.analysis.report.html.markup import Html, element

DUCK: Final = Html(
    '<svg class="duck" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">'
    '<path class="body" d="M3.2 17.2c2.2 1 4.6 1.1 6.8.1a7.6 7.6 0 1 1 13.2-4.6c0 1.6-.5 3-1.3 4.2 4 .4 6.9 2.3 6.9 '
    '5.3 0 4-5.3 7-12.4 7C8.6 29.2 2.6 24.6 3.2 17.2z"/>'
    '<path class="beak" d="M22.7 9.9l5.9.6c.8.1 1 1 .4 1.5-1.7 1.4-3.8 2-6 1.6z"/>'
    '<circle class="eye" cx="17.6" cy="9.8" r="1.35"/></svg>'
)
"""The mark at the head of the page."""


def stacked(parts: Mapping[Severity, float], label: str, *, longest: float | None = None) -> Html:
    """One bar split by severity, as long as its sum's share of the `longest` bar's; it reads as `label`."""
    whole = longest or sum(parts.values()) or 1
    drawn, left = [], 0.0
    for severity, part in parts.items():
        if part:
            # A single critical among thousands must still be seen: half a percent at least.
            share = max(0.5, 100 * part / whole)
            fill = f"fill-{severity.label}"
            drawn.append(element("rect", class_=fill, x=f"{left:.2f}%", width=f"{share:.2f}%", height="100%"))
            left += share
    return _bar(label, drawn)


def single(value: float, whole: float, label: str) -> Html:
    """One bar as long as `value`'s share of `whole`."""
    share = 100 * value / whole if whole else 0.0
    return _bar(label, [element("rect", class_="fill-plain", width=f"{share:.2f}%", height="100%")])


def _bar(label: str, parts: list[Html]) -> Html:
    track = element("rect", class_="track", width="100%", height="100%")
    return element("svg", track, *parts, class_="bar", role="img", aria_label=label, preserveAspectRatio="none")
