"""Budgets as prices: who receives too many likes becomes dearer, until the lists go round."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_SPEED = 0.5
_FASTEST = 3.0


class Prices:
    """The dual of the budgets, raised and lowered by subgradient steps while the lists move.

    price: `(n_people,)` float64 of 0 or more, subtracted from the gain of exposure once for every
    like it would send.
    """

    def __init__(self, n_people: int, budget: Doubles | None) -> None:
        self.price = np.zeros(n_people)
        self._budget = budget

    def update(self, load: Doubles, utility: Doubles, at: int) -> None:
        """Take one step from the likes people expect, in units of what a like is worth on average."""
        received = float(load.sum())
        if self._budget is None or received <= 0.0:
            return
        unit = 0.5 * float(utility.sum()) / received
        over = np.minimum(load / self._budget - 1.0, _FASTEST)
        self.price = np.maximum(self.price + _SPEED * unit * over / np.sqrt(at + 1.0), 0.0)
