"""Crossed random effects of viewer and candidate, the baseline without any taste."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from recsys.config import Section
from recsys.data.population import Population
from recsys.models.baselines import CalibratedFactors
from recsys.models.explanation import POPULARITY, SELECTIVITY, LogitTerm
from recsys.models.impressions import Impressions
from recsys.models.random_effects import RandomEffects, fit_random_effects
from recsys.types import Float64Array

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import CrossedEffectsSettings


class CrossedEffectsConfig(Section):
    """Settings of the effects.

    rounds: of alternating Newton steps, at most.

    >>> CrossedEffectsConfig(rounds=20).rounds
    20
    """

    rounds: int = 50


class CrossedEffects(CalibratedFactors):
    """Scores a pair by how readily the viewer says yes and how readily the candidate is liked; a baseline.

    logit P(i likes j | look) = level + slope * (g_i + p_j), with normal priors whose variances are learned,
    and what being known adds. Effects are those of answers; exposures without one set level and scale. Where
    nobody ever said no, passes are drawn among unseen pairs. Nobody's order of candidates differs from
    anybody else's.

    Source: Breslow and Clayton, "Approximate inference in generalized linear mixed models", Journal of
    the American Statistical Association 88 (1993) 9-25.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = CrossedEffects().fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 2)
    """

    name = "crossed_effects"
    reads_passes = True
    config_type = CrossedEffectsConfig
    config: CrossedEffectsConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: CrossedEffectsConfig | None = None, **settings: Unpack[CrossedEffectsSettings]
        ) -> None: ...

    def _factors(
        self,
        people: Population,
        answers: Impressions,
        rng: Generator,  # noqa: ARG002
    ) -> tuple[Float64Array, Float64Array]:
        offset, start = np.zeros(len(answers)), RandomEffects.none(len(people))
        rounds = self.config.rounds
        found = fit_random_effects(answers, offset, len(people), start=start, rounds=rounds)
        ones = np.ones(len(people))
        return np.column_stack([found.generosity, ones]), np.column_stack([ones, found.popularity])

    def _column_parts(self) -> dict[LogitTerm, slice]:
        return {SELECTIVITY: slice(1), POPULARITY: slice(1, 2)}
