"""Figures of people and pairs: a map by cell, a map of embeddings, and the parts of one pair's logits."""

from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import h3
import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.geography import cell_text
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.plots.style import colour_bar, legend, palette, require_rows, series, styled_axes
from recsys.types import Float64Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from recsys.models.explanation import PairExplanation


"""The colour of people without a value."""

LEAST_PEOPLE = 5
"""A cell with fewer people is left out, so that a map points at nobody."""


def cell_table(
    people: Population, values: pd.Series | None = None, *, resolution: int = 4, least: int = LEAST_PEOPLE
) -> pd.DataFrame:
    """Return one row a cell: cell (H3 text), people, value (their mean, or how many there are).

    values: a number a person, indexed by user_id. resolution: 0 (continents) to 6 (about 6 km); cells
    are taken together to it. Cells with fewer than `least` people are left out.

    Raises InputError for an impossible resolution, and for values of nobody here.

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
    if values is None or frame.empty:
        frame["value"] = 1.0
    else:
        told = _of_people(values, people.ids, name="values").reindex(frame[C.USER])
        frame["value"] = told.to_numpy(np.float64)
    grouped = frame.groupby(C.CELL)["value"]
    table = pd.DataFrame({"people": grouped.size(), "value": grouped.mean()}).reset_index()
    if values is None:
        table["value"] = table["people"].astype(np.float64)
    return table[table["people"] >= least].reset_index(drop=True)


@checked_arguments
def cell_map(
    people: Population,
    values: pd.Series | None = None,
    *,
    resolution: int = 4,
    least: int = LEAST_PEOPLE,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw cells as hexagons over the outline of the land, coloured by `cell_table`'s value.

    Without `values` it shows how many people live where, on a logarithmic scale when cells differ much.
    Raises InputError when no cell holds `least` people. Cells that cross the antimeridian are drawn on
    the eastern side.

    >>> import recsys
    >>> people = recsys.load_population(recsys.make_town(120, np.random.default_rng(7)).tables)
    >>> cell_map(people, least=2).get_aspect() != "auto"
    True
    """
    table = cell_table(people, values, resolution=resolution, least=least)
    require_rows(len(table), f"no cell holds {least} people", remedy="take a coarser resolution")
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullLocator

    axes = styled_axes(ax, width=6.4, height=6.0)
    outlines = [_outline(cell) for cell in table[C.CELL]]
    hexagons = PolyCollection(
        outlines, cmap=palette(axes).colormap, edgecolor=axes.get_facecolor(), linewidth=0.4
    )
    amounts = table["value"].to_numpy(np.float64)
    hexagons.set_array(amounts)
    if values is None and amounts.max() > 10 * amounts.min():
        hexagons.set_norm(LogNorm())
    axes.add_collection(hexagons)
    corners = np.concatenate(outlines)
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = np.maximum(0.06 * (high - low), 0.3)
    axes.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))
    draw_land(axes)
    latitude = corners[:, 1].mean()
    axes.set(
        aspect=1.0 / max(np.cos(np.radians(latitude)), 0.1), xlabel="longitude (°)", ylabel="latitude (°)"
    )
    title = "people" if values is None else f"mean {values.name or 'value'}"
    n = int(table["people"].sum())
    axes.set_title(
        f"{title[0].upper()}{title[1:]} by H3 cell, n = {n:,} people in {len(table):,} cells of {least}+"
    )
    bar = colour_bar(axes, hexagons, label=title)
    if values is None:
        bar.ax.yaxis.set_major_formatter("{x:,.0f}")
        if isinstance(hexagons.norm, LogNorm):
            bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            bar.ax.yaxis.set_minor_locator(NullLocator())
    return axes


def _parent(cell: int, resolution: int) -> str:
    text = cell_text(cell)
    return text if h3.get_resolution(text) <= resolution else str(h3.cell_to_parent(text, resolution))


def _outline(cell: str) -> np.ndarray:
    corners = np.array([(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell)])
    if np.ptp(corners[:, 0]) > 180:
        corners[corners[:, 0] < 0, 0] += 360
    return corners


_MOST_CATEGORIES = 8


@checked_arguments
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


