"""Where pictures are drawn: axes in one quiet style, and the colours they share."""

from collections.abc import Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from recsys.errors import InputError, explained, imported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#262b2f"
SOFT: Final = "#8f897c"
LINE: Final = "#e4dfd4"
ACCENT: Final = "#2c6468"
SERIES: Final = ("#2c6468", "#c7772e", "#7a5195", "#6a8f3c", "#b0413e", "#4a7fb5", "#8f897c", "#d4a72c")
"""Colours of several things side by side, told apart also by people who see few colours."""


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
    ax.tick_params(colors=INK, labelsize=9)
    ax.title.set_color(INK)
    return ax


def colours() -> Iterator[str]:
    """Yield the colours of `SERIES`, from the start again when they run out."""
    return cycle(SERIES)


def refuse_empty(n: int, what: str, *, remedy: str) -> None:
    """Raise InputError when there is nothing to draw.

    >>> refuse_empty(3, "no list", remedy="recommend for somebody first")
    """
    if n == 0:
        raise InputError(explained(what, where="the picture", remedy=remedy))
