"""Every policy beside the others, one small plot a measure."""

from typing import Final

import pandas as pd

from recsys.report.html import Html, element
from recsys.report.numbers import decimal, share
from recsys.report.scale import Scale
from recsys.report.sections.section import section
from recsys.report.words import Words
from recsys.simulation.policy_summary import NightsSummary

_SHARES: Final = ("someone", "answered", "cold_matched", "cold_someone")
_LOWER_IS_BETTER: Final = ("exposure_gini", "top_load")


def nights_measures(summary: NightsSummary, words: Words) -> Html:
    """Return one plot for each measure: value, interval, and the difference from the baseline."""
    names = summary.measures["measure"].drop_duplicates()
    return section(
        "nights_measures",
        words,
        element("div", *[_measure(summary, str(name), words) for name in names], class_="metrics"),
    )


def said(measure: str, value: float) -> str:
    """Return a value of a measure as people read it.

    >>> said("someone", 0.25), said("lasting_per_1000", 87.31), said("exposure_gini", 0.4)
    ('25.0%', '87.3', '0.400')
    """
    if measure in _SHARES:
        return share(value)
    return decimal(value, 3 if measure == "exposure_gini" else 1)


def _measure(summary: NightsSummary, measure: str, words: Words) -> Html:
    rows = summary.measures[summary.measures["measure"] == measure]
    known = rows[["value", "lo", "hi"]].to_numpy(float)
    low, high = float(pd.Series(known.min(axis=1)).min()), float(pd.Series(known.max(axis=1)).max())
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.05
    across = Scale(low - room, high + room, 0.0, 100.0)
    order = "lower" if measure in _LOWER_IS_BETTER else "higher"
    title = element(
        "h3", words(f"nights_measure.{measure}"), " ", element("small", words(f"report.models_{order}"))
    )
    lines = [_policy(summary, name, measure, across, words) for name in summary.policies]
    return element("div", title, element("ul", *lines, class_="intervals"), class_="metric")


def _policy(summary: NightsSummary, name: str, measure: str, across: Scale, words: Words) -> Html:
    value, lo, hi = (float(x) for x in summary.value(name, measure))
    known = value == value  # noqa: PLR0124 NaN is unknown
    marks = [
        element("span", class_="interval", style=f"left:{across(lo):.2f}%;right:{100 - across(hi):.2f}%"),
        element("span", class_="point", style=f"left:{across(value):.2f}%"),
    ]
    told = words(
        "report.models_plot_alt", value=said(measure, value), lo=said(measure, lo), hi=said(measure, hi)
    )
    return element(
        "li",
        element("span", words(f"policy_name.{name}"), class_="name"),
        element("span", *(marks if known else []), class_="plot", role="img", aria_label=told),
        element(
            "span",
            element("b", said(measure, value)),
            element("small", f"{said(measure, lo)} – {said(measure, hi)}") if known else None,
            class_="value",
        ),
        _difference(summary, name, measure, words),
        class_=f"series-{summary.policies.index(name)}",
    )


def _difference(summary: NightsSummary, name: str, measure: str, words: Words) -> Html:
    if name == summary.about["baseline"]:
        return element("small", words("report.nights_baseline"), class_="against")
    gain, lo, hi = (f"{100 * float(x):+.1f}%" for x in summary.gain(name, measure))
    baseline = words(f"policy_name.{summary.about['baseline']}")
    long = words("report.nights_gain", baseline=baseline, gain=gain, lo=lo, hi=hi)
    short = "–" if "nan" in gain else f"{gain} ({lo} – {hi})"
    return element("small", short, class_="against", title=long)
