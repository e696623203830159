"""How long people's lists are."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.plots.canvas import canvas, refuse_empty
from recsys.plots.style import ACCENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def list_lengths(
    lists: pd.DataFrame, viewers: npt.ArrayLike | None = None, *, ax: "Axes | None" = None
) -> "Axes":
    """Draw how many people have a list of each length.

    lists: what `recommend` returns. viewers: everybody who was to have a list; who is among them and
    in no row counts as a list of 0. Raises InputError when there is nobody.

    >>> ax = list_lengths(pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "c"]}), ["a", "b"])
    >>> [int(bar.get_height()) for bar in ax.patches]
    [1, 0, 1]
    """
    counted = lists.groupby(C.VIEWER).size()
    asked = counted.index if viewers is None else pd.Index(np.asarray(viewers, dtype=object))
    refuse_empty(len(asked), "nobody has a list", remedy="recommend for somebody first")
    lengths = counted.reindex(asked, fill_value=0).to_numpy(np.int64)
    people = np.bincount(lengths).astype(np.float64)
    axes = canvas(ax)
    axes.bar(np.arange(len(people)), people, width=0.85, color=ACCENT)
    axes.set(xlabel="people in the list", ylabel="viewers", title="How long the lists are")
    return axes
