"""Self-contained HTML: pages about one night and about many simulated nights, and a list explorer."""

from recsys.report.list_explorer import ListExplorer, explore
from recsys.report.night_summary import NightSummary
from recsys.report.page import render_nights, render_report

__all__ = [
    "ListExplorer",
    "NightSummary",
    "explore",
    "render_nights",
    "render_report",
]
