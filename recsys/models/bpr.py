"""Bayesian personalised ranking, a baseline learned from pairs of candidates."""

from typing import TYPE_CHECKING

from numpy.random import Generator
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.config import Section
from recsys.data.population import Population
from recsys.models.als import implicit_bpr
from recsys.models.baselines import CalibratedFactors
from recsys.models.explanation import FACTORS, POPULARITY, LogitTerm
from recsys.models.impressions import Impressions
from recsys.types import Float64Array

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import BPRSettings


class BPRConfig(Section):
    """Settings of the stochastic gradient descent.

    factors:        latent columns beside the candidate's bias.
    learning_rate:  step of the descent.
    regularization: ridge on every factor and bias.
    iterations:     passes over the likes.

    >>> BPRConfig(factors=16).factors
    16
    """

    factors: PositiveInt = 64
    learning_rate: PositiveFloat = 0.05
    regularization: NonNegativeFloat = 0.01
    iterations: PositiveInt = 100


class BPR(CalibratedFactors):
    """Ranks whom a viewer liked above whom they did not, whoever that is; a baseline.

    Each step draws a like and a candidate the viewer did not like, and raises the difference of their
    scores. One thread, so that equal seeds give equal factors. Passes are not read.

    Source: Rendle, Freudenthaler, Gantner and Schmidt-Thieme, "BPR: Bayesian personalized ranking from
    implicit feedback", UAI 2009.

    >>> import numpy as np
    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = BPR(BPRConfig(factors=4)).fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 5)
    """

    name = "bpr"
    config_type = BPRConfig
    config: BPRConfig

    if TYPE_CHECKING:

        def __init__(self, config: BPRConfig | None = None, **settings: Unpack[BPRSettings]) -> None: ...

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        likes, settings = answers.take(answers.labels > 0), self.config
        return implicit_bpr(
            likes,
            len(people),
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            seed=int(rng.integers(2**31 - 1)),
        )

    def _column_parts(self) -> dict[LogitTerm, slice]:
        k = self.config.factors
        return {FACTORS: slice(k), POPULARITY: slice(k, k + 1)}
