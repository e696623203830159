"""Models side by side in one metric, with their intervals and what random order reaches."""

from typing import TYPE_CHECKING

import pandas as pd

from recsys.errors import InputError, did_you_mean, explained
from recsys.plots.canvas import canvas, legend
from recsys.plots.style import ACCENT, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def models(table: pd.DataFrame, metric: str, *, slice_name: str = "all", ax: "Axes | None" = None) -> "Axes":
    """Draw what `recsys.evaluation.compare` returns: one point a model, best first.

    table: columns slice, model, metric, value, lo, hi, random. The dotted line is random order (or
    the overall rate, for probabilities). Raises InputError for a metric or slice that is not there.

    >>> row = {"slice": "all", "metric": "ndcg@5", "lo": 0.2, "hi": 0.4, "random": 0.1}
    >>> table = pd.DataFrame([{"model": "a", "value": 0.3} | row, {"model": "b", "value": 0.35} | row])
    >>> [label.get_text() for label in models(table, "ndcg@5").get_yticklabels()]
    ['b', 'a']
    """
    rows = chosen_rows(table, metric, slice_name).sort_values("value", ascending=False)
    axes = canvas(ax, height=1.2 + 0.35 * len(rows))
    below, above = rows["value"] - rows["lo"], rows["hi"] - rows["value"]
    axes.errorbar(
        rows["value"],
        list(range(len(rows))),
        xerr=[below.fillna(0.0).clip(lower=0.0), above.fillna(0.0).clip(lower=0.0)],
        fmt="o",
        color=ACCENT,
        capsize=3,
    )
    random = rows["random"].dropna()
    if len(random):
        axes.axvline(float(random.iloc[0]), color=SOFT, linestyle=":", label="random")
        legend(axes)
    axes.set_yticks(range(len(rows)), rows["model"].astype(str).tolist())
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(xlabel=metric, title=f"{metric}, n = {int(rows['n'].max()):,}" if "n" in rows else metric)
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
