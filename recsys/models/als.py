"""Factorisations of `implicit`, the one place that imports it, and explicit alternating least squares."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from recsys.models.fold_in import EntriesByPerson, fold_in
from recsys.models.impressions import Impressions
from recsys.parallel import n_threads
from recsys.types import Float64Array

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def stored_confidences(impressions: Impressions, alpha: float) -> Float64Array:
    """Return what is stored for each answered look: the confidence, negative where it is a no.

    A yes is stored as `1 + alpha * weight`, a no as `-(1 + alpha * weight)`, which `implicit` reads as
    preference 0 with that confidence. Stored with a positive sign a no would count as a yes.

    weight: strength of the evidence halved with age, divided by the mean over all answers.
    """
    mean = float(impressions.weights.mean()) if len(impressions) else 1.0
    confidence = 1.0 + alpha * impressions.weights / mean
    return np.where(impressions.labels > 0, confidence, -confidence)


def implicit_als(
    impressions: Impressions,
    n_people: int,
    *,
    factors: int,
    alpha: float,
    regularization: float,
    iterations: int,
    rng: np.random.Generator,
) -> tuple[Float64Array, Float64Array]:
    """Return the factors of everybody as viewer and as candidate, `(n_people, n_factors)` each.

    Zero for people without an answer, who change nothing of others. A seed drawn from `rng` gives equal
    bytes, with any number of threads, because each person is solved for alone.
    """
    seed = int(rng.integers(2**31 - 1))
    answers = impressions.take(impressions.answered)
    n_factors = min(factors, max(n_people - 1, 1))
    taste, appeal = (np.zeros((n_people, n_factors)) for _ in range(2))
    if not (answers.labels > 0).any():
        return taste, appeal
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    stored = stored_confidences(answers, alpha).astype(np.float32)
    (gave, viewers), (received, candidates) = (
        np.unique(own, return_inverse=True) for own in (answers.viewers, answers.candidates)
    )
    matrix = csr_matrix((stored, (viewers, candidates)), shape=(len(gave), len(received)))
    with _linear_algebra().limit(limits=1, user_api="blas"):
        als = AlternatingLeastSquares(
            factors=n_factors,
            regularization=regularization,
            iterations=iterations,
            num_threads=n_threads(len(answers)),
            random_state=seed,
        )
        als.fit(matrix, show_progress=False)
    taste[gave], appeal[received] = als.user_factors, als.item_factors
    return taste, appeal


@cache
def _linear_algebra() -> "ThreadpoolController":
    """Return the BLAS libraries that are loaded: looking for them takes longer than a small fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def implicit_bpr(
    likes: Impressions,
    n_people: int,
    *,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
    seed: int,
) -> tuple[Float64Array, Float64Array]:
    """Return factors of Bayesian personalised ranking, `(n_people, factors + 1)` each.

    The last column holds 1 beside the candidate's bias. Zero for people without a like.
    """
    taste, appeal = np.zeros((n_people, factors + 1)), np.zeros((n_people, factors + 1))
    if not len(likes):
        return taste, appeal
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from scipy.sparse import csr_matrix

    # sorted by viewer and candidate, because the steps are drawn by place in the matrix
    stored = np.ones(len(likes), np.float32)
    matrix = csr_matrix((stored, (likes.viewers, likes.candidates)), shape=(n_people, n_people))
    matrix.sort_indices()
    bpr = BayesianPersonalizedRanking(
        factors=factors,
        learning_rate=learning_rate,
        regularization=regularization,
        iterations=iterations,
        num_threads=1,
        random_state=seed,
    )
    bpr.fit(matrix, show_progress=False)
    gave, received = np.unique(likes.viewers), np.unique(likes.candidates)
    taste[gave], appeal[received] = bpr.user_factors[gave], bpr.item_factors[received]
    return taste, appeal


def explicit_als(
    answers: Impressions,
    n_people: int,
    *,
    n_factors: int,
    regularization: float,
    iterations: int,
    rng: np.random.Generator,
) -> tuple[Float64Array, Float64Array]:
    """Return taste and appeal that fit 1 for a yes and 0 for a no, `(n_people, n_factors + 2)` each.

    The answer of i about j is modelled as `mean + b_i + c_j + u_i v_j`. The last two columns hold
    the viewer's own level beside a constant, and a constant beside the candidate's; alternating ridge
    regressions find each side given the other. Unlike factors of implicit feedback, in which an
    answer of no hardly differs from no answer, these learn from a no as much as from a yes.
    """
    k = n_factors
    targets = answers.labels - (answers.labels.mean() if len(answers) else 0.0)
    trust = np.ones(len(answers))
    viewers, candidates = answers.grouped(n_people)
    taste, appeal = (np.zeros((n_people, k + 2)) for _ in range(2))
    received = np.unique(answers.candidates)
    appeal[received] = rng.normal(0.0, 0.1, (len(received), k + 2))
    for _ in range(iterations):
        taste = _half(viewers, trust, targets, appeal, regularization, own=k, other=k + 1)
        appeal = _half(candidates, trust, targets, taste, regularization, own=k + 1, other=k)
    return taste, appeal * (np.bincount(answers.candidates, minlength=n_people) > 0)[:, None]


def _half(
    evidence: EntriesByPerson,
    trust: Float64Array,
    targets: Float64Array,
    others: Float64Array,
    lam: float,
    *,
    own: int,
    other: int,
) -> Float64Array:
    """Return the rows of one side given the other: factors and bias `own`, with constant 1 in `other`."""
    factors = others.copy()
    factors[:, own], factors[:, other] = 1.0, 0.0
    given = evidence.unsorted(others[evidence.others, other])
    rows = np.zeros((len(evidence.indptr) - 1, others.shape[1]))
    found = fold_in(rows, evidence, factors, trust=trust, targets=targets - given, strength=lam)
    found[:, other] = 1.0
    return found
