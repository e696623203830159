"""RCF: you may like whom people of your taste liked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.models.calibrated_factors import CalibratedFactors
from recsys.models.looks import Looks
from recsys.schema.population import Population

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RCFConfig:
    """Settings of the similarities.

    max_factors: columns kept; up to so many people the form is exact, above it the similarities are
                 reduced to their leading singular directions, so that memory stays linear.
    """

    max_factors: int = 2048


class RCF(CalibratedFactors):
    """Averages, over those who liked j, how similar their likes are to i's; a baseline.

    s(i, j) = mean over the likers k of j of `|likes_i & likes_k| / |likes_i | likes_k|`. With S the
    similarities and L the likes divided by their column sums, it is `S @ L`: taste is S, appeal the
    transpose of L. The paper combines the directions by the harmonic mean: pass
    `combiner="harmonic"`.

    Source: Xia, Liu, Sun and Chen, "Reciprocal recommendation system for online dating", ASONAM 2015.
    """

    name = "rcf"
    config_type = RCFConfig
    config: RCFConfig

    def _factors(self, people: Population, answers: Looks, rng: Generator) -> tuple[Floats, Floats]:
        from scipy.sparse import csr_array

        n_people, likes = len(people), answers.take(answers.labels > 0)
        ones = np.ones(len(likes))
        liked = csr_array((ones, (likes.viewers, likes.candidates)), shape=(n_people, n_people))
        similar = _jaccard(liked)
        shared = csr_array(liked.T / np.maximum(np.asarray(liked.sum(axis=0)), 1.0)[:, None])
        if n_people <= self.config.max_factors:
            return np.asarray(similar.toarray()), np.asarray(shared.toarray())
        from scipy.sparse.linalg import svds

        start = rng.normal(size=n_people)
        left, values, right = svds(similar, k=self.config.max_factors // 8, v0=start)
        return np.asarray(left * values, np.float64), np.asarray(shared @ right.T, np.float64)


def _jaccard(liked: "csr_array[Any]") -> "csr_array[Any]":
    """Return how similar the likes of any two people are, themselves left out."""
    both = (liked @ liked.T).tocoo()
    given = np.asarray(liked.sum(axis=1))
    row, column = both.coords
    value = both.data / (given[row] + given[column] - both.data)
    other = row != column
    from scipy.sparse import csr_array

    return csr_array((value[other], (row[other], column[other])), shape=both.shape)
