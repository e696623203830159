"""By how much a figure moved since the last publication."""

from typing import Final

from recsys.report.night import NightSummary
from recsys.report.numbers import change
from recsys.report.trend_figures import TREND_FIGURES

_AS_SHARES: Final = ("listed", "suggestions", "seconds")
_AS_POINTS: Final = ("coverage", "ece")


def moved_by(name: str, night: NightSummary) -> str | None:
    """Return the move as a share, as percentage points, or plainly; None without an earlier value.

    The overlap is itself a comparison and never moves.
    """
    last = night.last_published
    figure = next(figure for figure in TREND_FIGURES if figure.name == name)
    if last is None or name == "overlap":
        return None
    now, before = figure.value(night, night.history[-1]), figure.value(night, last)
    if now is None or before is None:
        return None
    if name in _AS_SHARES:
        return change(now / before - 1.0) if before else None
    if name in _AS_POINTS:
        return f"{100 * (now - before):+.1f} pt"
    return f"{now - before:+.3f}" if name == "gini" else f"{now - before:+,.0f}"
