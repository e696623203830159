"""Numbers brought from outside, as the rows of the people they belong to."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows
from recsys.types import Float32Array

SALT = "numeric"


@dataclass(frozen=True, eq=False)
class AppliedNumeric(AppliedBlock):
    """Standardised, bounded numbers by person; a person without a number stands at the mean, 0.

    The pair score is the mean over columns of `looks / limit * is / limit`, so it lies in [-1, 1].

    hashes:     `(n_known,)` of the ids, ascending.
    looks, is_: `(n_known, n_columns)` float32, within +-1 / sqrt(n_columns).
    """

    name: ClassVar[str] = "numeric"

    hashes: npt.NDArray[np.uint64]
    looks: Float32Array
    is_: Float32Array
    labels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names the numbers came with."""
        return self.labels

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; people of whom no number is known get zeros."""
        wanted = hashed_strings([str(user) for user in people.ids.values], salt=SALT)
        looks = np.zeros((len(people), len(self.labels)), np.float32)
        is_ = np.zeros_like(looks)
        if len(self.hashes):
            at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            known = self.hashes[at] == wanted
            looks[known], is_[known] = self.looks[at[known]], self.is_[at[known]]
        return BlockRows(looks, is_)
