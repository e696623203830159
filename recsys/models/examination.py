"""How likely a place of a list is looked at: most stop reading before the end."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_USUAL_DECAY: Final = 0.5
_EVIDENCE: Final = 50.0
_MOST: Final = 0.98


@dataclass(frozen=True, slots=True)
class Examination:
    """P(looked at place r) = r ** -decay, the position-based model with a power law.

    The first place is taken as looked at. `unplaced` is for exposures whose place is not known.

    Source: Craswell et al., "An experimental comparison of click position-bias models", WSDM 2008.

    >>> Examination(decay=0.5).chances(np.array([1.0, 4.0, np.nan])).tolist()
    [0.98, 0.5, 0.5]
    """

    decay: float = _USUAL_DECAY
    unplaced: float = 0.5

    def chances(self, places: Floats) -> Floats:
        """Return P(looked) for places from 1, NaN for an unknown place; at most 0.98."""
        known = np.isfinite(places) & (places >= 1.0)
        chance = np.where(known, np.where(known, places, 1.0) ** -self.decay, self.unplaced)
        return np.minimum(chance, _MOST)

    @classmethod
    def fit(cls, places: Floats, answered: npt.NDArray[np.bool_]) -> "Examination":
        """Learn the decay from which exposures were answered, by a Poisson regression on log place.

        Taken as it is only for lists in random order; where better candidates stood higher, the
        decay comes out too steep. A pull to 0.5 keeps it when there is little to learn from.

        places:   `(n_exposures,)` from 1, NaN unknown.
        answered: `(n_exposures,)` liked, passed or hid.
        """
        known = np.isfinite(places) & (places >= 1.0)
        if not answered[known].any():
            return cls()
        place = places[known].astype(np.int64)
        shown = np.bincount(place)[1:].astype(np.float64)
        said = np.bincount(place, answered[known])[1:]
        x = -np.log(np.arange(1, len(shown) + 1))
        decay, level = _USUAL_DECAY, float(np.log(said.sum() / shown.sum()))
        for _ in range(50):
            mean = shown * np.exp(np.minimum(level + decay * x, 0.0))
            residual = said - mean
            gradient = np.array([residual.sum(), residual @ x - _EVIDENCE * (decay - _USUAL_DECAY)])
            cross = mean @ x
            hessian = np.array([[mean.sum() + 1e-9, cross], [cross, mean @ (x * x) + _EVIDENCE]])
            step = np.clip(np.linalg.solve(hessian, gradient), -0.5, 0.5)
            level, decay = level + float(step[0]), float(np.clip(decay + step[1], 0.0, 2.0))
        return cls(decay=decay)
