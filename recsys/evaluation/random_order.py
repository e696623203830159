"""What a list in random order reaches: the exact expectation, not one draw."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.measure import Floats
from recsys.evaluation.ndcg import log_discount

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RandomOrder:
    """Lists of `length` drawn at random from `pool` candidates of whom `relevant` work out.

    All three are `(n_viewers,)`; a list is never longer than its pool.

    >>> shuffled = RandomOrder(relevant=np.array([1]), pool=np.array([4]), length=np.array([4]))
    >>> shuffled.precision(2), shuffled.recall(2), round(shuffled.ndcg(2), 4)
    (0.25, 0.5, 0.4077)
    """

    relevant: Counts
    pool: Counts
    length: Counts

    def _each(self, discount: Floats) -> Floats:
        """Return the expected gain of each viewer: every place holds a relevant one equally often."""
        upto = np.concatenate([[0.0], np.cumsum(discount)])
        places = np.minimum(np.minimum(self.length, self.pool), len(discount))
        return np.asarray(upto[places] * self.relevant / np.maximum(self.pool, 1))

    def precision(self, k: int) -> float:
        """Return the expected mean precision at `k`."""
        return float(self._each(np.ones(k)).mean() / k)

    def recall(self, k: int) -> float:
        """Return the expected mean recall at `k` over viewers with a relevant candidate."""
        has = self.relevant > 0
        return float((self._each(np.ones(k))[has] / self.relevant[has]).mean()) if has.any() else float("nan")

    def ndcg(self, k: int) -> float:
        """Return the expected mean NDCG at `k` over viewers with a relevant candidate."""
        has, discount = self.relevant > 0, log_discount(k)
        best = np.cumsum(discount)[np.minimum(self.relevant[has], k) - 1]
        return float((self._each(discount)[has] / best).mean()) if has.any() else float("nan")
