"""Inner products of rows of two matrices, pair by pair, without gathering the rows."""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.models.people_in_threads import in_threads

Floats = npt.NDArray[np.float64]


def pair_dots(
    taste: npt.NDArray[np.floating],
    appeal: npt.NDArray[np.floating],
    i: npt.NDArray[np.integer],
    j: npt.NDArray[np.integer],
) -> Floats:
    """Return `taste[i] @ appeal[j]` of aligned rows, `(n_pairs,)` float64, summed in float64.

    >>> one = np.array([[1.0, 2.0], [0.5, 0.0]])
    >>> pair_dots(one, one, np.array([0, 1]), np.array([1, 1])).tolist()
    [0.5, 0.25]
    """
    left, right = (np.ascontiguousarray(rows) for rows in (taste, appeal))
    a, b = np.asarray(i, np.int32), np.asarray(j, np.int32)
    found = np.empty(len(a))
    in_threads(lambda first, last: _dots(left, right, a, b, found, first, last), np.arange(len(a) + 1))
    return found


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _dots(  # noqa: PLR0917
    left: npt.NDArray[np.floating],
    right: npt.NDArray[np.floating],
    i: npt.NDArray[np.int32],
    j: npt.NDArray[np.int32],
    found: Floats,
    first: int,
    last: int,
) -> None:  # pragma: no cover
    for pair in range(first, last):
        total = 0.0
        for c in range(left.shape[1]):
            total += np.float64(left[i[pair], c]) * np.float64(right[j[pair], c])
        found[pair] = total
