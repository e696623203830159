"""Kernels that lay edges out by receiver."""

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@njit(nogil=True, cache=True)
def counted(receiver: Ints, n_people: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # Where the edges of each receiver start.
    indptr = np.zeros(n_people + 1, np.int64)
    for e in range(len(receiver)):
        indptr[receiver[e] + 1] += 1
    for j in range(n_people):
        indptr[j + 1] += indptr[j]
    return indptr


@njit(nogil=True, cache=True)
def filled(by_viewer: Starts, receiver: Ints, indptr: Starts):  # type: ignore[no-untyped-def]  # noqa: D103
    # Edge and viewer by receiver, viewers ascending.
    at = indptr[:-1].copy()
    edge = np.empty(len(receiver), np.int32)
    viewer = np.empty(len(receiver), np.int32)
    for i in range(len(by_viewer) - 1):
        for e in range(by_viewer[i], by_viewer[i + 1]):
            j = receiver[e]
            edge[at[j]], viewer[at[j]] = e, i
            at[j] += 1
    return edge, viewer


@njit(nogil=True, cache=True)
def linked(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int, stop: int, by_viewer: Starts, candidate: Ints, indptr: Starts, viewer: Ints, reverse: Ints
):
    # The edge back from receiver to viewer, -1 for none: both lists ascend, so they are merged.
    for j in range(start, stop):
        own, last = by_viewer[j], by_viewer[j + 1]
        for t in range(indptr[j], indptr[j + 1]):
            while own < last and candidate[own] < viewer[t]:
                own += 1
            reverse[t] = own if own < last and candidate[own] == viewer[t] else -1


@njit(nogil=True, cache=True)
def sorted_by_q(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int,
    stop: int,
    indptr: Starts,
    edge: Ints,
    reverse: Ints,
    p_of: Floats,
    q_of: Floats,
    p: Floats,
    q: Floats,
):
    # The highest q first; the sort is stable, so ties stay in the order of viewers.
    for j in range(start, stop):
        here = slice(indptr[j], indptr[j + 1])
        edges, back = edge[here].copy(), reverse[here].copy()
        order = np.argsort(-q_of[edges], kind="mergesort")
        edge[here], reverse[here] = edges[order], back[order]
        p[here], q[here] = p_of[edge[here]], q_of[edge[here]]
