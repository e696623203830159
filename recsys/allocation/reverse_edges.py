"""Reverse edges of the candidate graph: who has somebody among their candidates can be shown to them too."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from recsys.allocation.graph import CandidateGraph, group_by_receiver, receiver_indptr
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import BoolArray, Float32Array, Int32Array, Int64Array

EdgeFilter = Callable[[Int32Array, Int32Array], BoolArray]
"""Says of aligned rows, viewer and candidate, whether such an edge may be added."""

_EDGES_AT_ONCE: Final = 500_000


def with_reverse_edges(graph: CandidateGraph, may_add: EdgeFilter, workers: int = 1) -> CandidateGraph:
    """Return `graph` and, where `may_add` allows it, the reverse edge of every edge that has none.

    >>> one_way = CandidateGraph.of([0, 1], [2, 2], p=[0.5, 0.2], q=[0.1, 0.9], n_people=3)
    >>> both_ways = with_reverse_edges(one_way, lambda viewer, candidate: candidate == 0)
    >>> both_ways.viewer.tolist(), both_ways.candidate.tolist(), both_ways.q.tolist()[-1]
    ([0, 1, 2], [2, 2, 0], 0.5)
    """
    arriving = receiver_indptr(graph.candidate, graph.n_people)
    edge, viewer = group_by_receiver(graph.indptr, graph.candidate, arriving)
    back = np.empty(graph.n_edges, bool)
    degree = np.diff(graph.indptr)

    def choose(start: int, stop: int) -> None:
        for first, last in _some_at_once(arriving, start, stop):
            _mark_one_way(first, last, graph.indptr, graph.candidate, arriving, viewer, back)
            part = slice(arriving[first], arriving[last])
            missing = np.flatnonzero(back[part])
            receiver = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(arriving[first : last + 1]))
            allowed = may_add(receiver[missing], viewer[part][missing])
            back[part][missing] = allowed
            degree[first:last] += np.bincount(receiver[missing[allowed]] - first, minlength=last - first)

    in_ranges(choose, arriving, workers)
    indptr = np.append(0, np.cumsum(degree))
    n_edges = int(indptr[-1])
    candidate = np.empty(n_edges, np.int32)
    p, q = np.empty(n_edges, np.float32), np.empty(n_edges, np.float32)

    def join(start: int, stop: int) -> None:
        own = graph.indptr, graph.candidate, graph.p, graph.q
        _merge_edges(start, stop, *own, arriving, edge, viewer, back, indptr, candidate, p, q)

    in_ranges(join, indptr, workers)
    return CandidateGraph(indptr, candidate, p, q)


def _some_at_once(indptr: Int64Array, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut a range of people into ranges of not many edges each."""
    steps = np.arange(indptr[start], indptr[stop], _EDGES_AT_ONCE)
    cuts = np.unique(np.searchsorted(indptr, steps))
    return pairwise([start, *cuts[(cuts > start) & (cuts < stop)].tolist(), stop])


@kernel
def _mark_one_way(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    by_viewer: Int64Array,
    candidate: Int32Array,
    indptr: Int64Array,
    viewer: Int32Array,
    back: BoolArray,
):
    # Which arriving edges have no edge back: both lists ascend, so they are merged.
    for j in range(start, stop):
        own, last = by_viewer[j], by_viewer[j + 1]
        for t in range(indptr[j], indptr[j + 1]):
            while own < last and candidate[own] < viewer[t]:
                own += 1
            back[t] = own == last or candidate[own] != viewer[t]


@kernel
def _merge_edges(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    own_indptr: Int64Array,
    own_candidate: Int32Array,
    own_p: Float32Array,
    own_q: Float32Array,
    arriving: Int64Array,
    edge: Int32Array,
    viewer: Int32Array,
    back: BoolArray,
    indptr: Int64Array,
    candidate: Int32Array,
    p: Float32Array,
    q: Float32Array,
):
    # The edges of each viewer, and those back to people who have them: candidates ascend.
    for j in range(start, stop):
        at, own, last = indptr[j], own_indptr[j], own_indptr[j + 1]
        t, end = arriving[j], arriving[j + 1]
        while at < indptr[j + 1]:
            while t < end and not back[t]:
                t += 1
            if t == end or (own < last and own_candidate[own] < viewer[t]):
                candidate[at], p[at], q[at] = own_candidate[own], own_p[own], own_q[own]
                own += 1
            else:
                candidate[at], p[at], q[at] = viewer[t], own_q[edge[t]], own_p[edge[t]]
                t += 1
            at += 1
