"""How a metric grows with what is known of people."""

from typing import TYPE_CHECKING

import pandas as pd

from recsys.evaluation.splits import EVIDENCE
from recsys.plots.canvas import canvas, colours, legend, refuse_empty
from recsys.plots.models import chosen_rows
from recsys.plots.style import SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_APART = 0.07
"""How far models stand beside each other, so that their intervals can be told apart."""


def evidence_curve(table: pd.DataFrame, metric: str, *, ax: "Axes | None" = None) -> "Axes":
    """Draw a metric by number of signals, one line a model, with intervals and random order.

    table: what `recsys.evaluation.compare` returns when `slices` are the labels of `evidence_slice`
    (0, 1-5, 6-20, >20 signals); slices nobody is in are left out. Raises InputError for an unknown
    metric or a table without such slices.

    >>> row = {"model": "hybrid", "metric": "ndcg@5", "lo": 0.1, "hi": 0.4, "random": 0.1}
    >>> table = pd.DataFrame([row | {"slice": "0", "value": 0.2}, row | {"slice": ">20", "value": 0.3}])
    >>> [label.get_text() for label in evidence_curve(table, "ndcg@5").get_xticklabels()]
    ['0', '>20']
    """
    rows = chosen_rows(table, metric)
    names = [name for name in EVIDENCE if (rows["slice"] == name).any()]
    refuse_empty(len(names), "no slice by evidence", remedy="compare with slices=evidence_slice(signals)")
    axes = canvas(ax)
    rows = rows[rows["slice"].isin(names)].assign(at=lambda part: part["slice"].map(names.index))
    drawn = list(rows.groupby("model", sort=False))
    for at, ((model, part), colour) in enumerate(zip(drawn, colours(), strict=False)):
        line = part.sort_values("at")
        where = line["at"] + _APART * (at - (len(drawn) - 1) / 2)
        below, above = line["value"] - line["lo"].astype(float), line["hi"].astype(float) - line["value"]
        reach = [below.fillna(0.0).clip(lower=0.0), above.fillna(0.0).clip(lower=0.0)]
        axes.plot(where, line["value"], color=colour, marker="o", markersize=5, label=str(model))
        axes.errorbar(where, line["value"], yerr=reach, color=colour, fmt="none", elinewidth=1.2, capsize=2)
    random = rows.groupby("at")["random"].first()
    axes.plot(random.index, random, color=SOFT, linestyle=":", label="random")
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.4, len(names) - 0.6)
    axes.set(xlabel="signals of the person", ylabel=metric, title=f"{metric} by evidence")
    legend(axes)
    return axes
