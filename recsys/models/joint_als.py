"""Direct joint model: factors of who matched whom, both sides of a pair at once."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from recsys.data.population import Population
from recsys.models.als import implicit_als
from recsys.models.baselines import CalibratedFactors
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.impressions import Impressions
from recsys.types import Float64Array

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import BehaviourSettings


class JointALS(CalibratedFactors):
    """Factorises who matched whom, without a view of who began; a baseline.

    A match is a pair of people who both said yes. Whether two match is learned from matches among all pairs,
    not from the two decisions; the score, the mean of both directions of the factors, is the same for both,
    as is the order of lists. Factors are learned from pairs of whom it is known whether they matched; the
    line from score to p_like from all answers, so that it is P(like | look) as in every model.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, on
    matches; the direct counterpart of models of each side in Palomares et al., "Reciprocal recommender
    systems: analysis of state-of-art literature, challenges and opportunities", Information Fusion 69 (2021).

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = JointALS(factors=4).fit(people, events, rng=1)
    >>> both = model.ranking().probabilities([0, 1], [1, 0])
    >>> bool(np.isclose(*both))
    True
    """

    name = "joint_als"
    config_type = BehaviourConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: BehaviourConfig | None = None, **settings: Unpack[BehaviourSettings]
        ) -> None: ...

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        config = self.config
        taste, appeal = implicit_als(
            matches(answers),
            len(people),
            factors=config.factors,
            alpha=config.alpha,
            regularization=config.regularization,
            iterations=config.iterations,
            rng=rng,
        )
        half = np.sqrt(0.5)
        return half * np.hstack([taste, appeal]), half * np.hstack([appeal, taste])


def matches(answers: Impressions) -> Impressions:
    """Return the answers to which it is known whether both said yes, with that as their label.

    A no of one decides it; a yes without an answer of the other does not.
    """
    if not len(answers):
        return answers
    width = int(max(answers.viewers.max(), answers.candidates.max())) + 1
    viewer, candidate = answers.viewers.astype(np.int64), answers.candidates.astype(np.int64)
    key, back = viewer * width + candidate, candidate * width + viewer
    order = np.argsort(key)
    at = order[np.searchsorted(key, back, sorter=order).clip(0, len(key) - 1)]
    answered = key[at] == back
    both = answers.labels * np.where(answered, answers.labels[at], 1.0)
    known = answered | (answers.labels == 0)
    return replace(answers, labels=both).take(known)
