"""One report in the form that was asked for; only that form's module is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rubber_duck.analysis.report.model import Report

Format = Literal["text", "json", "sarif", "html"]
"""The forms of a report: for people in a terminal, for programs, for code scanning, for a browser."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the text form looks: coloured or not, `width` columns, at most `limit` findings (the worst; None: all).

    `path` names a file, given relative to the root, as its reader finds it; the other forms keep to the root.
    """

    color: bool = False
    width: int = 100
    limit: int | None = None
    path: Callable[[str], str] = field(default=str)


def render(report: Report, form: Format, style: Style) -> str:
    """The report as text in that form."""
    match form:
        case "text":
            from rubber_duck.analysis.report.text import render_text  # noqa: PLC0415  # imports rich's tables

            return render_text(report, color=style.color, width=style.width, limit=style.limit, path=style.path)
        case "json":
            from rubber_duck.analysis.report.json import render_json  # noqa: PLC0415

            return render_json(report)
        case "sarif":
            from rubber_duck.analysis.report.sarif import render_sarif  # noqa: PLC0415

            return render_sarif(report)
        case "html":
            from rubber_duck.analysis.report.html import render_html  # noqa: PLC0415  # imports a Markdown parser

            return render_html(report)
