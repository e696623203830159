"""One-sided ALS: what a shop would recommend, blind to whether the other side wants to be found."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.models.behaviour_config import BehaviourConfig
from recsys.models.calibrated_factors import CalibratedFactors
from recsys.models.als_factors import als_factors
from recsys.models.looks import Looks
from recsys.schema.population import Population

Floats = npt.NDArray[np.float64]


class OneSidedALS(CalibratedFactors):
    """Implicit-feedback factorisation of who liked whom; a baseline.

    Rank by p_like to use it as it is meant; p_mutual combines its two directions as for any model.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets",
    ICDM 2008.
    """

    name = "one_sided_als"
    config_type = BehaviourConfig

    def _factors(self, people: Population, answers: Looks, rng: Generator) -> tuple[Floats, Floats]:
        taste, appeal = als_factors(answers, len(people), self.config, rng)
        return np.asarray(taste), np.asarray(appeal)
