"""Reliability diagrams: what was said beside what then happened."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from recsys.plots.canvas import canvas, colours, legend, refuse_empty
from recsys.plots.style import SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability(tables: pd.DataFrame | Mapping[str, pd.DataFrame], *, ax: "Axes | None" = None) -> "Axes":
    """Draw one line a table: mean stated probability against the rate that followed, with intervals.

    tables: what `recsys.evaluation.reliability_table` returns (columns said, happened, lo, hi), or
    several by name. On the dotted diagonal, probabilities are worth what they say. The axes end at
    the largest value drawn, because mutual probabilities are small.

    A. H. Murphy and R. L. Winkler, "Reliability of subjective probability forecasts of precipitation
    and temperature", Journal of the Royal Statistical Society C 26 (1977) 41-47.

    Raises InputError when there is no bin to draw.

    >>> from recsys.evaluation import reliability_table
    >>> ax = reliability(reliability_table([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2))
    >>> ax.get_xlabel()
    'chance that was said'
    """
    named = {"said": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    refuse_empty(sum(map(len, named.values())), "no bin to draw", remedy="judge at least one pair")
    axes = canvas(ax, width=4.8, height=4.6)
    top = max(float(table[["said", "hi"]].to_numpy().max()) for table in named.values() if len(table))
    for (name, table), colour in zip(named.items(), colours(), strict=False):
        below, above = table["happened"] - table["lo"], table["hi"] - table["happened"]
        axes.errorbar(
            table["said"],
            table["happened"],
            yerr=[below.clip(lower=0.0), above.clip(lower=0.0)],
            color=colour,
            marker="o",
            markersize=4,
            linewidth=1.3,
            capsize=2,
            label=name,
        )
    end = min(1.0, top * 1.05)
    axes.plot([0, end], [0, end], color=SOFT, linestyle=":")
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal", title="Said and happened")
    axes.set(xlabel="chance that was said", ylabel="share that happened")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:.0%}" if end > 0.1 else "{x:.1%}")
    if len(named) > 1:
        legend(axes, loc="best")
    return axes
