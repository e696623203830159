"""A map by cell: one hexagon a cell, coloured by a number."""

from typing import TYPE_CHECKING, Any

import h3
import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.geography import cell_text
from recsys.data.population import Population
from recsys.errors import InputError, explained, imported
from recsys.plots.canvas import canvas, refuse_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LEAST_PEOPLE = 5
"""A cell with fewer people is left out, so that a picture points at nobody."""


def cell_table(
    people: Population, values: pd.Series | None = None, *, resolution: int = 4, least: int = LEAST_PEOPLE
) -> pd.DataFrame:
    """Return one row a cell: cell (H3 text), people, value (their mean, or how many there are).

    values: a number a person, indexed by user_id. resolution: 0 (continents) to 6 (about 6 km); cells
    are taken together to it. Cells with fewer than `least` people are left out.

    Raises InputError for an impossible resolution.

    >>> len(cell_table(Population.of_ids(["a"], as_of="2026-01-05")))
    0
    """
    if not 0 <= resolution <= 6:
        raise InputError(explained("impossible resolution", got=resolution, remedy="use 0 to 6"))
    known = people.cells != 0
    number, inverse = np.unique(people.cells[known], return_inverse=True)
    coarse = np.array([_parent(int(cell), resolution) for cell in number], dtype=object)
    frame = pd.DataFrame(
        {C.CELL: coarse[inverse] if len(number) else [], C.USER: people.ids.ids(np.flatnonzero(known))}
    )
    frame["value"] = 1.0 if values is None else values.reindex(frame[C.USER]).to_numpy(np.float64)
    grouped = frame.groupby(C.CELL)["value"]
    table = pd.DataFrame({"people": grouped.size(), "value": grouped.mean()}).reset_index()
    if values is None:
        table["value"] = table["people"].astype(np.float64)
    return table[table["people"] >= least].reset_index(drop=True)


def cell_map(
    people: Population,
    values: pd.Series | None = None,
    *,
    resolution: int = 4,
    least: int = LEAST_PEOPLE,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw cells as hexagons on a plain longitude and latitude grid, coloured by `cell_table`'s value.

    Without `values` it shows how many people live where, on a logarithmic scale when cells differ much.
    Raises InputError when no cell holds `least` people. Cells that cross the antimeridian are drawn on
    the eastern side.

    >>> import recsys
    >>> people = recsys.load_population(recsys.make_town(120, np.random.default_rng(7)).tables)
    >>> cell_map(people, least=2).get_aspect() != "auto"
    True
    """
    table = cell_table(people, values, resolution=resolution, least=least)
    refuse_empty(len(table), f"no cell holds {least} people", remedy="take a coarser resolution")
    collections: Any = imported("matplotlib.collections", extra="report")
    axes = canvas(ax, width=6.4, height=6.0)
    outlines = [_outline(cell) for cell in table[C.CELL]]
    hexagons = collections.PolyCollection(outlines, cmap="viridis", edgecolor="white", linewidth=0.4)
    amounts = table["value"].to_numpy(np.float64)
    hexagons.set_array(amounts)
    if values is None and amounts.max() > 10 * amounts.min():
        hexagons.set_norm(imported("matplotlib.colors", extra="report").LogNorm())
    axes.add_collection(hexagons)
    axes.autoscale_view()
    latitude = np.concatenate(outlines)[:, 1].mean()
    axes.set(aspect=1.0 / max(np.cos(np.radians(latitude)), 0.1), xlabel="longitude", ylabel="latitude")
    title = "people" if values is None else str(values.name or "value")
    axes.set_title(f"{title} by cell")
    bar = axes.figure.colorbar(hexagons, ax=axes, shrink=0.7, label=title)
    if values is None:
        bar.ax.yaxis.set_major_formatter("{x:,.0f}")
    return axes


def _parent(cell: int, resolution: int) -> str:
    text = cell_text(cell)
    return text if h3.get_resolution(text) <= resolution else str(h3.cell_to_parent(text, resolution))


def _outline(cell: str) -> np.ndarray:
    corners = np.array([(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell)])
    if np.ptp(corners[:, 0]) > 180:
        corners[corners[:, 0] < 0, 0] += 360
    return corners
