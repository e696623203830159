"""How the objective changes with every exposure.

`G_e = w_e dM/dE_e + p_e (sum over edges below e in the same inbox of w_k dM_k/dv_k v'(r_k), ties by half)`:
what the exposure brings the pair, less what its like takes from the likes it pushes down. One pass
down and one up the edges of each receiver, in the order of q.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.arrivals import most_of, places
from recsys.allocation.examination import chance_at, slope_at
from recsys.allocation.graph import Inbox

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@njit(nogil=True, cache=True)
def gradient(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    p: Floats,
    q: Floats,
    viewer: Ints,
    weight: Doubles,
    reads: Floats,
    kind: int,
    decay: float,
    exposure: Floats,
    read: Floats,
    gain: Floats,
    load: Doubles,
):
    # Writes dF/dE of every edge to the people of a range, and the likes each of them expects.
    # viewer: of every edge in inbox order, or nothing when everybody weighs 1. weight: of a person's matches.
    most = most_of(inbox.indptr, start, stop)
    likes, place, harm = np.empty(most), np.empty(most), np.empty(most)
    for j in range(start, stop):
        places(inbox, j, exposure, likes, place)
        first, n = inbox.indptr[j], inbox.indptr[j + 1] - inbox.indptr[j]
        arriving = 0.0
        for t in range(n):
            arriving += likes[t]
            at = first + t
            e, back = inbox.edge[at], inbox.reverse[at]
            w = 1.0 if len(viewer) == 0 else 0.5 * (weight[j] + weight[viewer[at]])
            both = np.float64(inbox.p[at]) * inbox.q[at]
            chance = reads[j] * chance_at(kind, decay, place[t])
            direct, by_read = both * chance, both
            if back >= 0:
                shared, theirs = min(both, np.float64(p[back]) * q[back]), np.float64(exposure[back])
                direct += shared * theirs * (1.0 - chance - read[back])
                by_read -= shared * theirs
            gain[e] = w * direct
            harm[t] = w * by_read * exposure[e] * reads[j] * slope_at(kind, decay, place[t])
        load[j] = arriving
        below, t = 0.0, n
        while t > 0:
            start_of_ties, tied = t, 0.0
            while start_of_ties > 0 and inbox.q[first + start_of_ties - 1] == inbox.q[first + t - 1]:
                start_of_ties -= 1
                tied += harm[start_of_ties]
            for u in range(start_of_ties, t):
                gain[inbox.edge[first + u]] += inbox.p[first + u] * (below + 0.5 * (tied - harm[u]))
            below += tied
            t = start_of_ties
