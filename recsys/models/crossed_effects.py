"""Crossed random effects of viewer and candidate, the baseline without any taste."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from recsys.config import Section
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.affinity_recency import latest_held_out, line_at_the_end
from recsys.models.base import Model
from recsys.models.directed import Directed
from recsys.models.explanation import LEVEL, POPULARITY, SELECTIVITY, LogitTerms
from recsys.models.factor_space import rows_at
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import only_likes, with_some_passes
from recsys.models.random_effects import RandomEffects, fit_random_effects
from recsys.types import Float64Array, Int32Array

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


class CrossedEffects(Model):
    """Scores a pair by how readily the viewer says yes and how readily the candidate is liked; a baseline.

    logit P(i likes j | look) = level + g_i + p_j, with normal priors whose variances are learned. Effects are
    those of answers; exposures without one set level and scale. Where nobody ever said no, passes are drawn
    among unseen pairs. Nobody's order of candidates differs from anybody else's.

    Source: Breslow and Clayton, "Approximate inference in generalized linear mixed models", Journal of
    the American Statistical Association 88 (1993) 9-25.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = CrossedEffects().fit(people, events, rng=np.random.default_rng(1))
    >>> model.fitted.n_factors
    2
    """

    name = "crossed_effects"
    config_type = CrossedEffectsConfig
    config: CrossedEffectsConfig
    ids_: IdIndex
    level_: float
    generosity_: Float64Array
    popularity_: Float64Array

    if TYPE_CHECKING:

        def __init__(
            self, config: CrossedEffectsConfig | None = None, **settings: Unpack[CrossedEffectsSettings]
        ) -> None: ...

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        impressions = Impressions.from_events(people, events)
        answers = impressions.take(impressions.answered)
        found = self._effects(with_some_passes(answers, rng), len(people))
        line = impressions.look_line(found.logits(impressions))
        if impressions.answered.all() and not only_likes(impressions):

            def before(known: Impressions) -> Directed:
                early = self._effects(known, len(people))
                matrices = _matrices(people, early.intercept, early.generosity, early.popularity)
                return matrices.scaled(line.slope, line.intercept)

            line = line.then(line_at_the_end(latest_held_out(answers, before)))
        self.ids_, self.level_ = people.ids, line.slope * found.intercept + line.intercept
        self.generosity_, self.popularity_ = line.slope * found.generosity, line.slope * found.popularity

    def _effects(self, answers: Impressions, n_people: int) -> RandomEffects:
        offset, start = np.zeros(len(answers)), RandomEffects.none(n_people)
        return fit_random_effects(answers, offset, n_people, start=start, rounds=self.config.rounds)

    def _apply(self, people: Population) -> Directed:
        rows = self.ids_.find(people.ids.values)
        generosity, popularity = (rows_at(own, rows) for own in (self.generosity_, self.popularity_))
        return _matrices(people, self.level_, generosity, popularity)

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        rows = self.ids_.find(pair.ids.values)
        return {
            LEVEL: np.full(len(i), self.level_),
            SELECTIVITY: rows_at(self.generosity_, rows)[i],
            POPULARITY: rows_at(self.popularity_, rows)[j],
        }


def _matrices(
    people: Population, level: float, generosity: Float64Array, popularity: Float64Array
) -> Directed:
    ones = np.ones(len(people))
    taste, appeal = np.column_stack([level + generosity, ones]), np.column_stack([ones, popularity])
    return Directed.of(people.ids, taste=taste, appeal=appeal, cell=people.cells)