@checked_arguments
def embedding_map(
    directed: Directed,
    colour: pd.Series | Mapping[Hashable, object] | None = None,
    *,
    side: Literal["taste", "appeal"] = "taste",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw each person as a point on the first two principal components of their factors.

    directed: what a fitted model gives as `model.fitted`. colour: a number or a category for each person,
    indexed by user_id, such as a scale score or an age band, or a mapping; people without one are grey (a
    column of polars has no ids: `dict(zip(frame["user_id"], frame["age"]))`). Categories stand in the order
    of a `pandas.Categorical`, from dark to light if it is ordered, else in that of their names.

    Raises InputError for an unknown side, nobody to draw, a colour of none of the people, and more
    categories than can be told apart.

    >>> from recsys.data.ids import IdIndex
    >>> two = Directed.of(IdIndex(["a", "b"]), taste=[[1.0], [2.0]], appeal=[[3.0], [0.5]])
    >>> embedding_map(two, pd.Series({"a": 0.2, "b": 0.9}, name="openness")).get_title()
    'Taste factors by openness, n = 2 people'
    """
    if side not in ("taste", "appeal"):
        raise InputError(explained("unknown side", got=side, remedy="use taste or appeal"))
    require_rows(len(directed), "nobody to draw", remedy="fit the model on some people")
    if colour is not None:
        given = colour if isinstance(colour, pd.Series) else pd.Series(dict(colour))
        colour = _of_people(given, directed.ids, name="colour")
    rows = getattr(directed, side)
    plane = principal_plane(rows)
    axes = styled_axes(ax, width=6.0, height=5.0)
    colours = palette(axes)
    if colour is None:
        axes.scatter(plane[:, 0], plane[:, 1], s=8, color=colours.accent, alpha=0.5, linewidths=0)
    else:
        _coloured(axes, plane, colour)
    spread = plane.var(axis=0) / max(float(np.var(np.asarray(rows, np.float64), axis=0).sum()), 1e-300)
    names = (
        f"{which} principal component ({part:.0%} of variance)"
        for which, part in zip(("first", "second"), spread, strict=True)
    )
    axes.set(xticks=[], yticks=[], xlabel=next(names), ylabel=next(names))
    shade = "" if colour is None else f" by {colour.name or 'value'}"
    axes.set_title(f"{side.capitalize()} factors{shade}, n = {len(directed):,} people")
    return axes


def _of_people(values: pd.Series, ids: IdIndex, *, name: str) -> pd.Series:
    """Return the value of each person, missing where unknown; InputError where nobody has one."""
    rows = ids.find(values.index)
    known = rows[rows >= 0]
    remedy = (
        f"index it by user_id, with ids such as {ids.ids([0])[0]!r}, as in frame.set_index('user_id')['age']"
    )
    if len(known) < len(values) and not len(known):
        raise InputError(
            explained(f"no id of {name} is one of the people", got=values.index[0], remedy=remedy)
        )
    if len(np.unique(known)) < len(known):
        first = ids.ids([known[pd.Series(known).duplicated()][0]])[0]
        raise InputError(
            explained(f"a person stands twice in {name}", got=first, remedy="give one value each")
        )
    found = pd.Series(values.array[rows >= 0], index=ids.ids(known), name=values.name).reindex(ids.values)
    if not found.notna().any():
        raise InputError(explained(f"{name} has a value of nobody", remedy=remedy))
    return found


def _coloured(axes: "Axes", plane: npt.NDArray[np.float64], colour: pd.Series) -> None:
    known, colours = colour.notna().to_numpy(bool), palette(axes)
    if not known.all():
        label = f"unknown, n = {(~known).sum():,}"
        axes.scatter(
            plane[~known, 0], plane[~known, 1], s=8, color=colours.unknown, linewidths=0, label=label
        )
    if pd.api.types.is_numeric_dtype(colour):
        points = axes.scatter(
            plane[known, 0],
            plane[known, 1],
            s=9,
            c=colour[known],
            cmap=colours.colormap,
            alpha=0.8,
            linewidths=0,
        )
        colour_bar(axes, points, label=str(colour.name or "value"))
        if not known.all():
            legend(axes, loc="lower left", bbox_to_anchor=(1.0, 0.0))
        return
    told = colour[known]
    in_order = (
        told.cat.categories if isinstance(told.dtype, pd.CategoricalDtype) else sorted(told.astype(str))
    )
    present = set(told.astype(str))
    categories = [name for name in dict.fromkeys(map(str, in_order)) if name in present]
    if len(categories) > _MOST_CATEGORIES:
        raise InputError(
            explained(
                "too many colours to tell apart",
                got=f"{len(categories)} categories",
                remedy=f"group them into {_MOST_CATEGORIES} or fewer",
            )
        )
    for category, shade, marker in zip(
        categories, _shades(axes, told, len(categories)), "os^Dv<>P", strict=False
    ):
        here = known & (colour.astype(str) == category).to_numpy(bool)
        axes.scatter(
            plane[here, 0],
            plane[here, 1],
            s=12,
            c=shade,
            marker=marker,
            alpha=0.7,
            linewidths=0,
            label=f"{category}, n = {here.sum():,}",
        )
    legend(axes, markerscale=2, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _shades(axes: "Axes", told: pd.Series, n: int) -> list[str]:
    """Return a colour for each category; from dark to light where the categories have an order."""
    if isinstance(told.dtype, pd.CategoricalDtype) and told.cat.ordered:
        from matplotlib.colors import to_hex

        return [to_hex(palette(axes).colormap(at)) for at in np.linspace(0.0, 0.9, n)]
    return [shade for (shade, _), _ in zip(series(axes), range(n), strict=False)]


@checked_arguments
def pair(explained: "PairExplanation", *, ax: "Axes | None" = None) -> "Axes":
    """Draw what `Model.explain_pair` returns: a bar a term and direction, in logits, the largest first.

    Bars to the right make a like more likely, bars to the left less; all bars of a colour add up to the
    logit in the legend. For data scientists and operators, never for a member.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(7))
    >>> axes = pair(model.explain_pair("u0000001", "u0000002"))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['popularity', 'level']
    """
    table = explained.summary()
    axes = styled_axes(ax, width=7.0, height=1.4 + 0.42 * len(table))
    colours = palette(axes)
    rows = np.arange(len(table))
    for at, (name, colour) in enumerate(zip(table.columns, colours.series[:2], strict=True)):
        label = f"{name}: {explained.logits[at]:+.2f}, {explained.p_like[at]:.0%}"
        axes.barh(rows + (at - 0.5) * 0.38, table[name], height=0.36, color=colour, label=label)
    axes.axvline(0.0, color=colours.soft, linewidth=0.8)
    axes.set_yticks(rows, table.index.tolist())
    axes.invert_yaxis()
    title = load_catalogue().text("explanation.title", explained.lang, model=explained.model)
    axes.set_xlabel(load_catalogue().text("explanation.axis", explained.lang))
    axes.set_title(title, pad=46)
    legend(axes, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return axes


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
