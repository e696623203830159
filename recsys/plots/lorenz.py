"""The Lorenz curve of exposure: how evenly attention is spread over people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.evaluation.market import exposure, gini, lorenz_curve
from recsys.plots.canvas import canvas, colours, legend, refuse_empty
from recsys.plots.style import SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lorenz(
    lists: pd.DataFrame | Mapping[str, pd.DataFrame],
    everybody: npt.ArrayLike | None = None,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how evenly lists spread attention, one curve a set of lists.

    lists: what `recommend` returns, or several by name. everybody: all who could have been shown;
    without it, those shown by any of the lists. A place at rank r counts 1 / r, as in `exposure`.
    The legend gives the Gini coefficient. Raises InputError when no list holds anybody.

    >>> ax = lorenz(pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"], "rank": [1]}), ["a", "b"])
    >>> ax.get_legend_handles_labels()[1]
    ['lists (Gini 0.50)', 'even']
    """
    named = {"lists": lists} if isinstance(lists, pd.DataFrame) else dict(lists)
    refuse_empty(
        sum(map(len, named.values())), "no list holds anybody", remedy="recommend for somebody first"
    )
    shown = np.concatenate([frame[C.CANDIDATE].to_numpy(object) for frame in named.values()])
    people = np.unique(shown) if everybody is None else np.asarray(everybody, dtype=object)
    axes = canvas(ax, width=4.8, height=4.6)
    for (name, frame), colour in zip(named.items(), colours(), strict=False):
        amounts = exposure(frame[C.CANDIDATE], frame[C.RANK], people)
        axes.plot(*lorenz_curve(amounts), color=colour, label=f"{name} (Gini {gini(amounts):.2f})")
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", label="even")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="How evenly attention is spread")
    axes.set(xlabel="share of people, least shown first", ylabel="share of attention")
    legend(axes, loc="upper left")
    return axes
