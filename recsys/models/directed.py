"""What every model gives: two matrices whose inner product is a logit."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.arguments import checked_arguments
from recsys.data.geography import pair_distances_km
from recsys.data.ids import IdIndex
from recsys.errors import InputError, explained
from recsys.kernels import kernel
from recsys.memory import set_aside
from recsys.models.distance_decay import DistanceDecay, places
from recsys.parallel import in_ranges
from recsys.types import Float32Array, Float64Array, Int32Array, UInt64Array

_FACTORS_AT_ONCE = 2**18
"""Numbers of the rows of some pairs, so that their copies stay in a processor's cache."""
_LOGITS_AT_ONCE = 16_384
"""So that what is worked out on the way stays in a processor's cache."""


def sigmoid(logits: npt.NDArray[np.float64]) -> Float64Array:
    """Return `1 / (1 + exp(-x))` without overflow for any finite or infinite `x`.

    >>> sigmoid(np.array([-np.inf, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    if logits.ndim == 1 and len(logits) > _LOGITS_AT_ONCE:
        found = np.empty(len(logits))
        for first in range(0, len(logits), _LOGITS_AT_ONCE):
            part = slice(first, first + _LOGITS_AT_ONCE)
            found[part] = sigmoid(logits[part])
        return found
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0, small) / (1.0 + small)


@dataclass(frozen=True, eq=False)
class Directed:
    """The logit that row i likes row j, given that i looks at j: `taste[i] @ appeal[j]` + distance decay.

    ids:      the people, `n_people` of them; rows are in id order.
    taste:    `(n_people, n_factors)` float32, what each looks for.
    appeal:   `(n_people, n_factors)` float32, what each is.
    distance_decay: the scalar per pair of cells, or None.
    cell:     `(n_people,)` uint64 H3 cell numbers, 0 unknown.

    Raises InputError when shapes do not agree or a factor is not finite.

    >>> two = Directed.of(IdIndex(["a", "b"]), taste=[[1.0], [2.0]], appeal=[[3.0], [0.5]])
    >>> two.logits([0, 1], [1, 0])
    array([0.5, 6. ])
    """

    ids: IdIndex
    taste: Float32Array
    appeal: Float32Array
    distance_decay: DistanceDecay | None
    cell: UInt64Array

    def __post_init__(self) -> None:
        n_people = len(self.ids)
        for name, matrix in (("taste", self.taste), ("appeal", self.appeal)):
            if matrix.ndim != 2 or matrix.shape != (n_people, self.taste.shape[1]):
                expected = f"{matrix.shape}, not ({n_people} people, n_factors)"
                raise InputError(explained("factors do not fit the people", where=name, got=expected))
            if not np.isfinite(matrix).all():
                raise InputError(explained("factors must be finite numbers", where=name))
        if self.cell.shape != (n_people,):
            raise InputError(explained("one cell a person is needed", got=f"shape {self.cell.shape}"))

    @classmethod
    @checked_arguments
    def of(
        cls,
        ids: IdIndex,
        *,
        taste: npt.ArrayLike,
        appeal: npt.ArrayLike,
        distance_decay: DistanceDecay | None = None,
        cell: UInt64Array | None = None,
    ) -> "Directed":
        """Build from anything that is like an array; cells are unknown unless given."""
        return cls(
            ids=ids,
            taste=np.ascontiguousarray(taste, np.float32),
            appeal=np.ascontiguousarray(appeal, np.float32),
            distance_decay=distance_decay,
            cell=np.zeros(len(ids), np.uint64) if cell is None else cell,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        decay = "no distance decay" if self.distance_decay is None else f"{self.distance_decay}"
        return f"Directed({len(self):,} people, {self.n_factors} factors, {decay})"

    @property
    def n_factors(self) -> int:
        """The number of columns of both matrices."""
        return int(self.taste.shape[1])

    @cached_property
    def _places(self) -> Float64Array:
        return places(self.cell)

    @checked_arguments
    def logits(self, i: Int32Array | npt.ArrayLike, j: Int32Array | npt.ArrayLike) -> Float64Array:
        """Return the logit that each viewer row `i` likes candidate row `j`, `(n_pairs,)` float64.

        Sums in float64, in chunks, so beside the result memory grows neither with the pairs nor the factors.
        """
        viewers, candidates = np.asarray(i, np.int64), np.asarray(j, np.int64)
        logits = np.empty(len(viewers))
        at_once = max(_FACTORS_AT_ONCE // max(self.n_factors, 1), 1)
        for start in range(0, len(viewers), at_once):
            part = slice(start, start + at_once)
            taste = self.taste[viewers[part]].astype(np.float64)
            logits[part] = np.vecdot(taste, self.appeal[candidates[part]].astype(np.float64))
        if self.distance_decay is not None:
            logits += self.decays(viewers, candidates)
        return logits

    def decays(self, i: npt.NDArray[np.integer], j: npt.NDArray[np.integer]) -> Float64Array:
        """Return the logit of distance decay alone of aligned rows, `(n_pairs,)`, in chunks."""
        decays = np.zeros(len(i))
        if self.distance_decay is None:
            return decays
        for start in range(0, len(i), _LOGITS_AT_ONCE):
            part = slice(start, start + _LOGITS_AT_ONCE)
            km = pair_distances_km(self._places[i[part]], self._places[j[part]])
            decays[part] = self.distance_decay.of_distance(km)
        return decays

    @checked_arguments
    def probabilities(self, i: Int32Array | npt.ArrayLike, j: Int32Array | npt.ArrayLike) -> Float64Array:
        """Return P(i likes j | i looks at j) for aligned rows, `(n_pairs,)` in [0, 1]."""
        return sigmoid(self.logits(i, j))

    @checked_arguments
    def scaled(self, slope: float, intercept: float) -> "Directed":
        """Return the matrices whose logit is `slope * x + intercept` (Platt scaling, folded in).

        >>> one = Directed.of(IdIndex(["a"]), taste=[[2.0]], appeal=[[1.0]])
        >>> one.scaled(0.5, -1.0).logits([0], [0])
        array([0.])
        """
        taste = np.column_stack([self.taste * slope, np.full(len(self), intercept)])
        return Directed.of(
            self.ids,
            taste=taste,
            appeal=np.column_stack([self.appeal, np.ones(len(self))]),
            distance_decay=None if self.distance_decay is None else self.distance_decay.scaled(slope),
            cell=self.cell,
        )

    @checked_arguments
    def set_aside(self) -> None:
        """Let large matrices wait in a file; see `recsys.memory.set_aside`."""
        set_aside(self, "taste", "appeal")

    def take(self, rows: Int32Array | npt.ArrayLike) -> "Directed":
        """Return the people at `rows` (any order, no repeats), in id order."""
        kept = np.unique(np.asarray(rows, np.int64))
        ids = IdIndex(self.ids.ids(kept).tolist())
        return Directed(ids, self.taste[kept], self.appeal[kept], self.distance_decay, self.cell[kept])


def pair_dots(
    taste: npt.NDArray[np.floating],
    appeal: npt.NDArray[np.floating],
    i: npt.NDArray[np.integer],
    j: npt.NDArray[np.integer],
) -> Float64Array:
    """Return `taste[i] @ appeal[j]` of aligned rows, `(n_pairs,)` float64, summed in float64.

    >>> one = np.array([[1.0, 2.0], [0.5, 0.0]])
    >>> pair_dots(one, one, np.array([0, 1]), np.array([1, 1])).tolist()
    [0.5, 0.25]
    """
    left, right = (np.ascontiguousarray(rows) for rows in (taste, appeal))
    a, b = np.asarray(i, np.int32), np.asarray(j, np.int32)
    found = np.empty(len(a))
    in_ranges(lambda first, last: _dots(left, right, a, b, found, first, last), np.arange(len(a) + 1))
    return found


@kernel(fastmath={"reassoc", "contract"})
def _dots(  # noqa: PLR0917
    left: npt.NDArray[np.floating],
    right: npt.NDArray[np.floating],
    i: npt.NDArray[np.int32],
    j: npt.NDArray[np.int32],
    found: Float64Array,
    first: int,
    last: int,
) -> None:  # pragma: no cover
    for pair in range(first, last):
        total = 0.0
        for c in range(left.shape[1]):
            total += np.float64(left[i[pair], c]) * np.float64(right[j[pair], c])
        found[pair] = total
