"""Drawing a night's lists from the mixture of orderings that the allocator found, with known propensities.

Frank-Wolfe ends at a mixture: with weights that its steps fix, each list is one of the orderings it met. A
rounded list keeps the likeliest places alone; what was promised to the rest is lost. Drawn night by night,
exposures, loads and the absence of envy hold on average over nights as they hold for the mixture.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.allocation.graph import CandidateGraph, stable_order
from recsys.allocation.rounding import RankedEdges
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.random import edge_uniform
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_SORT_FROM = 48


@kernel
def linear_oracle(gain: Float64Array, k: int, taken: Int32Array):  # type: ignore[no-untyped-def]
    """Write the positions of the k highest gains above 0, best first, ties by position; return how many.

    gain: `(n,)` of one list; taken: at least `(k,)`. The best ordering for a linear objective is this sort.
    """
    n = 0
    if k >= _SORT_FROM:
        for at in stable_order(-gain):
            if n == k or not gain[at] > 0.0:
                break
            taken[n] = at
            n += 1
        return n
    for at in range(len(gain)):
        here = gain[at]
        if not here > 0.0 or (n == k and here <= gain[taken[k - 1]]):
            continue
        place = n if n < k else k - 1
        while place > 0 and gain[taken[place - 1]] < here:
            taken[place] = taken[place - 1]
            place -= 1
        taken[place] = at
        n = min(n + 1, k)
    return n


@kernel
def write_net_gains(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    first: int,
    last: int,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
    net: Float64Array,
):
    """Write the gain of the edges from `first` to before `last` less the price of their likes, from 0 on."""
    for e in range(first, last):
        net[e - first] = gain[e] - np.float64(p[e]) * price[candidate[e]]


_MIXTURE = 11
"""The step of `edge_uniform` that draws: it has random numbers of its own."""


@kernel
def draw_step(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    price: Float64Array,
    gain: Float32Array,
    step: float,
    key: np.uint64,
    turn: int,
    drawn: Int32Array,
    length: Int64Array,
    inclusion: Float32Array,
):
    """Replace the list of each viewer of a range by the best ordering, with probability `step`.

    drawn `(n_people, k)` and length `(n_people,)` hold the lists as edges; inclusion `(n_edges,)` the chance
    of each edge to be in its list over all draws.
    """
    k = drawn.shape[1]
    taken = np.empty(k, np.int32)
    most = 0
    for i in range(start, stop):
        most = max(most, indptr[i + 1] - indptr[i])
    net = np.empty(most)
    for i in range(start, stop):
        first, n = indptr[i], indptr[i + 1] - indptr[i]
        write_net_gains(first, first + n, candidate, p, price, gain, net)
        for e in range(first, first + n):
            inclusion[e] *= 1.0 - step
        found = linear_oracle(net[:n], k, taken)
        replaced = edge_uniform(key, turn, _MIXTURE, i) < step
        for r in range(found):
            inclusion[first + taken[r]] += step
            if replaced:
                drawn[i, r] = first + taken[r]
        if replaced:
            length[i] = found


@dataclass(frozen=True, eq=False)
class DrawState:
    """A draw under way, of some viewers and their edges.

    turn: steps it took; drawn: `(n_viewers, k)` int32 edges; length: `(n_viewers,)`; inclusion: `(n_edges,)`.
    """

    turn: int
    drawn: Int32Array
    length: Int64Array
    inclusion: Float32Array


class MixtureDraw:
    """One draw from the mixture under way: a reservoir that each step may replace, list by list."""

    def __init__(self, graph: CandidateGraph, k: int, key: int, workers: int) -> None:
        self._graph, self._key, self._workers, self._turn = graph, np.uint64(key), workers, 0
        self._drawn = np.zeros((graph.n_people, k), np.int32)
        self._length = np.zeros(graph.n_people, np.int64)
        self._inclusion = np.zeros(graph.n_edges, np.float32)

    @classmethod
    def of(cls, graph: CandidateGraph, k: int, rng: np.random.Generator, workers: int = 1) -> Self:
        """Start a draw whose random numbers belong to a key of `rng`."""
        return cls(graph, k, int(rng.integers(0, 2**63)), workers)

    def state(self, viewers: BoolArray, edges: BoolArray) -> DrawState:
        """Return the draw of some viewers `(n_people,)` and their edges `(n_edges,)`, to go on with later."""
        drawn, length = self._drawn[viewers], self._length[viewers]
        return DrawState(self._turn, drawn, length, self._inclusion[edges])

    def resume(self, state: DrawState, viewers: BoolArray, edges: BoolArray) -> None:
        """Go on with a draw of the same key; the others of the graph have no lists yet."""
        self._turn = state.turn
        self._drawn[viewers], self._length[viewers] = state.drawn, state.length
        self._inclusion[edges] = state.inclusion

    def step(self, gain: Float32Array, price: Float64Array, weight: float) -> None:
        """Mix in the best orderings at `gain` less the price, with a weight in [0, 1]."""
        graph, turn = self._graph, self._turn
        self._turn += 1

        def part(start: int, stop: int) -> None:
            draw_step(
                start,
                stop,
                graph.indptr,
                graph.candidate,
                graph.p,
                price,
                gain,
                weight,
                self._key,
                turn,
                self._drawn,
                self._length,
                self._inclusion,
            )

        in_ranges(part, graph.indptr, self._workers)

    def spread(self, weight: float) -> None:
        """Mix in orders by lot, with a weight: every candidate of a list is then as likely as the others."""
        before, k = self._inclusion.copy(), self._drawn.shape[1]
        lot = np.random.default_rng([int(self._key), 1]).random(self._graph.n_edges, dtype=np.float32)
        self.step(lot + np.float32(1e-6), np.zeros(self._graph.n_people), weight)
        degree = np.diff(self._graph.indptr)
        even = np.repeat(np.minimum(k / np.maximum(degree, 1), 1.0), degree)
        self._inclusion[:] = (1.0 - weight) * before + weight * even

    def lists(
        self, kept: Float64Array | None = None, viewers: BoolArray | None = None
    ) -> tuple[RankedEdges, Float32Array]:
        """Return the lists that were drawn, and the chance of each entry to be in its list, in (0, 1].

        viewers: `(n_people,)`, whose lists; everybody's when None. kept: `(n_people,)` in (0, 1], the chance
        with which an entry of each candidate stays in a list that holds it; who comes after one that is
        left out moves up.
        """
        used = np.arange(self._drawn.shape[1]) < self._length[:, None]
        if viewers is not None:
            used &= viewers[:, None]
        if kept is not None:
            share = kept[self._graph.candidate[self._drawn]]
            used &= np.random.default_rng([int(self._key), 2]).random(used.shape) < share
        edge = self._drawn[used]
        chance = self._inclusion[edge] * (1.0 if kept is None else share[used])
        indptr = np.append(0, np.cumsum(used.sum(axis=1))).astype(np.int64)
        return RankedEdges(indptr, edge), np.clip(chance, np.finfo(np.float32).tiny, 1.0).astype(np.float32)
