"""Which factors people's answers are reduced to: signed where there is a no to learn from."""

import numpy as np
import numpy.typing as npt

from recsys.models.behaviour_config import BehaviourConfig
from recsys.models.looks import Looks
from recsys.models.signed_factors import signed_factors

Floats = npt.NDArray[np.float64]
_LEAST_SHARE = 0.05
_ITERATIONS = 10


def factors_of_answers(
    looks: Looks, n_people: int, config: BehaviourConfig, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the factors of everybody as viewer and as candidate, `(n_people, n_factors)` each.

    Signed factors where at least a twentieth of the answers are of the rarer kind; where almost all
    are likes, those of implicit feedback. Zero for people without an answer.
    """
    from recsys.models.als_factors import als_factors

    answers = looks.take(looks.answered)
    share = float(answers.labels.mean()) if len(answers) else 0.0
    k = min(config.signed_factors, max(n_people - 1, 1))
    if not config.signed_factors or min(share, 1.0 - share) < _LEAST_SHARE:
        return als_factors(looks, n_people, config, rng)
    taste, appeal = signed_factors(
        answers,
        n_people,
        n_factors=k,
        regularization=config.signed_regularization,
        iterations=_ITERATIONS,
        rng=rng,
    )
    gave = np.bincount(answers.viewers, minlength=n_people) > 0
    return taste[:, :k] * gave[:, None], appeal[:, :k]
