"""RECON: preferences read off the profiles of the people one liked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.features.feature_map import FeatureMap
from recsys.models.calibrated_factors import CalibratedFactors
from recsys.models.looks import Looks
from recsys.models.pair_parts import Part
from recsys.schema.population import Population

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RECONConfig:
    """Settings of the histograms.

    n_bins: values each profile column is cut into, at equally filled places.
    """

    n_bins: int = 4


class RECON(CalibratedFactors):
    """Compares each candidate with the histogram of those the viewer liked; a baseline.

    The preference of i for value v of attribute a is the share of v among the people i liked, and
    the compatibility of i with j the mean over attributes of the preference for j's value: the inner
    product of i's histogram (taste) and j's values as zeros and ones (appeal), so two matrices hold
    it exactly. Attributes are the columns that say what a person is, cut into values. The paper
    combines the directions by the harmonic mean: pass `combiner="harmonic"`.

    Source: Pizzato, Rej, Chung, Koprinska and Kay, "RECON: a reciprocal recommender for online
    dating", RecSys 2010.
    """

    name = "recon"
    config_type = RECONConfig
    config: RECONConfig

    def _factors(self, people: Population, answers: Looks, rng: Generator) -> tuple[Floats, Floats]:  # noqa: ARG002
        values = _values(FeatureMap.fit(people).concatenated(people).is_, self.config.n_bins)
        likes = answers.take(answers.labels > 0)
        from scipy.sparse import csr_array

        n_people = len(people)
        ones = np.ones(len(likes))
        liked = csr_array((ones, (likes.viewers, likes.candidates)), shape=(n_people, n_people))
        count = np.maximum(np.bincount(likes.viewers, minlength=n_people), 1)
        n_attributes = max(values.shape[1] // self.config.n_bins, 1)
        return np.asarray(liked @ values) / (count[:, None] * n_attributes), values

    def _column_parts(self) -> dict[Part, slice]:
        return {Part("answers", "liked_profiles"): slice(None)}


def _values(columns: npt.NDArray[np.float32], n_bins: int) -> Floats:
    """Return every column cut into `n_bins` values as zeros and ones, `(n_people, n_columns * n_bins)`."""
    if not columns.size:
        return np.zeros((len(columns), 0))
    edges = np.quantile(columns, np.linspace(0, 1, n_bins + 1)[1:-1], axis=0)
    value = (columns[None, :, :] > edges[:, None, :]).sum(axis=0)
    spread = value[:, :, None] == np.arange(n_bins)[None, None, :]
    return spread.reshape(len(columns), -1).astype(np.float64)
