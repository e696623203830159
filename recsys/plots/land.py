"""The outline of the land beneath a map: a small file in the package, so that nothing is downloaded.

Made from Natural Earth (public domain, naturalearthdata.com) as packed by world-atlas 2.0.2 (ISC licence):
1:10,000,000 for Japan and its neighbours to about 1 km, 1:50,000,000 elsewhere to about 10 km; islets are
left out.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from recsys.plots.style import palette
from recsys.types import Float64Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FILE: Final = Path(__file__).with_name("land.npy")


@cache
def land_outlines() -> tuple[Float64Array, ...]:
    """Return the coasts of the world as closed lines, `(n_points, 2)` longitude and latitude in degrees each.

    >>> bool(np.abs(np.vstack(land_outlines())).max() <= 180)
    True
    """
    table = np.load(_FILE, allow_pickle=False)
    starts = np.flatnonzero(np.diff(table[:, 0])) + 1
    return tuple(part[:, 1:] / 100.0 for part in np.split(table, starts))


def draw_land(axes: "Axes") -> None:
    """Draw the land within the limits of the axes, which are longitude and latitude, behind all else."""
    from matplotlib.collections import PolyCollection

    (west, east), (south, north) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    near = [
        line
        for line in land_outlines()
        if line[:, 0].max() > west
        and line[:, 0].min() < east
        and line[:, 1].max() > south
        and line[:, 1].min() < north
    ]
    colours = palette(axes)
    land = PolyCollection(near, facecolor=colours.land, edgecolor=colours.soft, linewidth=0.5, zorder=0)
    land.set_gid("land")
    axes.add_collection(land, autolim=False)
