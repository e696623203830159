"""Kernels that put the edges of each viewer in the order of candidates."""

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@njit(nogil=True, cache=True)
def by_candidate(start: int, stop: int, indptr: Starts, candidate: Ints, p: Floats, q: Floats):  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    # Sorts the edges of each viewer of a range where they lie.
    for i in range(start, stop):
        here = slice(indptr[i], indptr[i + 1])
        order = np.argsort(candidate[here])
        candidate[here], p[here], q[here] = candidate[here][order], p[here][order], q[here][order]


@njit(nogil=True, cache=True)
def first_repeat(indptr: Starts, candidate: Ints):  # type: ignore[no-untyped-def]  # noqa: D103
    # The first edge whose viewer has the same candidate just before it, -1 for none.
    for i in range(len(indptr) - 1):
        for e in range(indptr[i] + 1, indptr[i + 1]):
            if candidate[e] == candidate[e - 1]:
                return e
    return -1
