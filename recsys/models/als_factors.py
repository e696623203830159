"""Alternating least squares; the one place that imports `implicit`."""

import numpy as np
import numpy.typing as npt

from recsys.models.behaviour_config import BehaviourConfig
from recsys.models.looks import Looks
from recsys.models.people_in_threads import n_threads

Floats = npt.NDArray[np.float64]


def stored_confidences(looks: Looks, alpha: float) -> Floats:
    """Return what is stored for each answered look: the confidence, negative where it is a no.

    A yes is stored as `1 + alpha * weight`, a no as `-(1 + alpha * weight)`, which `implicit` reads as
    preference 0 with that confidence. Stored with a positive sign a no would count as a yes.

    weight: strength of the evidence halved with age, divided by the mean over all answers.
    """
    mean = float(looks.weights.mean()) if len(looks) else 1.0
    confidence = 1.0 + alpha * looks.weights / mean
    return np.where(looks.labels > 0, confidence, -confidence)


def als_factors(
    looks: Looks, n_people: int, config: BehaviourConfig, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the factors of everybody as viewer and as candidate, `(n_people, n_factors)` each.

    Zero for people without an answer. A seed drawn from `rng` gives equal bytes, with any number of
    threads, because each person is solved for alone.
    """
    seed = int(rng.integers(2**31 - 1))
    answers = looks.take(looks.answered)
    n_factors = min(config.factors, max(n_people - 1, 1))
    if not (answers.labels > 0).any():
        return np.zeros((n_people, n_factors)), np.zeros((n_people, n_factors))
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    stored = stored_confidences(answers, config.alpha).astype(np.float32)
    matrix = csr_matrix((stored, (answers.viewers, answers.candidates)), shape=(n_people, n_people))
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(
            factors=n_factors,
            regularization=config.regularization,
            iterations=config.iterations,
            num_threads=n_threads(),
            random_state=seed,
        )
        als.fit(matrix, show_progress=False)
    taste, appeal = (np.asarray(rows, np.float64) for rows in (als.user_factors, als.item_factors))
    gave = np.bincount(answers.viewers, minlength=n_people) > 0
    received = np.bincount(answers.candidates, minlength=n_people) > 0
    return taste * gave[:, None], appeal * received[:, None]
