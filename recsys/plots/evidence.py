"""How a metric grows with what is known of people."""

from typing import TYPE_CHECKING

import pandas as pd

from recsys.evaluation.slices import EVIDENCE
from recsys.plots.canvas import SOFT, canvas, colours, refuse_empty
from recsys.plots.models import chosen_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    for (model, part), colour in zip(rows.groupby("model", sort=False), colours(), strict=False):
        drawn = part.sort_values("at")
        axes.plot(drawn["at"], drawn["value"], marker="o", markersize=4, color=colour, label=str(model))
        axes.fill_between(
            drawn["at"], drawn["lo"].astype(float), drawn["hi"].astype(float), color=colour, alpha=0.12, lw=0
        )
    random = rows.groupby("at")["random"].first()
    axes.plot(random.index, random, color=SOFT, linestyle=":", label="random")
    axes.set_xticks(range(len(names)), names)
    axes.set(xlabel="signals of the person", ylabel=metric, title=f"{metric} by evidence")
    axes.legend(frameon=False, fontsize=9)
    return axes
