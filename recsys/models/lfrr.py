"""LFRR: latent factors for reciprocal recommendation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.models.calibrated_factors import CalibratedFactors
from recsys.models.fold_in import Evidence, fold_in
from recsys.models.looks import Looks
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
        n_people, k = len(people), self.config.n_factors
        targets = answers.labels - (answers.labels.mean() if len(answers) else 0.0)
        trust, lam = np.ones(len(answers)), self.config.regularization
        viewers = Evidence.of(n_people, answers.viewers, answers.candidates)
        candidates = Evidence.of(n_people, answers.candidates, answers.viewers)
        # columns: latent, own bias, the constant that meets the other's bias
        taste, appeal = np.zeros((n_people, k + 2)), rng.normal(0.0, 0.1, (n_people, k + 2))
        for _ in range(self.config.iterations):
            taste = _half(viewers, trust, targets, appeal, lam, own=k, other=k + 1)
            appeal = _half(candidates, trust, targets, taste, lam, own=k + 1, other=k)
        return taste, appeal * (np.bincount(answers.candidates, minlength=n_people) > 0)[:, None]


def _half(
    evidence: Evidence, trust: Floats, targets: Floats, others: Floats, lam: float, *, own: int, other: int
) -> Floats:
    """Return the rows of one side given the other: factors and bias `own`, with constant 1 in `other`."""
    factors = others.copy()
    factors[:, own], factors[:, other] = 1.0, 0.0
    given = evidence.unsorted(others[evidence.others, other])
    rows = np.zeros((len(evidence.indptr) - 1, others.shape[1]))
    found = fold_in(rows, evidence, factors, trust=trust, targets=targets - given, strength=lam)
    found[:, other] = 1.0
    return found
