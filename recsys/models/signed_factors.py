"""Factors from answers of both signs: who said yes to whom, and who said no."""

import numpy as np
import numpy.typing as npt

from recsys.models.fold_in import Evidence, fold_in
from recsys.models.looks import Looks

Floats = npt.NDArray[np.float64]


def signed_factors(
    answers: Looks,
    n_people: int,
    *,
    n_factors: int,
    regularization: float,
    iterations: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return taste and appeal that fit 1 for a yes and 0 for a no, `(n_people, n_factors + 2)` each.

    The answer of i about j is modelled as `mean + b_i + c_j + u_i v_j`. The last two columns hold
    the viewer's own level beside a constant, and a constant beside the candidate's; alternating ridge
    regressions find each side given the other. Unlike factors of implicit feedback, in which an
    answer of no hardly differs from no answer, these learn from a no as much as from a yes.
    """
    k = n_factors
    targets = answers.labels - (answers.labels.mean() if len(answers) else 0.0)
    trust = np.ones(len(answers))
    viewers = Evidence.of(n_people, answers.viewers, answers.candidates)
    candidates = Evidence.of(n_people, answers.candidates, answers.viewers)
    taste, appeal = np.zeros((n_people, k + 2)), rng.normal(0.0, 0.1, (n_people, k + 2))
    for _ in range(iterations):
        taste = _half(viewers, trust, targets, appeal, regularization, own=k, other=k + 1)
        appeal = _half(candidates, trust, targets, taste, regularization, own=k + 1, other=k)
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
