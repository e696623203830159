"""How honest the stated chances are: a reliability plot for each direction, and for both."""

from collections.abc import Hashable

import pandas as pd

from recsys.report.frame import Frame
from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal, share
from recsys.report.scale import Scale, ticks
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words

_FRAME = Frame(height=320, left=50, right=12, bottom=44)


def calibration(night: NightSummary, words: Words) -> Html:
    """Return a plot and its numbers for each direction, and for both."""
    bins = night.reliability
    if bins is None or bins.empty:
        return section("calibration", words)
    named = bins if "direction" in bins else bins.assign(direction="like")
    plots = [_plot(str(name), rows, words) for name, rows in named.groupby("direction", sort=False)]
    return section("calibration", words, element("div", *plots, class_="metrics"))


def _plot(direction: str, bins: pd.DataFrame, words: Words) -> Html:
    title = words.named("direction", direction)
    gap = float(((bins["happened"] - bins["said"]).abs() * bins["pairs"]).sum() / bins["pairs"].sum())
    told = words("report.calibration_alt", gap=decimal(100 * gap, 1))
    head: list[object] = [
        words(f"report.calibration_{name}") for name in ("said", "happened", "interval", "pairs")
    ]
    rows: list[list[object]] = [
        [share(row["said"]), share(row["happened"]), _interval(row), count(row["pairs"])]
        for row in rows_of(bins)
    ]
    return element(
        "div",
        element("h3", title),
        element("figure", _drawing(bins, words, told), element("figcaption", told), class_="square"),
        details(words("report.show_numbers"), table(head, rows, caption=title)),
        class_="metric",
    )


def _drawing(bins: pd.DataFrame, words: Words, told: str) -> Html:
    marks = ticks(min(float(bins[["said", "happened", "hi"]].max().max()), 1.0), 5)
    marks = [mark for mark in marks if mark <= 1.0]
    across, up = _FRAME.across(0, marks[-1]), _FRAME.up(marks[-1])
    parts = [
        [_FRAME.level(up(mark), _percent(mark)) for mark in marks],
        [_FRAME.upright(across(mark), _percent(mark)) for mark in marks],
        _FRAME.diagonal(),
        [_dot(row, across, up) for row in rows_of(bins)],
        _FRAME.below(words("report.calibration_said"), raised=8),
        _FRAME.beside(words("report.calibration_happened")),
    ]
    return _FRAME.drawing(told, parts)


def _percent(mark: float) -> str:
    return f"{mark:.0%}" if round(100 * mark, 6).is_integer() else f"{100 * mark:g}%"


def rows_of(bins: pd.DataFrame) -> list[dict[Hashable, float]]:
    """Return the bins as plain mappings."""
    return bins.to_dict("records")


def _interval(row: dict[Hashable, float]) -> str:
    return f"{share(row['lo'])} – {share(row['hi'])}"


def _dot(row: dict[Hashable, float], across: Scale, up: Scale) -> Html:
    x = f"{across(row['said']):.1f}"
    lo, hi = f"{up(row['lo']):.1f}", f"{up(row['hi']):.1f}"
    return element(
        "g",
        element("title", f"{share(row['said'])} → {share(row['happened'])} ({_interval(row)})"),
        element("line", x1=x, x2=x, y1=lo, y2=hi, class_="whisker"),
        element("circle", cx=x, cy=f"{up(row['happened']):.1f}", r="4.5", class_="dot"),
    )
