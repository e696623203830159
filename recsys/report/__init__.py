"""One self-contained HTML page about a night."""

from recsys.report.night import NightSummary
from recsys.report.page import render_report

__all__ = [
    "NightSummary",
    "render_report",
]
