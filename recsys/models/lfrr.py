"""LFRR: latent factors for reciprocal recommendation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.models.calibrated_factors import CalibratedFactors
from recsys.models.looks import Looks
from recsys.models.pair_parts import FACTORS, POPULARITY, SELECTIVITY, Part
from recsys.models.signed_factors import signed_factors
from recsys.schema.population import Population

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LFRRConfig:
    """Settings of the factorisation.

    n_factors:      latent columns beside the two biases.
    regularization: ridge on every factor and bias.
    iterations:     alternations.
    """

    n_factors: int = 16
    regularization: float = 3.0
    iterations: int = 10


class LFRR(CalibratedFactors):
    """Factorises explicit likes and passes with biases, in both directions; a baseline.

    The rating of i for j is `mean + b_i + c_j + u_i v_j`, fitted to 1 for a like and 0 for a pass by
    alternating ridge regressions (the paper uses gradient descent on the same loss). The paper
    combines the directions by the harmonic mean: pass `combiner="harmonic"`.

    Source: Neve and Palomares, "Latent factor models and aggregation operators for collaborative
    filtering in reciprocal recommender systems", RecSys 2019.
    """

    name = "lfrr"
    config_type = LFRRConfig
    config: LFRRConfig

    def _factors(self, people: Population, answers: Looks, rng: Generator) -> tuple[Floats, Floats]:
        return signed_factors(
            answers,
            len(people),
            n_factors=self.config.n_factors,
            regularization=self.config.regularization,
            iterations=self.config.iterations,
            rng=rng,
        )

    def _column_parts(self) -> dict[Part, slice]:
        k = self.config.n_factors
        return {FACTORS: slice(k), SELECTIVITY: slice(k, k + 1), POPULARITY: slice(k + 1, k + 2)}
