"""The look of every figure: palette, fonts and axes; matplotlib is imported when something is drawn."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from recsys.errors import InputError, explained

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#262b2f"
SOFT: Final = "#837d70"
LINE: Final = "#e4dfd4"
LAND: Final = "#f1eee7"
ACCENT: Final = "#2c6468"
REFUSED: Final = "#a8322a"
SERIES: Final = (ACCENT, "#bb8769", "#381e70", "#727d10", "#7a2713", "#d95baf", "#4cb7fc", "#b1d35a")
"""Colours of categories side by side.

With full sight and with each of the three colour deficiencies every two differ by at least 20 units of
CIELAB; in grey print the first four differ by at least 10 of lightness, and lines differ in `DASHES` and
points in their markers as well. On white the first six stand out 3 to 1.
"""

DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.6)), (0, (4, 1.2, 1, 1.2)), (0, (1, 1.6)), (0, (8, 2)), "-.")
"""Line styles of `SERIES`, so that lines are told apart in grey print and by the colour-blind."""

_JAPANESE: Final = re.compile(
    r"noto ?sans ?(cjk ?)?jp|noto ?sans ?cjk|hiragino|yu ?goth|meiryo|ipa(ex)?g|takao|source ?han ?sans",
    re.IGNORECASE,
)


@cache
def families() -> tuple[str, ...]:
    """Return the font families: the default, then a Japanese one when the machine has any.

    Fonts that were installed after matplotlib built its font list are found too.
    """
    from matplotlib import font_manager as manager

    default = "DejaVu Sans"
    known = [name for name in manager.get_font_names() if _JAPANESE.search(name)]
    if not known:
        files = [path for path in manager.findSystemFonts() if _JAPANESE.search(path.replace("-", ""))]
        if not files:
            return (default,)
        chosen = min(files, key=lambda path: ("regular" not in path.lower(), path))
        manager.fontManager.addfont(chosen)
        known = [font.name for font in manager.fontManager.ttflist if font.fname == chosen]
    return default, min(known, key=lambda name: ("JP" not in name, "Mono" in name, name))


def use_style() -> None:
    """Set matplotlib's defaults to the look of the library, also for figures that pandas draws.

    >>> use_style()
    """
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.edgecolor": SOFT,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=SERIES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "font.family": list(families()),
            "legend.frameon": False,
            "xtick.color": INK,
            "xtick.labelsize": 9,
            "ytick.color": INK,
            "ytick.labelsize": 9,
        }
    )


def styled_axes(ax: "Axes | None", *, width: float = 6.4, height: float = 4.0) -> "Axes":
    """Return `ax` in the look of the library, or the axes of a new pyplot figure, sizes in inches."""
    if ax is None:
        from matplotlib import pyplot

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
    """Add a legend without a frame, in fonts of both languages."""
    ax.legend(frameon=False, prop={"family": list(families()), "size": 9}, **where)


def series() -> Iterator[tuple[str, Any]]:
    """Yield colour and line style of one series after the other, from the start when they run out."""
    return zip(cycle(SERIES), cycle(DASHES), strict=False)


def percent(value: float, _: float | None = None) -> str:
    """Return a tick label in percent, with the decimals it needs.

    >>> percent(0.025), percent(0.1)
    ('2.5%', '10%')
    """
    return f"{100 * value:.6g}%"


def require_rows(n: int, what: str, *, remedy: str) -> None:
    """Raise InputError when there is nothing to draw.

    >>> require_rows(3, "no list", remedy="recommend for somebody first")
    """
    if n == 0:
        raise InputError(explained(what, where="the figure", remedy=remedy))
