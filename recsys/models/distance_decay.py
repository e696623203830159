"""How much closer people attract each other: one number for each pair of cells.

The weight is fitted with the other weights of a pair, in `pair_logistic`; the scale in km is a setting.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.data.geography import centres, distances_km, pair_distances_km
from recsys.errors import SettingsError, explained
from recsys.types import UInt64Array


def places(cells: UInt64Array) -> npt.NDArray[np.float64]:
    """Return the centre of each cell as a unit vector, `(n_cells, 3)`; NaN for an unknown cell."""
    distinct, at = np.unique(cells, return_inverse=True)
    vectors = np.full((len(distinct), 3), np.nan)
    known = distinct != 0
    vectors[known] = centres(distinct[known])
    return vectors[at]


@dataclass(frozen=True, slots=True)
class DistanceDecay:
    """The part of a logit that depends on the two cells alone: `weight * exp(-km / scale_km)`.

    `weight` is in logits, `scale_km` in km. It is no inner product (its kernel needs almost full
    rank), so it stays a scalar per pair of cells. An unknown cell (0) gives 0.
    Raises SettingsError unless the weight is finite and the scale positive.

    >>> tokyo, same = np.array([0x862F5A367FFFFFF], np.uint64), np.array([0x862F5A367FFFFFF], np.uint64)
    >>> DistanceDecay(weight=2.0, scale_km=30.0).matrix(tokyo, same)
    array([[2.]], dtype=float32)
    """

    weight: float
    scale_km: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.weight) and np.isfinite(self.scale_km) and self.scale_km > 0):
            got = f"weight {self.weight}, scale_km {self.scale_km}"
            raise SettingsError(explained("distance decay cannot be computed", got=got))

    def of_distance(self, km: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the logit for distances in km, any shape; NaN (unknown) gives 0."""
        return np.where(np.isnan(km), 0.0, self.weight * np.exp(-km / self.scale_km))

    def matrix(self, cells_a: UInt64Array, cells_b: UInt64Array) -> npt.NDArray[np.float32]:
        """Return the logit of every cell of `a` with every cell of `b`, `(n_a, n_b)` float32."""
        return self.of_distance(distances_km(places(cells_a), places(cells_b))).astype(np.float32)

    def pairs(self, cells_a: UInt64Array, cells_b: UInt64Array) -> npt.NDArray[np.float64]:
        """Return the logit of each aligned pair of cells, `(n_pairs,)`."""
        return self.of_distance(pair_distances_km(places(cells_a), places(cells_b)))

    def scaled(self, slope: float) -> "DistanceDecay":
        """Return the same decay with its weight multiplied."""
        return DistanceDecay(self.weight * slope, self.scale_km)
