"""Figures of studies: learning curves, what-if scenarios, and why one candidate stands above another."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.errors import InputError, did_you_mean, explained
from recsys.models.order_explanation import order_text
from recsys.plots.metrics import baseline_label, chosen_rows, interval_lengths, metric_label, titled_with_n
from recsys.plots.style import legend, palette, percent, require_rows, series, styled_axes, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from recsys.models.order_explanation import OrderExplanation

SCENARIO_LABELS = {
    "listed": "people who may be listed",
    "pairs": "pairs of viewer and candidate that may be shown",
    "candidates": "candidates of the median viewer",
    "none": "listed people without a candidate",
    "fewer": "listed people with a list that is not full",
    "matches": "expected mutual likes per listed person",
    "unreached": "listed people in nobody's list",
}
_SHARES = ("none", "fewer", "unreached")


@checked_arguments
def learning_curve(table: pd.DataFrame, metric: str, *, ax: "Axes | None" = None) -> "Axes":
    """Draw a metric by how many pairs were learned from, one line a model, with intervals.

    table: what `recsys.learning_curve` returns. A line that still rises at its end says that more data would
    help. The dotted line is random order (or the overall rate, for probabilities).
    Raises InputError for an unknown metric.

    >>> row = {"slice": "all", "model": "hybrid", "metric": "auc", "lo": 0.4, "hi": 0.8}
    >>> row |= {"random": 0.5, "n": 9}
    >>> table = pd.DataFrame([row | {"pairs": 50, "value": 0.6}, row | {"pairs": 100, "value": 0.7}])
    >>> learning_curve(table, "auc").get_title()
    'AUC by training pairs, n = 9 held-out pairs'
    """
    rows = chosen_rows(table, metric, "all")
    axes = styled_axes(ax)
    colours = palette(axes)
    for (model, part), (colour, dashes) in zip(rows.groupby("model", sort=False), series(axes), strict=False):
        line = part.sort_values("pairs")
        axes.fill_between(line["pairs"], line["lo"], line["hi"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(line["pairs"], line["value"], color=colour, linestyle=dashes, marker="o", label=str(model))
    random = rows.groupby("pairs")["random"].first()
    if random.notna().any():
        axes.plot(random.index, random, color=colours.soft, linestyle=":", label=baseline_label(metric))
    axes.set_xscale("log")
    ticks = sorted(rows["pairs"].unique())
    axes.set_xticks(ticks, [f"{pairs:,}" for pairs in ticks])
    axes.minorticks_off()
    axes.set(xlabel="pairs learned from", ylabel=f"{metric_label(metric)} (95% interval)")
    axes.set_title(titled_with_n(f"{metric_label(metric)} by training pairs", metric, rows, "held-out "))
    legend(axes)
    return axes


@checked_arguments
def policies(table: pd.DataFrame, column: str = "candidates", *, ax: "Axes | None" = None) -> "Axes":
    """Draw one number of `recsys.compare_policies`, a bar a scenario in the order given.

    column: listed, pairs, candidates, none, fewer, and with a model matches, unreached. Raises InputError for
    another, with the nearest.

    >>> table = pd.DataFrame({"scenario": ["today"], "listed": [90], "candidates": [12.0]})
    >>> [text.get_text() for text in policies(table).texts]
    [' 12']
    """
    known = [name for name in SCENARIO_LABELS if name in table]
    if column not in known:
        raise InputError(explained("no such number", got=column, remedy=did_you_mean(column, known)))
    require_rows(len(table), "no scenario to draw", remedy="compare at least one policy")
    axes = styled_axes(ax, width=6.4, height=1.1 + 0.4 * len(table))
    colours = palette(axes)
    values = table[column].to_numpy(np.float64)
    listed = table.set_index("scenario")["listed"].astype(int)
    differ = len(listed.unique()) > 1
    names = [f"{name}\nn = {n:,}" if differ else str(name) for name, n in listed.items()]
    axes.barh(names, values, color=colours.accent)
    for row, value in enumerate(values):
        text = (
            percent(round(value, 3))
            if column in _SHARES
            else f"{value:,.3g}"
            if value < 1
            else f"{value:,.1f}".removesuffix(".0")
        )
        write(axes, value, row, f" {text}", fontsize=9)
    axes.set_ylim(len(table) - 0.5, -0.5)
    if column in _SHARES:
        axes.xaxis.set_major_formatter(percent)
    axes.set(xlabel=SCENARIO_LABELS[column], xlim=(0, max(values.max() * 1.15, 1e-9)))
    n = " (n: listed people)" if differ else f", n = {listed.iloc[0]:,} listed people"
    axes.set_title(f"{SCENARIO_LABELS[column].capitalize()}{n}")
    return axes


@checked_arguments
def order(explained_order: "OrderExplanation", *, ax: "Axes | None" = None) -> "Axes":
    """Draw what `recsys.explain_order` returns: two bars a term, to the right where it speaks for the first.

    One bar is what comes of the viewer's choice, the other of the candidates'; a term of both at once has one
    bar. All add up to the logarithm of the ratio of their scores, which the title gives as a factor.

    >>> from recsys.models import OrderExplanation
    >>> terms = pd.DataFrame({"term": ["interests"], "viewer_likes": [0.5], "likes_back": [0.19]})
    >>> terms["contribution"] = 0.69
    >>> why = OrderExplanation("v", "a", "b", "content", np.array([0.2, 0.1]), terms, 0.69)
    >>> order(why).get_title().splitlines()
    ['For v, a scores 2.0 times b:', 'P(both like | both look), by content']
    """
    terms = explained_order.terms
    axes = styled_axes(ax, width=7.0, height=1.6 + 0.42 * len(terms))
    colours = palette(axes)
    labels = {
        column: order_text(column, explained_order.lang, viewer=str(explained_order.viewer))
        for column in ("viewer_likes", "likes_back")
    }
    for at, (column, label) in enumerate(labels.items()):
        rows = np.arange(len(terms)) + (at - 0.5) * 0.38
        axes.barh(
            rows, terms[column].to_numpy(np.float64), height=0.36, color=colours.series[at], label=label
        )
    both = (terms["contribution"] - terms["viewer_likes"] - terms["likes_back"]).to_numpy(np.float64)
    if (at_once := np.abs(both) > 1e-9).any():
        at_once_rows = np.flatnonzero(at_once)
        axes.barh(
            at_once_rows,
            both[at_once],
            height=0.74,
            color=colours.series[2],
            label=order_text("at_once", explained_order.lang),
        )
    axes.axvline(0.0, color=colours.soft, linewidth=0.8)
    axes.set_yticks(np.arange(len(terms)), terms["term"].astype(str).tolist())
    axes.invert_yaxis()
    first, second, score = str(explained_order.first), str(explained_order.second), explained_order.score
    lang = explained_order.lang
    sides = order_text("sides", lang, first=first, second=second)
    axes.set_xlabel(f"{order_text('axis', lang, score=score)}\n{sides}")
    title = explained_order.title.replace(f": {score}", f":\n{score}", 1)
    axes.set_title(title, pad=58 if at_once.any() else 42)
    legend(axes, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return axes


@checked_arguments
def estimators(table: pd.DataFrame, *, logged: float | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw the estimates of `recsys.off_policy` with intervals, one row an estimator.

    logged: the matches a pair of the lists that were shown, as a dotted line. What was refused is written
    out; an estimate that the log contradicts is drawn as an open grey point, its reason is in the table.

    >>> row = {"estimator": "snips", "value": 0.2, "lo": 0.1, "hi": 0.3, "n": 40, "reason": ""}
    >>> estimators(pd.DataFrame([row])).get_title()
    'Off-policy estimates for other lists, n = 40 impressions'
    """
    require_rows(len(table), "no estimate to draw", remedy="pass what off_policy returned")
    axes = styled_axes(ax, height=1.2 + 0.35 * len(table))
    colours = palette(axes)
    at = np.arange(len(table))
    known = table["value"].notna().to_numpy(bool)
    doubted = known & (table["reason"].to_numpy(object) != "")
    for rows, colour, fill in (
        (known & ~doubted, colours.accent, colours.accent),
        (doubted, colours.soft, "none"),
    ):
        values, lengths = table["value"][rows], interval_lengths(table[rows])
        axes.errorbar(values, at[rows], xerr=lengths, fmt="o", color=colour, mfc=fill, capsize=3)
    if doubted.any():
        axes.plot([], [], "o", color=colours.soft, mfc="none", label="contradicted by the log")
    for row in np.flatnonzero(~known).tolist():
        where = axes.get_yaxis_transform()
        reason = str(table["reason"].iloc[row])
        write(axes, 0.02, row, reason, transform=where)
    if logged is not None:
        axes.axvline(logged, color=colours.soft, linestyle=":", label="lists that were shown")
    if logged is not None or doubted.any():
        legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    bare = known & table["lo"].isna().to_numpy(bool)
    names = table["estimator"].astype(str).tolist()
    axes.set_yticks(
        at, [f"{one}\n(no interval)" if alone else one for one, alone in zip(names, bare, strict=True)]
    )
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set(xlabel="matches a listed pair (95% interval)")
    axes.set_title(f"Off-policy estimates for other lists, n = {int(table['n'].max()):,} impressions")
    return axes
