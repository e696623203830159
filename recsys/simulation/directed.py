"""Directed pairs with a time, and sets of them as sorted numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.simulation.event_log import Seconds

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Directed:
    """Aligned directed pairs with the time something happened, `(n_pairs,)` each."""

    actor: Rows
    target: Rows
    ts: Seconds

    def __len__(self) -> int:
        return len(self.actor)

    def take(self, which: npt.NDArray[np.bool_] | Rows) -> "Directed":
        """Return some of the pairs."""
        return Directed(self.actor[which], self.target[which], self.ts[which])

    def keys(self, n: int) -> Rows:
        """Return one number a directed pair, among `n` people."""
        return self.actor * n + self.target

    def back(self, n: int) -> Rows:
        """Return the number of each pair the other way round."""
        return self.target * n + self.actor


def is_among(keys: Rows, ordered: Rows) -> npt.NDArray[np.bool_]:
    """Say which keys are in a sorted array.

    >>> is_among(np.array([1, 2, 5]), np.array([2, 3])).tolist()
    [False, True, False]
    """
    if not len(ordered):
        return np.zeros(len(keys), bool)
    at = np.searchsorted(ordered, keys).clip(0, len(ordered) - 1)
    return ordered[at] == keys
