"""Figures of model quality: metrics with intervals, calibration, and simulated policies night by night."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.errors import InputError, did_you_mean, explained
from recsys.evaluation.registry import LOWER_IS_BETTER, PROBABILITY_METRICS
from recsys.evaluation.splits import INTERACTION_SLICES
from recsys.plots.style import legend, palette, percent, require_rows, series, styled_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MEASURE_LABELS = {
    "lasting_per_1000": "lasting pairs per 1,000 members",
    "someone": "share of members in a lasting pair",
    "matches_per_1000": "matches per 1,000 members",
    "answered": "share of likes that became a match",
    "exposure_gini": "Gini coefficient of exposure",
    "top_load": "likes a night to the most liked 1%",
    "cold_matched": "share of newcomers with a match",
    "cold_someone": "share of newcomers in a lasting pair",
    "stayed": "share of members still there at the end",
}
"""What the measures of simulated nights are called in a picture."""

_APART = 0.07
"""How far models stand beside each other, so that their intervals can be told apart."""


@checked_arguments
def models(table: pd.DataFrame, metric: str, *, slice_name: str = "all", ax: "Axes | None" = None) -> "Axes":
    """Draw one metric of several models with intervals, the best first.

    table: columns slice, model, metric, value, lo, hi, random, as `recsys.evaluation.compare` returns
    it; with a column `of` the axis names the probability that is judged. The dotted line is random order (or
    the overall rate, for probabilities). Raises InputError for
    a metric or slice that is not there.

    >>> row = {"slice": "all", "metric": "ndcg@5", "lo": 0.2, "hi": 0.4, "random": 0.1}
    >>> table = pd.DataFrame([{"model": "a", "value": 0.3} | row, {"model": "b", "value": 0.35} | row])
    >>> [label.get_text() for label in models(table, "ndcg@5").get_yticklabels()]
    ['b', 'a']
    """
    rows = chosen_rows(table, metric, slice_name)
    rows = rows.sort_values("value", ascending=metric in LOWER_IS_BETTER)
    axes = styled_axes(ax, height=1.2 + 0.35 * len(rows))
    colours = palette(axes)
    axes.errorbar(
        rows["value"],
        list(range(len(rows))),
        xerr=interval_lengths(rows),
        fmt="o",
        color=colours.accent,
        capsize=3,
    )
    random = rows["random"].dropna()
    if len(random):
        axes.axvline(float(random.iloc[0]), color=colours.soft, linestyle=":", label=baseline_label(metric))
        legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_yticks(range(len(rows)), rows["model"].astype(str).tolist())
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(
        xlabel=f"{metric_label(metric)}{_of_probability(rows)} (95% interval)",
        title=titled_with_n(f"{metric_label(metric)} by model{_of_slice(table, slice_name)}", metric, rows),
    )
    return axes


@checked_arguments
def evidence_curve(table: pd.DataFrame, metric: str, *, ax: "Axes | None" = None) -> "Axes":
    """Draw a metric by number of training signals of the viewer, one line a model, with intervals.

    table: what `recsys.evaluation.compare` returns when `slices` are the labels of `interaction_slice`
    (0, 1-5, 6-20, >20 signals); slices without viewers are left out. The dotted line is random order.
    Raises InputError for an unknown metric or a table without such slices.

    >>> row = {"model": "hybrid", "metric": "ndcg@5", "lo": 0.1, "hi": 0.4, "random": 0.1}
    >>> table = pd.DataFrame([row | {"slice": "0", "value": 0.2}, row | {"slice": ">20", "value": 0.3}])
    >>> [label.get_text() for label in evidence_curve(table, "ndcg@5").get_xticklabels()]
    ['0', '>20']
    """
    rows = chosen_rows(table, metric)
    names = [name for name in INTERACTION_SLICES if (rows["slice"] == name).any()]
    require_rows(len(names), "no slice by evidence", remedy="compare with slices=interaction_slice(signals)")
    axes = styled_axes(ax)
    colours = palette(axes)
    rows = rows[rows["slice"].isin(names)].assign(at=lambda part: part["slice"].map(names.index))
    drawn = list(rows.groupby("model", sort=False))
    for at, ((model, part), (colour, dashes)) in enumerate(zip(drawn, series(axes), strict=False)):
        line = part.sort_values("at")
        where = line["at"] + _APART * (at - (len(drawn) - 1) / 2)
        axes.plot(
            where, line["value"], color=colour, linestyle=dashes, marker="o", markersize=5, label=str(model)
        )
        axes.errorbar(
            where,
            line["value"],
            yerr=interval_lengths(line),
            color=colour,
            fmt="none",
            elinewidth=1.2,
            capsize=2,
        )
    random = rows.groupby("at")["random"].first()
    axes.plot(random.index, random, color=colours.soft, linestyle=":", label=baseline_label(metric))
    counts = rows.groupby("slice")["n"].max() if "n" in rows else pd.Series(dtype=np.int64)
    axes.set_xticks(range(len(names)), [f"{at}\nn = {counts[at]:,}" if at in counts else at for at in names])
    axes.set_xlim(-0.4, len(names) - 0.6)
    unit = f" (n: {_unit(metric)})" if len(counts) else ""
    axes.set(xlabel=f"training signals of the viewer{unit}", ylabel=f"{metric_label(metric)} (95% interval)")
    axes.set_title(f"{metric_label(metric)} by training signals of the viewer")
    legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return axes


@checked_arguments
def reliability(
    tables: pd.DataFrame | Mapping[str, pd.DataFrame], *, of: str = "", ax: "Axes | None" = None
) -> "Axes":
    """Draw a reliability diagram: mean predicted probability against observed frequency, with intervals.

    tables: what `recsys.evaluation.reliability_table` returns (columns pairs, said, happened, lo, hi),
    or several by name. A calibrated model lies on the dotted diagonal; above it more happened than was said,
    below it less. The axes end at the largest value drawn, because mutual probabilities are small.

    of: what is predicted, for the title, such as "P(like | look)"; a column of `score_pairs` says it itself.

    A. H. Murphy and R. L. Winkler, "Reliability of subjective probability forecasts of precipitation
    and temperature", Journal of the Royal Statistical Society C 26 (1977) 41-47.

    Raises InputError when there is no bin to draw.

    >>> from recsys.evaluation import reliability_table
    >>> table = reliability_table([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2)
    >>> reliability(table, of="P(like | look)").get_title()
    'Calibration of P(like | look), n = 4 pairs'
    """
    named = {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    require_rows(sum(map(len, named.values())), "no bin to draw", remedy="judge at least one pair")
    axes = styled_axes(ax, width=4.8, height=4.6)
    colours = palette(axes)
    top = max(float(table[["said", "hi"]].to_numpy().max()) for table in named.values() if len(table))
    end = min(1.0, top * 1.05)
    axes.plot([0, end], [0, end], color=colours.soft, linestyle=":")
    for (name, table), (colour, dashes) in zip(named.items(), series(axes), strict=False):
        drawn = axes.errorbar(
            table["said"],
            table["happened"],
            yerr=interval_lengths(table, "happened"),
            color=colour,
            linestyle=dashes,
            marker="o",
            markersize=4.5,
            linewidth=1.2,
            capsize=2,
            label=f"{name} (n = {_pairs(table)})",
        )
        drawn[0].set_gid("points")
    of = of or " and ".join(
        dict.fromkeys(str(one.attrs["of"]) for one in named.values() if "of" in one.attrs)
    )
    title = f"Calibration of {of}" if of else "Calibration"
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal", title=title)
    axes.locator_params(nbins=6)
    axes.set(xlabel=f"predicted {of or 'probability'}", ylabel="observed frequency (95% interval)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent)
    if isinstance(tables, pd.DataFrame):
        axes.set_title(f"{title}, n = {_pairs(tables)} pairs")
    else:
        legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    return axes


@checked_arguments
def policy_curves(curves: pd.DataFrame, measure: str, *, ax: "Axes | None" = None) -> "Axes":
    """Draw a measure of simulated nights, one line a policy, with bands for the intervals.

    curves: columns policy, night (from 1), measure, value, lo, hi, as in `NightsSummary.curves`. Raises
    InputError for an unknown measure.

    >>> row = {"policy": "nash", "measure": "someone", "value": 0.2, "lo": 0.1, "hi": 0.3}
    >>> policy_curves(pd.DataFrame([row | {"night": 1}, row | {"night": 2}]), "someone").get_xlabel()
    'night'
    """
    rows = curves[curves["measure"] == measure]
    if rows.empty:
        remedy = did_you_mean(measure, curves["measure"].unique().tolist())
        raise InputError(explained("unknown measure", got=measure, remedy=remedy))
    axes = styled_axes(ax)
    for (policy, part), (colour, dashes) in zip(
        rows.groupby("policy", sort=False), series(axes), strict=False
    ):
        night = part["night"].to_numpy()
        axes.fill_between(night, part["lo"], part["hi"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(night, part["value"], color=colour, linestyle=dashes, label=str(policy), gid="curve")
    axes.set_ylim(bottom=0)
    axes.set_xlim(1, max(2, int(rows["night"].max())))
    axes.locator_params(axis="x", integer=True)
    name = MEASURE_LABELS.get(measure, measure)
    axes.set(xlabel="night", ylabel=f"{name} (95% interval)", title=f"{name[0].upper()}{name[1:]}, by night")
    legend(axes)
    return axes


def chosen_rows(table: pd.DataFrame, metric: str, slice_name: str | None = None) -> pd.DataFrame:
    """Return the rows of one metric (and one slice, unless None) of an evaluation table.

    Raises InputError, with the nearest known name, when there are none.
    """
    rows = table if "model" in table else table.assign(model="lists")
    for column, wanted in (("metric", metric), ("slice", slice_name)):
        if wanted is None:
            continue
        known = rows[column].unique().tolist()
        rows = rows[rows[column] == wanted]
        if rows.empty:
            raise InputError(explained(f"unknown {column}", got=wanted, remedy=did_you_mean(wanted, known)))
    return rows


def _of_probability(rows: pd.DataFrame) -> str:
    """Return which probability a metric judges, empty where it judges an order."""
    judged = [one for one in rows["of"].dropna().unique() if one] if "of" in rows else []
    return f" of {' and '.join(judged)}" if judged else ""


def _of_slice(table: pd.DataFrame, slice_name: str) -> str:
    """Return whose rows are drawn, where the table holds those of several slices."""
    several = "slice" in table and len(table["slice"].unique()) > 1
    return f", {'all viewers' if slice_name == 'all' else slice_name}" if several else ""


def interval_lengths(rows: pd.DataFrame, value: str = "value") -> Any:
    """Return how far `lo` and `hi` lie from the value, `(2, n)`, 0 where they are unknown."""
    middle = rows[value].to_numpy(np.float64)
    reach = np.stack([middle - rows["lo"].to_numpy(np.float64), rows["hi"].to_numpy(np.float64) - middle])
    return np.nan_to_num(reach).clip(min=0.0)


def baseline_label(metric: str) -> str:
    """Return what the column `random` of an evaluation table holds for a metric.

    >>> baseline_label("ndcg@5"), baseline_label("brier")
    ('random order', 'overall rate')
    """
    return "overall rate" if metric in LOWER_IS_BETTER else "random order"


def _pairs(table: pd.DataFrame) -> str:
    return f"{int(table['pairs'].sum()):,}"


_CAPITALS: Final = frozenset({"auc", "ece", "ndcg"})


def metric_label(metric: str) -> str:
    """Return a metric as it is written in the field.

    >>> metric_label("mutual_auc"), metric_label("ndcg@5"), metric_label("log_loss")
    ('mutual AUC', 'NDCG@5', 'log loss')
    """
    name, at, length = metric.partition("@")
    return " ".join(one.upper() if one in _CAPITALS else one for one in name.split("_")) + at + length


def titled_with_n(title: str, metric: str, rows: pd.DataFrame, of: str = "") -> str:
    """Return the title with how many viewers or pairs a metric was computed on, as far as the table says.

    >>> titled_with_n("auc by model", "auc", pd.DataFrame({"n": [1200]}))
    'auc by model, n = 1,200 pairs'
    """
    if "n" not in rows:
        return title
    return f"{title}, n = {int(rows['n'].max()):,} {of}{_unit(metric)}"


def _unit(metric: str) -> str:
    return "pairs" if metric in PROBABILITY_METRICS else "viewers" if "@" in metric else "people"
