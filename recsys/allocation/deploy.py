"""Mixtures become lists: every list is its edges sorted by exposure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.threads import in_ranges

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Lists as edges: that of viewer i is `edge[indptr[i]:indptr[i + 1]]`, best first.

    indptr: `(n_people + 1,)` int64; edge: `(n_listed,)` int32, positions among the edges of the graph.
    """

    indptr: Starts
    edge: Ints

    @property
    def place(self) -> Ints:
        """The place of every entry in its list, from 1, `(n_listed,)` int32."""
        start = np.repeat(self.indptr[:-1], np.diff(self.indptr))
        return (np.arange(len(self.edge)) - start + 1).astype(np.int32)

    def exposure(self, slots: Floats, n_edges: int) -> Floats:
        """Return the exposure of every edge, `(n_edges,)`; place r is seen with chance `slots[r - 1]`."""
        found = np.zeros(n_edges, np.float32)
        found[self.edge] = slots[self.place - 1]
        return found


@njit(nogil=True, cache=True)
def _sort_rows(start: int, stop: int, indptr: Starts, first: Floats, then: Floats, order: Ints):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # Writes the edges of each viewer by `first`, ties by `then`, ties by position; returns nothing.
    for i in range(start, stop):
        here = slice(indptr[i], indptr[i + 1])
        by_then = np.argsort(-then[here], kind="mergesort")
        order[here] = indptr[i] + by_then[np.argsort(-first[here][by_then], kind="mergesort")]


def sorted_edges(graph: CandidateGraph, first: Floats, then: Floats, workers: int = 1) -> Ints:
    """Return all edges, viewer by viewer, by `first` from high to low, ties by `then`, then by candidate."""
    order = np.empty(graph.n_edges, np.int32)

    def part(start: int, stop: int) -> None:
        _sort_rows(start, stop, graph.indptr, first, then, order)

    in_ranges(part, graph.indptr, workers)
    return order


def cut(graph: CandidateGraph, order: Ints, wanted: npt.NDArray[np.bool_], k: int) -> Ranked:
    """Return the first `k` wanted edges of every viewer; `wanted` is by edge, `order` of `sorted_edges`."""
    kept = wanted[order]
    before: Starts = np.cumsum(kept) - kept
    starts = np.append(before, kept.sum())[graph.indptr]
    place = before - np.repeat(starts[:-1], np.diff(graph.indptr))
    kept &= place < k
    indptr = np.append(0, np.cumsum(kept))[graph.indptr]
    return Ranked(indptr.astype(np.int64), order[kept])
