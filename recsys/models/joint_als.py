"""Direct joint model: factors of who matched whom, both sides of a pair at once."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.random import Generator

from recsys.data.population import Population
from recsys.models.als import implicit_als
from recsys.models.baselines import CalibratedFactors
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.calibration import LEAST_SLOPE, Platt
from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.types import Float64Array

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import BehaviourSettings

_EVIDENCE: Final = 10.0
"""Observations that the slope of the line is held to 1 by, in units of the spread of the scores."""
_LEAST: Final = 1e-12


class JointALS(CalibratedFactors):
    """Factorises who matched whom, without a view of who began; a baseline.

    A match is a pair of people who both said yes. Whether two match is learned from matches among all pairs,
    not from the two decisions, and the score is the same for both: the mean of both directions of the
    factors. A match needs both, so p_like is the chance that, were the two alike, multiplies to P(match):
    its square root. Pairs of whom one said yes and the other nothing are not used.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, on
    matches; the direct counterpart of models of each side in Palomares et al., "Reciprocal recommender
    systems: analysis of state-of-art literature, challenges and opportunities", Information Fusion 69 (2021).

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = JointALS(factors=4).fit(people, events, rng=1)
    >>> both = model.fitted.probabilities([0, 1], [1, 0])
    >>> bool(np.isclose(*both))
    True
    """

    name = "joint_als"
    config_type = BehaviourConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: BehaviourConfig | None = None, **settings: Unpack[BehaviourSettings]
        ) -> None: ...

    def _judged(self, answers: Impressions) -> Impressions:
        return matches(answers)

    def _line(self, scores: Float64Array, labels: Float64Array) -> Platt:
        return line_of_both(scores, labels)

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        config = self.config
        taste, appeal = implicit_als(
            answers,
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


def line_of_both(scores: Float64Array, labels: Float64Array) -> Platt:
    """Return the increasing line whose chance, squared, is that of a label of 1, by maximum likelihood.

    scores: `(n,)` of any scale; labels: `(n,)` of 0 or 1. One more match and one more pair without one, at
    the mean score, keep it finite.
    """
    from scipy.optimize import minimize

    if not len(scores):
        return Platt()
    centre, scale = float(scores.mean()), max(float(np.abs(scores - scores.mean()).mean()), _LEAST)
    x, y = np.append((scores - centre) / scale, [0.0, 0.0]), np.append(labels, [0.0, 1.0])
    weight = np.append(np.ones(len(scores)), [0.5, 0.5])

    def loss(theta: Float64Array) -> float:
        both = np.clip(sigmoid(theta[0] * x + theta[1]) ** 2, _LEAST, 1.0 - _LEAST)
        fit = weight @ (y * np.log(both) + (1.0 - y) * np.log1p(-both))
        return float(0.5 * _EVIDENCE * (theta[0] - 1.0) ** 2 - fit)

    rate = np.sqrt(np.clip(y @ weight / weight.sum(), 0.01, 0.99))
    found = minimize(
        loss,
        np.array([1.0, np.log(rate) - np.log1p(-rate)]),
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None), (None, None)],
    )
    slope, intercept = (float(value) for value in found.x)
    return Platt(slope / scale, intercept - slope * centre / scale)
