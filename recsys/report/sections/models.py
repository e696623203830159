"""Models beside each other and beside random order, with intervals."""

import math
from typing import Final

import pandas as pd

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.numbers import count, decimal
from recsys.report.sections.section import details, section, table
from recsys.report.words import Words

_LOWER_IS_BETTER: Final = ("log_loss", "brier", "ece", "exposure_gini")
_OF_PROBABILITIES: Final = ("log_loss", "brier", "ece")
"""What is compared with saying the overall rate for every pair, not with random order."""

_OF_BOTH: Final = ("auc", "log_loss", "brier", "ece", "snips")
_MUTUAL: Final = "mutual_"
_ALL: Final = "all"


def models(night: NightSummary, words: Words) -> Html:
    """Return one small plot a metric, then the slices."""
    measures = night.measures
    if measures is None or measures.empty:
        return section("models", words)
    measures = _told_apart(measures if "model" in measures else measures.assign(model=""))
    overall = measures[measures["slice"] == _ALL]
    plots = [_metric(str(name), rows, words) for name, rows in overall.groupby("metric", sort=False)]
    return section("models", words, element("div", *plots, class_="metrics"), _slices(measures, words))


def _told_apart(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the measures with what judges the chance of both under a name of its own."""
    if "target" not in measures:
        return measures
    both = (measures["target"] == "mutual") & measures["metric"].isin(_OF_BOTH)
    return measures.assign(metric=measures["metric"].where(~both, _MUTUAL + measures["metric"]))


def metric_name(metric: str, words: Words) -> str:
    """Return a metric in words: `ndcg@5` is the text of `ndcg`, then @5."""
    name, at, k = metric.partition("@")
    return words.named("metric", name) + (f" @{k}" if at else "")


def _metric(metric: str, rows: pd.DataFrame, words: Words) -> Html:
    known = rows[["value", "lo", "hi", "random"]].to_numpy(float)
    finite = known[[[math.isfinite(x) for x in row] for row in known]]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if rows["lo"].isna().all() and 0.0 <= low <= high <= 1.0:
        low, high = 0.0, 1.0  # without intervals a closer look would show differences that mean nothing
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.05
    low, high = low - room, high + room
    kind = metric.partition("@")[0].removeprefix(_MUTUAL)
    lower, baseline = kind in _LOWER_IS_BETTER, "rate" if kind in _OF_PROBABILITIES else "random"
    title = element(
        "h3",
        metric_name(metric, words),
        " ",
        element("small", words("report.models_lower" if lower else "report.models_higher")),
    )
    lines = [_model(row, low, high, words) for _, row in rows.iterrows()]
    random = rows["random"].dropna()
    if len(random):
        lines.append(_baseline(words(f"report.models_{baseline}"), float(random.iloc[0]), low, high))
    n = int(rows["n"].max())
    return element(
        "div",
        title,
        element("ul", *lines, class_="intervals"),
        element("p", words("report.models_n", n=count(n)), class_="note"),
        class_="metric",
    )


def _model(row: pd.Series, low: float, high: float, words: Words) -> Html:
    value, lo, hi, random = (float(row[name]) for name in ("value", "lo", "hi", "random"))
    has_interval = math.isfinite(lo) and math.isfinite(hi)
    marks = [
        element("span", class_="at-random", style=f"left:{_place(random, low, high)}%")
        if math.isfinite(random)
        else None,
        element(
            "span",
            class_="interval",
            style=f"left:{_place(lo, low, high)}%;right:{100 - _place(hi, low, high):.2f}%",
        )
        if has_interval
        else None,
        element("span", class_="point", style=f"left:{_place(value, low, high)}%")
        if math.isfinite(value)
        else None,
    ]
    told = words("report.models_plot_alt", value=decimal(value), lo=decimal(lo), hi=decimal(hi))
    return element(
        "li",
        element("span", words.named("model", str(row["model"])), class_="name"),
        element("span", *marks, class_="plot", role="img", aria_label=told),
        element(
            "span",
            element("b", decimal(value)),
            element("small", f"{decimal(lo)} – {decimal(hi)}") if has_interval else None,
            class_="value",
        ),
    )


def _baseline(name: str, value: float, low: float, high: float) -> Html:
    mark = element("span", class_="at-random", style=f"left:{_place(value, low, high)}%")
    return element(
        "li",
        element("span", name, class_="name"),
        element("span", mark, class_="plot", aria_hidden="true"),
        element("span", element("b", decimal(value)), class_="value"),
        class_="random",
    )


def _place(value: float, low: float, high: float) -> float:
    return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 2)


def _slices(measures: pd.DataFrame, words: Words) -> Html | None:
    sliced = measures[measures["slice"] != _ALL]
    if sliced.empty:
        return None
    head: list[object] = [
        words("report.models_slice"),
        words("report.models_model"),
        words("report.models_value"),
        "n",
    ]
    rows: list[list[object]] = [
        [
            f"{metric_name(str(row['metric']), words)} · {row['slice']}",
            words.named("model", str(row["model"])),
            f"{decimal(row['value'])} ({decimal(row['lo'])} – {decimal(row['hi'])})",
            count(row["n"]),
        ]
        for row in sliced.sort_values(["metric", "slice", "model"], kind="stable").to_dict("records")
    ]
    return details(words("report.models_slices"), table(head, rows, caption=words("report.models_slices")))
