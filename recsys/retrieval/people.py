"""What scoring reads of people, checked and laid out in tile order."""

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.models.directed import Directed
from recsys.models.nearness import Nearness
from recsys.retrieval.aligned import aligned_zeros
from recsys.retrieval.exact_sum import LANES
from recsys.retrieval.quantized import largest_of, margin_of, quantized, step_of
from recsys.retrieval.scores import Factors, People
from recsys.retrieval.words import Positions
from recsys.schema.place import Cells

_LARGEST_LOGIT = 1e30
_PLACES_AT_ONCE = 256
_ROWS_NAMED = 5


def people_of(directed: Directed, rows: Positions) -> People:
    """Return the people at `rows`, in that order, with factors padded to a multiple of LANES.

    Raises InputError naming the rows whose factors are not finite, or too large to multiply.
    """
    taste, appeal = _padded(directed.taste, "taste", rows), _padded(directed.appeal, "appeal", rows)
    place, near = _near(directed.nearness, directed.cell[rows])
    largest = largest_of(taste, appeal, near)
    refuse_too_large(largest[0] * largest[1] + largest[2], "the model")
    steps = np.array([step_of(taste), step_of(appeal)])
    return People(
        row=rows,
        taste=taste,
        appeal=appeal,
        whole=quantized(taste, appeal, steps),
        steps=steps,
        place=place,
        near=near,
        margin=margin_of(taste, appeal, steps, largest, steps),
        largest=largest,
    )


def refuse_too_large(largest_logit: float, where: str) -> None:
    """Raise InputError when logits may be so large that float32 could not hold them."""
    if largest_logit > _LARGEST_LOGIT:
        remedy = "scale the factors: logits beyond a few hundred mean certainty"
        raise InputError(explained("factors too large to multiply", where=where, remedy=remedy))


def padded(n_factors: int) -> int:
    """Return how many factors are held for that many given.

    >>> padded(0), padded(16), padded(17)
    (16, 16, 32)
    """
    return max(LANES, -(-n_factors // LANES) * LANES)


def _padded(matrix: npt.NDArray[np.float32], name: str, rows: Positions) -> Factors:
    n_factors = matrix.shape[1]
    wide = aligned_zeros((len(rows), padded(n_factors)), np.float32)
    with np.errstate(over="ignore"):
        wide[:, :n_factors] = matrix[rows]
    broken = rows[~np.isfinite(wide).all(axis=1)]
    if len(broken):
        named = ", ".join(str(row) for row in np.sort(broken)[:_ROWS_NAMED])
        where = f"{name}, {len(broken)} rows, the first {named}"
        raise InputError(explained("factors must be finite numbers", where=where, remedy="refit the model"))
    return wide


def _near(nearness: Nearness | None, cells: Cells) -> tuple[Positions, Factors]:
    """Return each person's place and the logit between every two places, `(n_places, n_places)`."""
    if nearness is None:
        return np.zeros(len(cells), np.int32), np.zeros((1, 1), np.float32)
    distinct, place = np.unique(cells, return_inverse=True)
    near = np.empty((len(distinct), len(distinct)), np.float32)
    for start in range(0, len(distinct), _PLACES_AT_ONCE):
        part = slice(start, start + _PLACES_AT_ONCE)
        near[part] = nearness.matrix(distinct[part], distinct)
    return place.astype(np.int32), near
