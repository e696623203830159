"""Self-contained HTML pages about one night and about many simulated nights."""

from recsys.report.night_summary import NightSummary
from recsys.report.page import render_nights, render_report

__all__ = [
    "NightSummary",
    "render_nights",
    "render_report",
]
