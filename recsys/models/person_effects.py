"""Selectivity and popularity: what is particular to a viewer or a candidate beyond everything else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.models.directed import sigmoid
from recsys.models.looks import Looks

Floats = npt.NDArray[np.float64]
_LEAST_VARIANCE = 1e-3


@dataclass(frozen=True, eq=False)
class PersonEffects:
    """Two numbers a person, in logits; 0 for somebody of whom nothing is known.

    generosity: `(n_people,)` how much more readily than others they say yes (the less selective).
    popularity: `(n_people,)` how much more readily others say yes to them.
    intercept:  the logit of an average pair beyond the offset.
    variances:  of generosity and popularity between people.
    """

    generosity: Floats
    popularity: Floats
    intercept: float
    variances: tuple[float, float]


def fit_person_effects(
    looks: Looks,
    offset: Floats,
    n_people: int,
    *,
    variances: tuple[float, float] | None = None,
    intercept: float | None = None,
    rounds: int = 25,
) -> PersonEffects:
    """Fit crossed random effects to the answers given `offset` logits, by alternating Newton steps.

    Each person's two numbers have normal priors around 0; the variances are learned from everybody
    (an approximate EM step a round, as in penalised quasi-likelihood), unless given. With the
    intercept and variances given, only the numbers of the people are found.

    Source: Breslow and Clayton, "Approximate inference in generalized linear mixed models",
    Journal of the American Statistical Association 88 (1993) 9-25.
    """
    sides = (looks.viewers.astype(np.int64), looks.candidates.astype(np.int64))
    labels, weights = looks.labels, looks.chances
    effects = [np.zeros(n_people), np.zeros(n_people)]
    spread = [0.2, 0.2] if variances is None else list(variances)
    level = 0.0 if intercept is None else intercept
    if not len(looks):
        return PersonEffects(effects[0], effects[1], level, (spread[0], spread[1]))
    seen = [np.bincount(side, weights, n_people) > 0 for side in sides]
    logits = offset + level
    for _ in range(rounds):
        for side, of in enumerate(sides):
            p = sigmoid(logits)
            curve = np.bincount(of, weights * p * (1.0 - p), n_people)
            pull = np.bincount(of, weights * (labels - p), n_people)
            precision = curve + 1.0 / spread[side]
            step = np.clip((pull - effects[side] / spread[side]) / precision, -1.0, 1.0)
            if intercept is None:
                # at the mode the effects of a side add up to nothing, so their mean belongs to the level
                middle = float((effects[side] + step)[seen[side]].mean())
                level, step = level + middle, step - middle * seen[side]
                logits = logits + middle
            effects[side] = effects[side] + step
            logits = logits + step[of]
            if variances is None:
                moments = effects[side][seen[side]] ** 2 + 1.0 / precision[seen[side]]
                spread[side] = max(float(moments.mean()), _LEAST_VARIANCE)
        if intercept is None:
            p = sigmoid(logits)
            more = float(weights @ (labels - p)) / (float(weights @ (p * (1.0 - p))) + 0.5)
            more = min(max(more, -1.0), 1.0)
            level, logits = level + more, logits + more
    return PersonEffects(effects[0], effects[1], level, (spread[0], spread[1]))
