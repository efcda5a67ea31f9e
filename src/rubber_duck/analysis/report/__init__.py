"""What an analysis found, as values (`model`, `overview`) and as text, JSON, SARIF or a page.

Each renderer is a pure function of a `Report`: no clock, no file access, the same bytes every time. They are
imported where they are used (`from rubber_duck.analysis.report.text import render_text`), so that one format
does not pay for another.
"""

from rubber_duck.analysis.report.model import FileReport, LanguageCount, Problem, Report, RuleDescription
from rubber_duck.analysis.report.overview import Overview, overview, priority

__all__ = [
    "FileReport",
    "LanguageCount",
    "Overview",
    "Problem",
    "Report",
    "RuleDescription",
    "overview",
    "priority",
]
