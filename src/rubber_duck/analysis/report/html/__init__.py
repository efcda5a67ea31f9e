"""The report as one page that needs nothing but itself: no server, no network, no script to be readable."""

from rubber_duck.analysis.report.html.findings import DETAILED_BYTES, DETAILED_FINDINGS
from rubber_duck.analysis.report.html.page import render_html

__all__ = ["DETAILED_BYTES", "DETAILED_FINDINGS", "render_html"]
