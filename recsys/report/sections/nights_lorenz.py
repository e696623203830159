"""How attention is spread over members: Lorenz curves of expected looks."""

import numpy as np
import pandas as pd

from recsys.report.frame import Frame
from recsys.report.html import Html, element
from recsys.report.numbers import share
from recsys.report.scale import Scale
from recsys.report.sections.nights_curves import legend
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words
from recsys.simulation.policy_summary import NightsSummary

_FRAME = Frame(height=320, left=50, right=12, bottom=44)
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_TENTHS = tuple(tenth / 10 for tenth in range(1, 11))


def nights_lorenz(summary: NightsSummary, words: Words) -> Html:
    """Return the curves; how far each hangs below the diagonal is its Gini coefficient."""
    values = ", ".join(
        f"{words(f'policy_name.{name}')} {share(_at(_of(summary, name), 0.5))}" for name in summary.policies
    )
    told = words("report.nights_lorenz_alt", values=values)
    figure = element("figure", _drawing(summary, told, words), element("figcaption", told), class_="square")
    numbers = details(words("report.show_numbers"), _numbers(summary, words))
    return section("nights_lorenz", words, figure, legend(summary, words), numbers)


def _numbers(summary: NightsSummary, words: Words) -> Html:
    curves = {name: _of(summary, name) for name in summary.policies}
    head: list[object] = [
        words("report.nights_lorenz_people"),
        *(words(f"policy_name.{name}") for name in summary.policies),
    ]
    rows: list[list[object]] = [
        [share(part), *(share(_at(curve, part)) for curve in curves.values())] for part in _TENTHS
    ]
    return table(head, rows, caption=words("report.nights_lorenz"))


def _of(summary: NightsSummary, name: str) -> pd.DataFrame:
    return summary.lorenz[summary.lorenz["policy"] == name]


def _at(curve: pd.DataFrame, part: float) -> float:
    return float(np.interp(part, curve["people"], curve["exposure"]))


def _drawing(summary: NightsSummary, told: str, words: Words) -> Html:
    across, up = _FRAME.across(0, 1), _FRAME.up(1)
    curves = [
        element("g", _curve(_of(summary, name), across, up), class_=f"series-{at}")
        for at, name in enumerate(summary.policies)
    ]
    parts = [
        [_FRAME.level(up(mark), f"{mark:.0%}") for mark in _MARKS],
        [_FRAME.under(across(mark), f"{mark:.0%}") for mark in _MARKS],
        _FRAME.diagonal(),
        curves,
        _FRAME.below(words("report.nights_lorenz_people"), raised=8),
        _FRAME.beside(words("report.nights_lorenz_exposure")),
    ]
    return _FRAME.drawing(told, parts)


def _curve(shares: pd.DataFrame, across: Scale, up: Scale) -> Html:
    points = [f"{across(x):.1f},{up(y):.1f}" for x, y in shares[["people", "exposure"]].to_numpy(float)]
    return element("polyline", points=" ".join(points), class_="curve")
