"""A map of people: their factors on the two directions in which they differ most."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.plots.canvas import canvas, colours, legend, refuse_empty
from recsys.plots.style import ACCENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_WORDS = 8


def principal_plane(rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return rows `(n, d)` on their first two principal components, `(n, 2)`.

    Centred, by singular values; each component points to where its largest loading is positive, so
    that equal rows give equal pictures. Missing components (d of 1) are 0.

    >>> principal_plane([[0.0], [2.0]]).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = np.asarray(rows, np.float64)
    centred = centred - centred.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    first_two = directions[:2]
    largest = first_two[np.arange(len(first_two)), np.abs(first_two).argmax(axis=1)]
    plane = np.zeros((len(centred), 2))
    plane[:, : len(first_two)] = centred @ (first_two * np.sign(largest)[:, None]).T
    return plane


def embedding_map(
    directed: Directed,
    colour: pd.Series | None = None,
    *,
    side: Literal["taste", "appeal"] = "taste",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw everybody as a point, near to whom they are like.

    directed: what a fitted model gives as `model.fitted`. colour: a number or a word for each person,
    indexed by user_id, such as a scale score or an age band; people without one stay grey.

    Raises InputError for an unknown side, nobody to draw, or more words than can be told apart.

    >>> from recsys.data.ids import IdIndex
    >>> two = Directed.of(IdIndex(["a", "b"]), taste=[[1.0], [2.0]], appeal=[[3.0], [0.5]])
    >>> embedding_map(two, pd.Series({"a": 0.2, "b": 0.9}, name="openness")).get_title()
    'taste, coloured by openness'
    """
    if side not in ("taste", "appeal"):
        raise InputError(explained("unknown side", got=side, remedy="use taste or appeal"))
    refuse_empty(len(directed), "nobody to draw", remedy="fit the model on some people")
    plane = principal_plane(getattr(directed, side))
    axes = canvas(ax, width=6.0, height=5.0)
    if colour is None:
        axes.scatter(plane[:, 0], plane[:, 1], s=8, color=ACCENT, alpha=0.5, linewidths=0)
    else:
        _coloured(axes, plane, colour.reindex(directed.ids.values))
    axes.set(xticks=[], yticks=[], xlabel="first component", ylabel="second component")
    axes.set_title(side if colour is None else f"{side}, coloured by {colour.name or 'value'}")
    return axes


def _coloured(axes: "Axes", plane: npt.NDArray[np.float64], colour: pd.Series) -> None:
    known = colour.notna().to_numpy(bool)
    axes.scatter(plane[~known, 0], plane[~known, 1], s=6, color="#d8d4cb", linewidths=0)
    if pd.api.types.is_numeric_dtype(colour):
        points = axes.scatter(
            plane[known, 0], plane[known, 1], s=9, c=colour[known], cmap="viridis", alpha=0.8, linewidths=0
        )
        axes.figure.colorbar(points, ax=axes, shrink=0.75, label=str(colour.name or "value"))
        return
    words = sorted(colour[known].astype(str).unique())
    if len(words) > _MOST_WORDS:
        raise InputError(
            explained(
                "too many colours to tell apart",
                got=f"{len(words)} words",
                remedy=f"group them into {_MOST_WORDS} or fewer",
            )
        )
    for word, shade in zip(words, colours(), strict=False):
        here = known & (colour.astype(str) == word).to_numpy(bool)
        axes.scatter(plane[here, 0], plane[here, 1], s=9, color=shade, alpha=0.7, linewidths=0, label=word)
    legend(axes, markerscale=2)
