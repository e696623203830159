"""The look of every figure: palette, fonts and axes; matplotlib is imported when something is drawn."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from recsys.errors import InputError, explained

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap

_LUMINANCE: Final = (0.2126, 0.7152, 0.0722)
_DARKEST_LIGHT: Final = 0.4
"""Luminance of the background, of 1 for white, below which dark texts are hard to read."""


@dataclass(frozen=True)
class Palette:
    """The colours of a figure on one background.

    ink: of texts. soft: of axes and of what is given for comparison. line, land: of areas behind the marks.
    unknown: of points without a value. series: of categories side by side; `accent` is the first.
    shades: part of viridis, from 0 to 1, that stands out from the background.

    With full sight and with each of the three colour deficiencies every two of a series differ by at least 20
    units of CIELAB; in grey print the first four of `LIGHT` differ by at least 10 of lightness, and lines
    differ in `DASHES` and points in their markers as well. The first six stand out 3 to 1.
    """

    ink: str
    soft: str
    line: str
    land: str
    refused: str
    unknown: str
    series: tuple[str, ...]
    shades: tuple[float, float]

    @property
    def accent(self) -> str:
        """The colour of a single series."""
        return self.series[0]

    @cached_property
    def colormap(self) -> "Colormap":
        """Colours of amounts."""
        from matplotlib import colormaps
        from matplotlib.colors import ListedColormap

        return ListedColormap(colormaps["viridis"](np.linspace(*self.shades, 256)))


LIGHT: Final = Palette(
    ink="#262b2f",
    soft="#837d70",
    line="#e4dfd4",
    land="#f1eee7",
    refused="#a8322a",
    unknown="#b3ada1",
    series=("#2c6468", "#bb8769", "#381e70", "#727d10", "#7a2713", "#d95baf", "#4cb7fc", "#b1d35a"),
    shades=(0.0, 1.0),
)
DARK: Final = Palette(
    ink="#e8e6e1",
    soft="#a3adb2",
    line="#39434a",
    land="#262d31",
    refused="#f0958c",
    unknown="#78828a",
    series=("#7cc0b9", "#eda142", "#9e64c3", "#e5d29c", "#c3c7fd", "#d44256", "#b828ee", "#5e8294"),
    shades=(0.3, 1.0),
)

DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.6)), (0, (4, 1.2, 1, 1.2)), (0, (1, 1.6)), (0, (8, 2)), "-.")
"""Line styles of the series, so that lines are told apart in grey print and by the colour-blind."""

_JAPANESE: Final = re.compile(
    r"noto ?sans ?(cjk ?)?jp|noto ?sans ?cjk|hiragino|yu ?goth|meiryo|ipa(ex)?g|takao|source ?han ?sans",
    re.IGNORECASE,
)


@cache
def families() -> tuple[str, ...]:
    """Return the font families: the default, then a Japanese one when the machine has any.

    Fonts that were installed after matplotlib built its font list are found too. No other program is asked
    for them: one that is started counts the memory of the whole process as its own.
    """
    from matplotlib import font_manager as manager

    default = "DejaVu Sans"
    known = [name for name in manager.get_font_names() if _JAPANESE.search(name)]
    if not known:
        unix = [*manager.X11FontDirectories, *manager.OSXFontDirectories]
        there = manager.findSystemFonts(None if sys.platform == "win32" else unix)
        files = [path for path in there if _JAPANESE.search(path.replace("-", ""))]
        if not files:
            return (default,)
        chosen = min(files, key=lambda path: ("regular" not in path.lower(), path))
        manager.fontManager.addfont(chosen)
        known = [font.name for font in manager.fontManager.ttflist if font.fname == chosen]
    return default, min(known, key=lambda name: ("JP" not in name, "Mono" in name, name))


def palette(ax: "Axes") -> Palette:
    """Return the palette for the background of the axes: `DARK` in a dark style of matplotlib."""
    return _palette_on(ax.get_facecolor(), ax.figure.get_facecolor())


def _palette_on(*backgrounds: Any) -> Palette:
    """Return the palette on the first of these colours that is not transparent."""
    from matplotlib.colors import to_rgba

    seen = [rgba[:3] for rgba in map(to_rgba, backgrounds) if rgba[3] > 0.0]
    return DARK if seen and float(np.dot(seen[0], _LUMINANCE)) < _DARKEST_LIGHT else LIGHT


def use_style() -> None:
    """Set matplotlib's defaults to the look of the library, also for figures that pandas draws.

    >>> use_style()
    """
    import matplotlib as mpl
    from cycler import cycler

    colours = _palette_on(mpl.rcParams["figure.facecolor"])
    mpl.rcParams.update(
        {
            "axes.edgecolor": colours.soft,
            "axes.labelcolor": colours.ink,
            "axes.prop_cycle": cycler(color=colours.series),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "font.family": list(families()),
            "legend.frameon": False,
            "text.color": colours.ink,
            "xtick.color": colours.ink,
            "xtick.labelsize": 9,
            "ytick.color": colours.ink,
            "ytick.labelsize": 9,
        }
    )


def styled_axes(ax: "Axes | None", *, width: float = 6.4, height: float = 4.0) -> "Axes":
    """Return `ax` in the look of the library, or the axes of a new pyplot figure, sizes in inches."""
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    colours = palette(ax)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(colours.soft)
    names = list(families())
    ax.tick_params(colors=colours.ink, labelsize=9, labelfontfamily=names)
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
        text.set(color=colours.ink, fontfamily=names)
    return ax


def write(ax: "Axes", x: float, y: float, text: str, **more: Any) -> None:
    """Write a text into the axes at the height of its middle, in ink and in fonts of both languages."""
    more = {"va": "center", "color": palette(ax).ink, "fontfamily": list(families()), **more}
    ax.text(x, y, text, **more)


def legend(ax: "Axes", **where: Any) -> None:
    """Add a legend without a frame, in fonts of both languages."""
    prop = {"family": list(families()), "size": 9}
    ax.legend(frameon=False, prop=prop, labelcolor=palette(ax).ink, **where)


def colour_bar(ax: "Axes", amounts: "ScalarMappable", *, label: str) -> "Colorbar":
    """Add a bar that says which colour means which amount, beside the axes."""
    bar = ax.figure.colorbar(amounts, ax=ax, shrink=0.75)
    ink, names = palette(ax).ink, list(families())
    bar.set_label(label, color=ink, fontfamily=names)
    bar.ax.tick_params(which="both", colors=ink, labelfontfamily=names)
    return bar


def series(ax: "Axes") -> Iterator[tuple[str, Any]]:
    """Yield colour and line style of one series after the other, from the start when they run out."""
    return zip(cycle(palette(ax).series), cycle(DASHES), strict=False)


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
