"""Budgets of likes: their shadow prices during the steps, and the repair of lists that exceed them."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.rounding import RankedEdges
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array

_SPEED = 0.5
_FASTEST = 3.0


class BudgetPrices:
    """The dual of the budgets, raised and lowered by subgradient steps while the lists move.

    price: `(n_people,)` float64 of 0 or more, subtracted from the gain of exposure once for every
    like it would send.
    """

    def __init__(self, n_people: int, budget: Float64Array | None) -> None:
        self.price = np.zeros(n_people)
        self._budget = budget

    def update(self, load: Float64Array, utility: Float64Array, at: int) -> None:
        """Take one step from the likes people expect, in units of what a like is worth on average."""
        received = float(load.sum())
        if self._budget is None or received <= 0.0:
            return
        unit = 0.5 * float(utility.sum()) / received
        over = np.minimum(load / self._budget - 1.0, _FASTEST)
        self.price = np.maximum(self.price + _SPEED * unit * over / np.sqrt(at + 1.0), 0.0)


_ROUNDING = 1e-9
"""Share of a budget kept back, so that no order of summing finds it broken."""


def repair_budgets(  # noqa: PLR0917
    graph: CandidateGraph,
    wishes: RankedEdges,
    value: Float32Array,
    position_weights: Float32Array,
    budget: Float64Array,
    opens: Float32Array | None = None,
) -> RankedEdges:
    """Return lists in which nobody expects more likes than their budget.

    wishes: whom each viewer wants, best first, of any length.
    Place by place, every viewer without somebody in that place asks for the next edge of their wishes;
    each receiver takes the askers of highest `value` (ties by viewer) while their likes, `p` times the
    place's chance of a look, fit what is left. Who was turned down asks for the next one.
    """
    at, ends = wishes.indptr[:-1].copy(), wishes.indptr[1:]
    left = budget * (1.0 - _ROUNDING)
    viewers: list[Int64Array] = []
    taken: list[Int32Array] = []
    for chance in position_weights:
        open_ = np.flatnonzero(at < ends)
        while len(open_):
            edge = wishes.edge[at[open_]]
            at[open_] += 1
            likes = graph.p[edge].astype(np.float64)
            if opens is not None:
                likes *= opens[open_]
            accepted = _accepted(graph.candidate[edge], value[edge], float(chance) * likes, left)
            viewers.append(open_[accepted])
            taken.append(edge[accepted])
            open_ = open_[~accepted]
            open_ = open_[at[open_] < ends[open_]]
    return _ranked(graph.n_people, viewers, taken)


def _accepted(
    receiver: Int32Array, value: Float32Array, likes: Float64Array, left: Float64Array
) -> npt.NDArray[np.bool_]:
    """Say which askers fit, and take their likes from `left`; ties go in the order given."""
    order = np.lexsort((-value, receiver))
    who, arriving = receiver[order], likes[order]
    total = np.cumsum(arriving)
    first = np.searchsorted(who, who, side="left")
    within = total - (total[first] - arriving[first]) <= left[who]
    left -= np.bincount(who[within], weights=arriving[within], minlength=len(left))
    accepted = np.zeros(len(receiver), bool)
    accepted[order] = within
    return accepted


def _ranked(n_people: int, viewers: list[Int64Array], taken: list[Int32Array]) -> RankedEdges:
    """Join what was handed out; earlier parts are higher places."""
    viewer = np.concatenate(viewers) if viewers else np.zeros(0, np.int64)
    edge = np.concatenate(taken) if taken else np.zeros(0, np.int32)
    indptr = np.zeros(n_people + 1, np.int64)
    np.cumsum(np.bincount(viewer, minlength=n_people), out=indptr[1:])
    return RankedEdges(indptr, edge[np.argsort(viewer, kind="stable")])


def shadow_prices(
    graph: CandidateGraph, ranked: RankedEdges, gain: Float32Array, exposure: Float32Array, dual: Float64Array
) -> Float32Array:
    """Return the price of a like to each person, `(n_people,)` float32 of 0 or more, in matches.

    The gain of an edge is about `p (q - price)`: over the likes that now arrive at a person, the mean of
    what q loses because the inbox is crowded, and the dual of the budget on top. Nobody expected, no
    crowd: the price is 0.
    """
    edge = ranked.edge
    receiver = graph.candidate[edge]
    p, q = graph.p[edge].astype(np.float64), graph.q[edge].astype(np.float64)
    likes = p * exposure[edge]
    lost = np.where(p > 0.0, q - gain[edge] / np.maximum(p, 1e-12), 0.0)
    arriving = np.bincount(receiver, weights=likes, minlength=graph.n_people)
    total = np.bincount(receiver, weights=likes * lost, minlength=graph.n_people)
    mean = np.zeros(graph.n_people)
    np.divide(total, arriving, out=mean, where=arriving > 0.0)
    return (np.maximum(mean, 0.0) + dual).astype(np.float32)
