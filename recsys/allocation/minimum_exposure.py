"""Minimum exposure: whoever could be shown to somebody is, at the end of a list drawn at random.

The chance of the draw is the logged propensity, so that what comes of these places can be weighed
without bias (L. Bottou et al., JMLR 14 (2013) 3207-3260). Chances are those of the draw given the
draws before it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.allocation.graph import CandidateGraph, receiver_indptr
from recsys.allocation.rounding import RankedEdges
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class ExposedLists:
    """Lists with exploration places, the propensity of every entry, and who could not be shown.

    propensity: `(n_listed,)` float32, 1 for what the allocator chose. unplaced: `(n,)` rows nobody could
    be shown although an edge leads to them: every place was needed more, or their budget is too small.
    """

    ranked: RankedEdges
    propensity: Float32Array
    unplaced: Int32Array


def with_minimum_exposure(  # noqa: PLR0917
    graph: CandidateGraph,
    ranked: RankedEdges,
    position_weights: Float32Array,
    rng: np.random.Generator,
    budget: Float64Array | None = None,
    opens: Float32Array | None = None,
    asked: BoolArray | None = None,
) -> ExposedLists:
    """Give everybody with an edge leading to them, and in no list, one place at the end of a list.

    The viewer is drawn among those whose list has room, or ends with somebody who stands in another
    list too; half evenly, half by p q and the chance that the list is opened. A list takes a second
    such place only when all that would serve have one.

    asked: `(n_people,)`, who may be given a place; everybody when None.
    """
    editor = _ListEditor(graph, ranked, position_weights, budget, opens)
    unseen = (np.diff(receiver_indptr(graph.candidate, graph.n_people)) > 0) & (editor.shown == 0)
    waiting = unseen if asked is None else unseen & asked
    arriving = arriving_edges(graph, waiting)
    drawn = rng.permutation(np.flatnonzero(waiting))
    unplaced = [j for j in drawn if not editor.place(int(j), arriving.of(j), rng)]
    lists, propensity = editor.lists()
    return ExposedLists(lists, propensity, np.array(sorted(unplaced), np.int32))


class ArrivingEdges(NamedTuple):
    """Edges to some people: those to j are `edge[indptr[j]:indptr[j + 1]]`, in the order of inboxes.

    indptr: `(n_people + 1,)` int64; edge: `(n_arriving,)` int64.
    """

    indptr: Int64Array
    edge: Int64Array

    def of(self, j: int) -> Int64Array:
        """Return the edges to somebody."""
        return self.edge[self.indptr[j] : self.indptr[j + 1]]


def arriving_edges(graph: CandidateGraph, wanted: BoolArray) -> ArrivingEdges:
    """Return the edges to some people `(n_people,)`, as their inboxes hold them."""
    edge = np.flatnonzero(wanted[graph.candidate])
    receiver = graph.candidate[edge]
    order = np.lexsort((-graph.q[edge], receiver))
    return ArrivingEdges(receiver_indptr(receiver, graph.n_people), edge[order])


class _ListEditor:
    """Lists under change: how often everybody is shown, how many exploration places each list has."""

    def __init__(
        self,
        graph: CandidateGraph,
        ranked: RankedEdges,
        position_weights: Float32Array,
        budget: Float64Array | None,
        opens: Float32Array | None,
    ) -> None:
        self._graph, self._slots = graph, position_weights
        n_people, k = graph.n_people, len(position_weights)
        self._length = np.diff(ranked.indptr)
        self._edge = np.full((n_people, k), -1, np.int32)
        self._edge[np.repeat(np.arange(n_people), self._length), ranked.place - 1] = ranked.edge
        self._chance = np.ones((n_people, k), np.float32)
        self._explored = np.zeros(n_people, np.int64)
        self._budget = budget
        self._opens = np.ones(n_people, np.float32) if opens is None else opens
        self.shown = np.bincount(graph.candidate[ranked.edge], minlength=n_people)

    def place(self, j: int, edges: Int64Array, rng: np.random.Generator) -> bool:
        """Draw a list for j, by one of the edges to j, and put j at its end; say whether there was one."""
        graph, k = self._graph, len(self._slots)
        viewers = np.searchsorted(graph.indptr, edges, side="right") - 1
        room = self._length[viewers] < k
        at = np.where(room, self._length[viewers], k - 1 - self._explored[viewers])
        at = np.maximum(at, 0)
        last = self._edge[viewers, at]
        spare = (
            (last >= 0) & (self._explored[viewers] < max(k - 1, 1)) & (self.shown[graph.candidate[last]] > 1)
        )
        fits = room | spare
        if self._budget is not None:
            fits &= graph.p[edges] * self._slots[at] * self._opens[viewers] <= self._budget[j]
        if not fits.any():
            return False
        fits &= self._explored[viewers] == self._explored[viewers][fits].min()
        could = np.flatnonzero(fits)
        both = graph.p[edges[could]].astype(np.float64) * graph.q[edges[could]] * self._opens[viewers[could]]
        even = np.full(len(could), 1.0 / len(could))
        chance = 0.5 * even + 0.5 * (both / both.sum() if both.sum() > 0.0 else even)
        drawn = int(rng.choice(len(could), p=chance))
        self._put(
            j,
            int(viewers[could[drawn]]),
            int(at[could[drawn]]),
            int(edges[could[drawn]]),
            float(chance[drawn]),
        )
        return True

    def _put(self, j: int, viewer: int, at: int, edge: int, chance: float) -> None:
        if at == self._length[viewer]:
            self._length[viewer] += 1
        else:
            self.shown[self._graph.candidate[self._edge[viewer, at]]] -= 1
        self._edge[viewer, at], self._chance[viewer, at] = edge, chance
        self._explored[viewer] += 1
        self.shown[j] += 1

    def lists(self) -> tuple[RankedEdges, Float32Array]:
        """Return the lists and the propensity of every entry."""
        held = self._edge >= 0
        indptr = np.append(0, np.cumsum(self._length)).astype(np.int64)
        return RankedEdges(indptr, self._edge[held]), self._chance[held]
