"""One quiet look for pictures, with letters for both languages."""

import re
from functools import cache
from typing import Any, Final

from recsys.errors import imported

INK: Final = "#262b2f"
SOFT: Final = "#8f897c"
LINE: Final = "#e4dfd4"
ACCENT: Final = "#2c6468"
SERIES: Final = ("#2c6468", "#c7772e", "#7a5195", "#6a8f3c", "#b0413e", "#4a7fb5", "#8f897c", "#d4a72c")
"""Colours of several things side by side, told apart also by people who see few colours."""

_JAPANESE: Final = re.compile(
    r"noto ?sans ?(cjk ?)?jp|noto ?sans ?cjk|hiragino|yu ?goth|meiryo|ipa(ex)?g|takao|source ?han ?sans",
    re.IGNORECASE,
)


@cache
def families() -> tuple[str, ...]:
    """Return the fonts to write with: the usual one, then one with Japanese letters when it is installed.

    Fonts that were installed after matplotlib looked for fonts the first time are found too.
    """
    manager: Any = imported("matplotlib.font_manager", extra="report")
    usual = "DejaVu Sans"
    known = [name for name in manager.get_font_names() if _JAPANESE.search(name)]
    if not known:
        files = [path for path in manager.findSystemFonts() if _JAPANESE.search(path.replace("-", ""))]
        if not files:
            return (usual,)
        chosen = min(files, key=lambda path: ("regular" not in path.lower(), path))
        manager.fontManager.addfont(chosen)
        known = [font.name for font in manager.fontManager.ttflist if font.fname == chosen]
    return usual, min(known, key=lambda name: ("JP" not in name, "Mono" in name, name))


def use_style() -> None:
    """Give every picture of this session the look of the library, also those pandas draws.

    >>> use_style()
    """
    matplotlib: Any = imported("matplotlib", extra="report")
    matplotlib.rcParams.update(
        {
            "axes.edgecolor": SOFT,
            "axes.labelcolor": INK,
            "axes.prop_cycle": matplotlib.cycler(color=SERIES),
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
