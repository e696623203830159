"""Expected matches of everybody, by the mean-field model.

Both likes of a pair make a match. With exposures e, e' of the two directions, chances v, v' that a
like is read in the inbox, and s the chance that both like: one look and one read like suffice, and so
do two looks, so that the pair matches with `s (e v (1 - e') + e' v' (1 - e) + e e')`. It counts once
however it came about. With lists on one side only this is `s e v` (Y. Su, M. Bayoumi and T. Joachims,
WWW 2022, arXiv:2106.01941); without inboxes it is `s e e'` (two-sided lists: Y. Tomita and
T. Yokoyama, RecSys 2024, arXiv:2409.00720).
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.graph import Inbox

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Starts = npt.NDArray[np.int64]


@njit(nogil=True, cache=True)
def expected_matches(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    indptr: Starts,
    p: Floats,
    q: Floats,
    exposure: Floats,
    read: Floats,
    utility: Doubles,
):
    # Writes the expected matches of each person of a range; half the sum over people counts each once.
    for j in range(start, stop):
        total = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            total += np.float64(p[e]) * q[e] * exposure[e] * read[e]
        for t in range(inbox.indptr[j], inbox.indptr[j + 1]):
            e, back = inbox.edge[t], inbox.reverse[t]
            both = np.float64(inbox.p[t]) * inbox.q[t]
            total += both * exposure[e] * read[e]
            if back >= 0:
                shared = min(both, np.float64(p[back]) * q[back])
                total += shared * exposure[e] * exposure[back] * (1.0 - read[e] - read[back])
        utility[j] = total
