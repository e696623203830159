"""Where pictures are drawn: axes in one quiet style."""

from collections.abc import Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Any

from recsys.errors import InputError, explained, imported
from recsys.plots.style import INK, SERIES, SOFT, families

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def canvas(ax: "Axes | None", *, width: float = 6.4, height: float = 4.0) -> "Axes":
    """Return `ax` in the style of the library, or new axes of `width` x `height` inches when None.

    Raises MissingExtraError when matplotlib is not installed.
    """
    if ax is None:
        pyplot: Any = imported("matplotlib.pyplot", extra="report")
        _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(SOFT)
    names = list(families())
    ax.tick_params(colors=INK, labelsize=9, labelfontfamily=names)
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
        text.set(color=INK, fontfamily=names)
    return ax


def legend(ax: "Axes", **where: Any) -> None:
    """Say which colour is what, without a frame, in letters of both languages."""
    ax.legend(frameon=False, prop={"family": list(families()), "size": 9}, **where)


def colours() -> Iterator[str]:
    """Yield the colours of `SERIES`, from the start again when they run out."""
    return cycle(SERIES)


def refuse_empty(n: int, what: str, *, remedy: str) -> None:
    """Raise InputError when there is nothing to draw.

    >>> refuse_empty(3, "no list", remedy="recommend for somebody first")
    """
    if n == 0:
        raise InputError(explained(what, where="the picture", remedy=remedy))
