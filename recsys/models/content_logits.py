"""What content says of single pairs."""

import numpy as np
import numpy.typing as npt

from recsys.models.directed import Directed
from recsys.models.pair_dots import pair_dots

Floats = npt.NDArray[np.float64]


def content_logits(
    content: Directed | None, i: npt.NDArray[np.integer], j: npt.NDArray[np.integer]
) -> tuple[Floats, Floats]:
    """Return the logits of the two matrices and of nearness apart, zeros without content."""
    if content is None:
        return np.zeros(len(i)), np.zeros(len(i))
    whole = pair_dots(content.taste, content.appeal, i, j)
    if content.nearness is None:
        return whole, np.zeros(len(i))
    return whole, content.nearness.pairs(content.cell[i], content.cell[j])
