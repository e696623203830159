"""The funnel as bars: how many candidates are left after each constraint."""

from typing import TYPE_CHECKING

import pandas as pd

from recsys.plots.canvas import canvas, refuse_empty
from recsys.plots.style import ACCENT, INK, LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def funnel(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Draw what `recsys.constraints.funnel` counts: one bar a constraint that removes somebody.

    A bar is as long as the share of candidates left after that constraint, in the policy's order.
    For operators, like the counts themselves. Raises InputError for an empty table.

    >>> steps = pd.DataFrame({"constraint": ["ages"], "removed_in_order": [6], "left": [4]})
    >>> [text.get_text() for text in funnel(steps).texts]
    ['10', '4']
    """
    refuse_empty(len(table), "no constraint to draw", remedy="count with a policy that has some")
    before = int(table["left"].iloc[0] + table["removed_in_order"].iloc[0])
    steps = table[table["removed_in_order"] > 0]
    names, left = ["everybody else", *steps["constraint"]], [before, *steps["left"]]
    axes = canvas(ax, width=7.0, height=0.8 + 0.32 * len(names))
    axes.barh(names, [before] * len(names), color=LINE)
    axes.barh(names, left, color=ACCENT)
    for row, count in enumerate(left):
        axes.text(before * 1.01, row, f"{count:,}", va="center", fontsize=9, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set(xlim=(0, before * 1.14), xticks=[], title="Candidates left after each constraint")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    return axes
