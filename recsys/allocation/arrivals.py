"""Where a like lands in the inbox of who receives it, and whether it is read there.

Likes arrive along edge e at `a_e = p_e E_e`, E_e the exposure. The inbox is read from the highest q
down, so the expected place is `r_e = 1 + sum of a over the edges with a higher q + half the a of its
ties`, and the like is read with chance `v_e = v(r_e)`, times the chance that the inbox is opened at all.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.examination import chance_at
from recsys.allocation.graph import Inbox

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@njit(nogil=True, cache=True)
def most_of(indptr: npt.NDArray[np.int64], start: int, stop: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # The longest inbox of a range of people.
    most = 0
    for j in range(start, stop):
        most = max(most, indptr[j + 1] - indptr[j])
    return most


@njit(nogil=True, cache=True)
def places(inbox: Inbox, j: int, exposure: Floats, likes: Doubles, place: Doubles):  # type: ignore[no-untyped-def]  # noqa: D103
    # Writes the likes that arrive at j, in inbox order, and their places.
    first, n = inbox.indptr[j], inbox.indptr[j + 1] - inbox.indptr[j]
    for t in range(n):
        likes[t] = np.float64(inbox.p[first + t]) * exposure[inbox.edge[first + t]]
    above, t = 0.0, 0
    while t < n:
        end, tied = t, 0.0
        while end < n and inbox.q[first + end] == inbox.q[first + t]:
            tied += likes[end]
            end += 1
        for u in range(t, end):
            place[u] = 1.0 + above + 0.5 * (tied - likes[u])
        above += tied
        t = end


@njit(nogil=True, cache=True)
def read_chances(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    reads: Floats,
    kind: int,
    decay: float,
    exposure: Floats,
    read: Floats,
):
    # Writes v of every edge to the people of a range; `read` is by edge.
    most = most_of(inbox.indptr, start, stop)
    likes, place = np.empty(most), np.empty(most)
    for j in range(start, stop):
        places(inbox, j, exposure, likes, place)
        first = inbox.indptr[j]
        for t in range(inbox.indptr[j + 1] - first):
            read[inbox.edge[first + t]] = reads[j] * chance_at(kind, decay, place[t])
