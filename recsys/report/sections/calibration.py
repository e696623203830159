"""How honest the stated chances are: a reliability plot for each direction, and for both."""

from collections.abc import Hashable

import pandas as pd

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal, share
from recsys.report.scale import Scale, ticks
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words

_WIDTH, _HEIGHT = 360, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 12, 44


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
    across = Scale(0, marks[-1], _LEFT, _WIDTH - _RIGHT)
    up = Scale(0, marks[-1], _HEIGHT - _BOTTOM, _TOP)
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    axes = [
        element(
            "text",
            words("report.calibration_said"),
            x=(_LEFT + _WIDTH - _RIGHT) / 2,
            y=_HEIGHT - 8,
            class_="middle axis",
        ),
        element(
            "text",
            words("report.calibration_happened"),
            x=12,
            y=middle,
            transform=f"rotate(-90 12 {middle})",
            class_="middle axis",
        ),
    ]
    diagonal = element(
        "line", x1=across(0), y1=up(0), x2=across(marks[-1]), y2=up(marks[-1]), class_="diagonal"
    )
    return element(
        "svg",
        element("title", words("report.calibration")),
        [_grid(mark, across, up) for mark in marks],
        diagonal,
        [_dot(row, across, up) for row in rows_of(bins)],
        axes,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=told,
    )


def _grid(mark: float, across: Scale, up: Scale) -> Html:
    x, y = f"{across(mark):.1f}", f"{up(mark):.1f}"
    text = f"{mark:.0%}" if round(100 * mark, 6).is_integer() else f"{100 * mark:g}%"
    return element(
        "g",
        element("line", x1=across(0), x2=across(across.high), y1=y, y2=y, class_="grid"),
        element("line", x1=x, x2=x, y1=up(0), y2=up(up.high), class_="grid"),
        element("text", text, x=_LEFT - 6, y=f"{up(mark) + 3.5:.1f}", class_="end"),
        element("text", text, x=x, y=_HEIGHT - _BOTTOM + 15, class_="middle"),
    )


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
