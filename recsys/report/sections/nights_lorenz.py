"""How attention is spread over members: Lorenz curves of expected looks."""

import numpy as np
import pandas as pd

from recsys.nights import NightsSummary
from recsys.report.html import Html, element
from recsys.report.numbers import share
from recsys.report.scale import Scale
from recsys.report.sections.nights_curves import legend
from recsys.report.sections.section import section
from recsys.report.words import Words

_WIDTH, _HEIGHT = 360, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 12, 44
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def nights_lorenz(summary: NightsSummary, words: Words) -> Html:
    """Return the curves; how far each hangs below the diagonal is its Gini coefficient."""
    values = ", ".join(
        f"{words(f'policy_name.{name}')} {share(_at_half(_of(summary, name)))}" for name in summary.policies
    )
    told = words("report.nights_lorenz_alt", values=values)
    figure = element("figure", _drawing(summary, told, words), element("figcaption", told), class_="square")
    return section("nights_lorenz", words, figure, legend(summary, words))


def _of(summary: NightsSummary, name: str) -> pd.DataFrame:
    return summary.lorenz[summary.lorenz["policy"] == name]


def _at_half(curve: pd.DataFrame) -> float:
    return float(np.interp(0.5, curve["people"], curve["exposure"]))


def _drawing(summary: NightsSummary, told: str, words: Words) -> Html:
    across = Scale(0, 1, _LEFT, _WIDTH - _RIGHT)
    up = Scale(0, 1, _HEIGHT - _BOTTOM, _TOP)
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    grid = [
        element(
            "g",
            element("line", x1=across(0), x2=across(1), y1=up(mark), y2=up(mark), class_="grid"),
            element("text", f"{mark:.0%}", x=_LEFT - 6, y=f"{up(mark) + 3.5:.1f}", class_="end"),
            element("text", f"{mark:.0%}", x=across(mark), y=_HEIGHT - _BOTTOM + 15, class_="middle"),
        )
        for mark in _MARKS
    ]
    lines = [
        element(
            "g",
            element(
                "polyline",
                points=" ".join(
                    f"{across(x):.1f},{up(y):.1f}"
                    for x, y in _of(summary, name)[["people", "exposure"]].to_numpy(float)
                ),
                class_="curve",
            ),
            class_=f"series-{at}",
        )
        for at, name in enumerate(summary.policies)
    ]
    return element(
        "svg",
        element("title", words("report.nights_lorenz")),
        grid,
        element("line", x1=across(0), y1=up(0), x2=across(1), y2=up(1), class_="diagonal"),
        lines,
        element(
            "text",
            words("report.nights_lorenz_people"),
            x=(_LEFT + _WIDTH - _RIGHT) / 2,
            y=_HEIGHT - 8,
            class_="middle axis",
        ),
        element(
            "text",
            words("report.nights_lorenz_exposure"),
            x=12,
            y=middle,
            transform=f"rotate(-90 12 {middle})",
            class_="middle axis",
        ),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=told,
    )
