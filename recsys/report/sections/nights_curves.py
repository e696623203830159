"""Curves night by night, one line a policy, with bands."""

from collections.abc import Hashable, Mapping

import pandas as pd

from recsys.report.frame import Frame
from recsys.report.html import Html, element
from recsys.report.scale import Scale, ticks
from recsys.report.sections.nights_measures import said
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words
from recsys.simulation.policy_summary import NightsSummary

_FRAME = Frame()


def nights_curves(summary: NightsSummary, words: Words) -> Html:
    """Return one drawing for each measure followed over the nights, and their numbers."""
    names = [str(name) for name in summary.curves["measure"].drop_duplicates()]
    figures = [_figure(summary, name, words) for name in names]
    return section(
        "nights_curves",
        words,
        element("div", *figures, class_="two"),
        legend(summary, words),
        details(words("report.show_numbers"), *[_numbers(summary, name, words) for name in names]),
    )


def legend(summary: NightsSummary, words: Words) -> Html:
    """Return which line is which policy."""
    line = element("line", x1="1", x2="31", y1="6", y2="6", class_="curve")
    lines = [
        element(
            "li",
            element("svg", line, viewBox="0 0 32 12", aria_hidden="true"),
            words(f"policy_name.{name}"),
            class_=f"series-{at}",
        )
        for at, name in enumerate(summary.policies)
    ]
    return element("ul", *lines, class_="legend")


def _figure(summary: NightsSummary, measure: str, words: Words) -> Html:
    rows = summary.curves[summary.curves["measure"] == measure]
    ended = rows.groupby("policy")["value"].last()
    last = ", ".join(
        f"{words(f'policy_name.{name}')} {said(measure, float(ended[name]))}" for name in summary.policies
    )
    name = words(f"nights_measure.{measure}")
    told = words("report.nights_curve_alt", measure=name, values=last)
    drawing = _drawing(summary, rows, measure, told, words)
    return element("figure", element("h3", name), drawing)


def _drawing(summary: NightsSummary, rows: pd.DataFrame, measure: str, told: str, words: Words) -> Html:
    marks = ticks(float(rows[["value", "hi"]].max().max()), 4)
    nights = int(summary.about["nights"])
    across, up = _FRAME.across(1, max(nights, 2)), _FRAME.up(marks[-1])
    named = [mark for mark in ticks(nights, 6) if 1 <= mark <= nights and mark.is_integer()]
    parts = [
        [_FRAME.level(up(mark), _amount(mark, measure)) for mark in marks],
        [_FRAME.under(across(mark), f"{mark:g}") for mark in named],
        [_series(rows[rows["policy"] == name], across, up, at) for at, name in enumerate(summary.policies)],
        _FRAME.below(words("report.nights_axis"), raised=6),
    ]
    return _FRAME.drawing(told, parts)


def _amount(mark: float, measure: str) -> str:
    return f"{100 * mark:g}%" if measure == "someone" else f"{mark:g}"


def _series(rows: pd.DataFrame, across: Scale, up: Scale, at: int) -> Html:
    night, value, lo, hi = (rows[name].to_numpy(float) for name in ("night", "value", "lo", "hi"))
    there = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(night, hi, strict=True)]
    back = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(night[::-1], lo[::-1], strict=True)]
    line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in zip(night, value, strict=True))
    return element(
        "g",
        element("polygon", points=" ".join(there + back), class_="band"),
        element("polyline", points=line, class_="curve"),
        class_=f"series-{at}",
    )


def _numbers(summary: NightsSummary, measure: str, words: Words) -> Html:
    title = words(f"nights_measure.{measure}")
    rows = summary.curves[summary.curves["measure"] == measure]
    head: list[object] = [words("report.nights_axis"), *(words(f"policy_name.{p}") for p in summary.policies)]
    body: list[list[object]] = []
    for night in range(1, int(summary.about["nights"]) + 1):
        of_night = rows[rows["night"] == night].set_index("policy").to_dict("index")
        body.append([str(night), *(_cell(of_night[name], measure) for name in summary.policies)])
    return element("div", element("h3", title), table(head, body, caption=title))


def _cell(row: Mapping[Hashable, float], measure: str) -> str:
    value, lo, hi = (said(measure, float(row[name])) for name in ("value", "lo", "hi"))
    return f"{value} ({lo} – {hi})"
