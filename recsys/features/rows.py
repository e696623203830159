"""The two aligned rows a feature block gives every person."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.types import Float32Array, Int32Array


@dataclass(frozen=True, eq=False)
class BlockRows:
    """What each person looks for and what each person is; their inner product is the pair score.

    looks: `(n_people, n_columns)` float32.
    is_:   `(n_people, n_columns)` float32.

    >>> rows = BlockRows(np.array([[1.0], [0.0]], np.float32), np.array([[0.5], [0.2]], np.float32))
    >>> rows.pair_scores([0], [1]).round(3)
    array([0.2])
    """

    looks: Float32Array
    is_: Float32Array

    def __post_init__(self) -> None:
        if self.looks.shape != self.is_.shape or self.looks.ndim != 2:
            got = f"{self.looks.shape} and {self.is_.shape}"
            raise InputError(explained("the rows of a block must be two equal matrices", got=got))

    def __len__(self) -> int:
        return len(self.looks)

    @property
    def n_columns(self) -> int:
        """The number of columns of both matrices."""
        return int(self.looks.shape[1])

    def pair_scores(
        self, i: Int32Array | npt.ArrayLike, j: Int32Array | npt.ArrayLike
    ) -> npt.NDArray[np.float64]:
        """Return the score of row `i` looking at row `j`, for aligned rows, `(n_pairs,)` float64."""
        looks = self.looks[np.asarray(i, np.int64)].astype(np.float64)
        return np.asarray(np.vecdot(looks, self.is_[np.asarray(j, np.int64)].astype(np.float64)), np.float64)
