"""The linear oracle: the best ordering of one list for a linear objective is a sort."""

import numpy as np

from recsys.kernels import kernel
from recsys.types import Float64Array, Int32Array

_SORT_FROM = 48


@kernel
def linear_oracle(gain: Float64Array, k: int, taken: Int32Array):  # type: ignore[no-untyped-def]
    """Write the positions of the k highest gains above 0, best first, ties by position; return how many.

    gain: `(n,)` of one list; taken: at least `(k,)`. The best ordering for a linear objective is this sort.
    """
    n = 0
    if k >= _SORT_FROM:
        for at in np.argsort(-gain, kind="mergesort"):
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
