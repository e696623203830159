"""Figures of lists: lengths, the spread of exposure, the funnel of constraints, trends by night."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.evaluation.market import exposure, gini, lorenz_curve
from recsys.plots.style import legend, palette, percent, require_rows, series, styled_axes, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_BARS = 25


@checked_arguments
def list_lengths(
    lists: pd.DataFrame, viewers: npt.ArrayLike | None = None, *, ax: "Axes | None" = None
) -> "Axes":
    """Draw a histogram of list lengths.

    lists: what `recommend` returns. viewers: everybody who was to have a list; those without a row
    count as a list of length 0. Raises InputError when there is nobody.

    >>> ax = list_lengths(pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "c"]}), ["a", "b"])
    >>> [int(bar.get_height()) for bar in ax.patches]
    [1, 0, 1]
    """
    counted = lists.groupby(C.VIEWER).size()
    asked = counted.index if viewers is None else pd.Index(np.asarray(viewers, dtype=object))
    lengths = counted.reindex(asked, fill_value=0).to_numpy(np.int64)
    return draw_lengths(length_histogram(lengths), ax=ax)


def length_histogram(lengths: npt.ArrayLike) -> pd.DataFrame:
    """Return how many viewers have a list of each length: columns length (text), first, last, viewers.

    Length 0 is a bin of its own; long lists share bins, so that there are at most 26.

    >>> length_histogram([0, 2, 2])["viewers"].tolist()
    [1, 0, 2]
    """
    counted = np.bincount(np.asarray(lengths, np.int64), minlength=2)
    width = max(1, -(-(len(counted) - 1) // _MOST_BARS))
    first = np.array([0, *range(1, len(counted), width)])
    last = np.array([0, *(np.minimum(first[1:] + width, len(counted)) - 1)])
    names = [str(a) if a == b else f"{a}–{b}" for a, b in zip(first, last, strict=True)]
    return pd.DataFrame(
        {"length": names, "first": first, "last": last, "viewers": np.add.reduceat(counted, first)}
    )


def draw_lengths(histogram: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Draw what `length_histogram` returns; the bar of length 0 is grey."""
    n = int(histogram["viewers"].sum())
    require_rows(n, "nobody has a list", remedy="recommend for somebody first")
    axes = styled_axes(ax)
    colours = palette(axes)
    bars = axes.bar(
        np.arange(len(histogram)), histogram["viewers"], width=0.85, color=colours.accent, gid="bars"
    )
    bars[0].set_color(colours.soft)
    every = -(-len(histogram) // 12)
    named = [at for at in range(len(histogram)) if at % every == 0]
    axes.set_xticks(named, histogram["length"].iloc[named].tolist())
    axes.set_xlim(-0.6, len(histogram) - 0.4)
    axes.locator_params(axis="y", integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="candidates in the list", ylabel="viewers", title=f"List lengths, n = {n:,} viewers")
    return axes


@checked_arguments
def lorenz(
    lists: pd.DataFrame | Mapping[str, pd.DataFrame],
    everybody: npt.ArrayLike | None = None,
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw Lorenz curves of exposure, one a set of lists.

    lists: what `recommend` returns, or several by name. everybody: all who could have been shown;
    without it, those shown by any of the lists. A place at rank r counts 1 / r, as in `exposure`.
    The legend gives the Gini coefficient. Raises InputError when no list holds anybody.

    >>> ax = lorenz(pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"], "rank": [1]}), ["a", "b"])
    >>> ax.get_legend_handles_labels()[1]
    ['lists (Gini 0.50)', 'equal exposure']
    """
    named = {"lists": lists} if isinstance(lists, pd.DataFrame) else dict(lists)
    require_rows(
        sum(map(len, named.values())), "no list holds anybody", remedy="recommend for somebody first"
    )
    shown = np.concatenate([frame[C.CANDIDATE].to_numpy(object) for frame in named.values()])
    people = np.unique(shown) if everybody is None else np.asarray(everybody, dtype=object)
    amounts = {name: exposure(frame[C.CANDIDATE], frame[C.RANK], people) for name, frame in named.items()}
    curves = {f"{name} (Gini {gini(amount):.2f})": lorenz_curve(amount) for name, amount in amounts.items()}
    axes = draw_lorenz(curves, ax=ax)
    axes.set_title(f"Lorenz curve of exposure, n = {len(people):,} candidates")
    return axes


def draw_lorenz(curves: Mapping[str, tuple[Any, Any]], *, ax: "Axes | None" = None) -> "Axes":
    """Draw Lorenz curves by name, each the shares of people and of exposure; the diagonal is equality."""
    axes = styled_axes(ax, width=4.8, height=4.6)
    colours = palette(axes)
    for (name, (people, share)), (colour, dashes) in zip(curves.items(), series(axes), strict=False):
        axes.plot(people, share, color=colour, linestyle=dashes, label=name, gid="curve")
    axes.plot([0, 1], [0, 1], color=colours.soft, linestyle=":", label="equal exposure")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="Lorenz curve of exposure")
    axes.set(xlabel="share of candidates, least exposed first", ylabel="share of exposure (1 / rank)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent)
    legend(axes, loc="upper left")
    return axes


@checked_arguments
def funnel(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the candidates left after each constraint, one bar a constraint that removes somebody.

    table: what `recsys.constraints.funnel` returns, in the policy's order. For operators, like the
    counts themselves. Raises InputError for an empty table.

    >>> steps = pd.DataFrame({"constraint": ["ages"], "removed_in_order": [6], "left": [4]})
    >>> [text.get_text() for text in funnel(steps).texts]
    ['10', '4']
    """
    require_rows(len(table), "no constraint to draw", remedy="count with a policy that has some")
    before = int(table["left"].iloc[0] + table["removed_in_order"].iloc[0])
    steps = table[table["removed_in_order"] > 0]
    names, left = ["all pairs", *steps["constraint"]], [before, *steps["left"]]
    axes = styled_axes(ax, width=7.0, height=0.8 + 0.32 * len(names))
    colours = palette(axes)
    axes.barh(names, [before] * len(names), color=colours.line)
    axes.barh(names, left, color=colours.accent)
    for row, count in enumerate(left):
        write(axes, before * 1.01, row, f"{count:,}", fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set(xlim=(0, before * 1.14), xticks=[])
    axes.set_title("Pairs of viewer and candidate left after each constraint")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    return axes


@checked_arguments
def trend(
    values: Sequence[float | None],
    nights: Sequence[str],
    *,
    intervals: Sequence[tuple[float, float] | None] | None = None,
    refused: Sequence[bool] | None = None,
    from_zero: bool = False,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a figure night over night; the line breaks where it is unknown, a ring marks a refused night.

    values, nights, intervals, refused: one a night, the oldest first; an interval is an upright line from lo
    to hi. from_zero: whether the axis begins at 0. Only the lowest and the highest value are written out.

    >>> trend([1.0, None, 3.0], ["01-03", "01-04", "01-05"]).lines[0].get_ydata().tolist()
    [1.0, nan, 3.0]
    """
    known = np.array([np.nan if value is None else value for value in values], np.float64)
    require_rows(int(np.isfinite(known).sum()), "no value to draw", remedy="publish a night first")
    axes = styled_axes(ax, width=4.0, height=1.9)
    colours = palette(axes)
    at = np.arange(len(known))
    axes.plot(at, known, color=colours.accent, linewidth=1.8, marker="o", markersize=4.5, gid="points")
    ring = np.isfinite(known) & np.asarray(refused if refused is not None else [False] * len(known), bool)
    if ring.any():
        [rings] = axes.plot(at[ring], known[ring], "o", markersize=9, gid="refused")
        rings.set(markeredgecolor=colours.refused, markerfacecolor="none")
    limits = np.array([one or (np.nan, np.nan) for one in intervals or ()], np.float64).reshape(-1, 2)
    has_limits = np.isfinite(limits).all(axis=1)
    if has_limits.any():
        axes.vlines(at[has_limits], *limits[has_limits].T, color=colours.accent, linewidth=1.2, alpha=0.5)
    drawn = np.concatenate([known, limits[has_limits].reshape(-1)])
    low, high = 0.0 if from_zero else float(np.nanmin(drawn)), float(np.nanmax(drawn))
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)
    axes.set_xlim(-0.02 * len(known), 1.02 * max(len(known) - 1, 1))
    axes.set_yticks([low, high] if high > low else [low])
    axes.set_xticks([0, max(len(known) - 1, 0)], [nights[0], nights[-1]])
    return axes
