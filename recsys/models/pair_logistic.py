"""Regularised logistic regression on pairs, in the form that factorises into taste and appeal.

The logit that i likes j is

    intercept + w * decay_ij + sum_f w_f L_if I_jf + L_i . u + I_j . v   (+ s_i + t_j)

with `w_f = block weight + own deviation`. s and t take up what makes a viewer selective or a
candidate popular beyond their answers, so that ten outcomes of one person are not mistaken for ten
people; they are dropped when the model is applied.

Everything has a normal prior, so the fit is a posterior mode: block weights around usual values, the
rest around 0. Without pairs the fit is the prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.models.logistic_regression import log_losses
from recsys.models.pair_design import PAIRS_AT_ONCE, PairDesign, PairWeights
from recsys.types import Float64Array

_FACTR = 1e-6 / float(np.finfo(np.float64).eps)
"""Stop when a step lowers the loss by less than a millionth: logits are then right to about 0.003."""
_MEMORY = 5
"""Steps L-BFGS remembers: few, because the problem is preconditioned."""
_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Precisions:
    """Precision of each prior, for features scaled to unit variance over pairs.

    block:    of a block's weight around its usual one,
    column:   of each column's own deviation from its block,
    marginal: of each column of the viewer and of the candidate alone,
    person:   of each person's own selectivity and popularity (0 leaves them out).
    """

    block: float
    column: float
    marginal: float
    person: float


def fit_pair_logistic(
    design: PairDesign,
    strengths: Precisions,
    start: Float64Array | None = None,
    *,
    curvature: Float64Array | None = None,
) -> "PairFit":
    """Return the weights of highest posterior, found by L-BFGS from `start` (the prior when None).

    curvature: of `PairDesign.curvature`, when it was measured already; it changes the way, not the end.
    """
    from scipy.optimize import fmin_l_bfgs_b

    if not len(design.pairs) or not design.pairs.weights.any():
        problem = _Problem(design, strengths, None)
        theta = problem.blank()
        return PairFit(problem.weights(theta), theta)
    problem = _Problem(design, strengths, design.curvature() if curvature is None else curvature)
    theta = problem.blank() if start is None else start
    found, _, _ = fmin_l_bfgs_b(
        problem.round_loss, problem.to_round(theta), m=_MEMORY, factr=_FACTR, maxiter=200
    )
    theta = problem.from_round(found)
    return PairFit(problem.weights(theta), theta)


def mean_of_fits(
    design: PairDesign, strengths: Sequence[Precisions], *, curvature: Float64Array | None = None
) -> PairWeights:
    """Return the mean of the weights fitted under each of the priors; each fit starts from the one before."""
    theta, fits = None, []
    for one in strengths:
        fit = fit_pair_logistic(design, one, theta, curvature=curvature)
        theta = fit.theta
        fits.append(fit.weights)
    return PairWeights.mean(fits)


@dataclass(frozen=True, eq=False)
class PairFit:
    """Fitted weights, and the scaled parameters from which a further fit can start."""

    weights: PairWeights
    theta: Float64Array


class _Problem:
    """The penalised loss over scaled parameters: intercept, distance_decay, blocks, columns, L, I, people.

    Features are centred, so that a weight moves no average logit. L-BFGS walks in parameters that make
    the bowl round: the root of the measured curvature for what all people share, and for each person
    the root of their own.
    """

    def __init__(self, design: PairDesign, strengths: Precisions, curvature: Float64Array | None) -> None:
        self.design = design
        n_blocks, n_columns = len(design.scale_block), len(design.block_of)
        with_people = strengths.person > 0
        n_people = [len(design.preferences) * with_people, len(design.attributes) * with_people]
        sizes = [1, 1, n_blocks, n_columns, n_columns, n_columns, *n_people]
        self.ends = np.cumsum(sizes)[:-1]
        distance_decay = strengths.block * (design.variances[0] or 1.0)
        shares = [
            1.0,
            distance_decay,
            strengths.block,
            strengths.column,
            strengths.marginal,
            strengths.marginal,
        ]
        self.precision = np.repeat([*shares, strengths.person, strengths.person], sizes)
        self.n_shared = int(self.ends[5])
        self.root = self._root(curvature)
        weights = design.pairs.weights
        impressions = np.bincount(design.viewer_of, weights, len(design.preferences))[: n_people[0]]
        sampled_rows = np.bincount(design.candidate_of, weights, len(design.attributes))[: n_people[1]]
        own = 0.25 * np.concatenate([impressions, sampled_rows])
        self.step = 1.0 / np.sqrt(own + self.precision[self.n_shared :])

    def _root(self, curvature: Float64Array | None) -> Float64Array:
        """Return the transposed Cholesky factor of the curvature with the prior, or its diagonal root."""
        total, own = self.design.pairs.weights.sum(), self.precision[: self.n_shared]
        if curvature is None:
            return np.sqrt(0.25 * total * np.concatenate([[1.0], self.design.variances]) + own)
        whole = curvature * total
        whole[np.diag_indices_from(whole)] += own
        return np.asarray(np.linalg.cholesky(whole).T, np.float64)

    def from_round(self, rounded: Float64Array) -> Float64Array:
        """Return the scaled parameters of round ones."""
        shared, own = np.split(rounded, [self.n_shared])
        return np.concatenate([self._solved(shared, transposed=False), own * self.step])

    def to_round(self, theta: Float64Array) -> Float64Array:
        """Return the round parameters of scaled ones."""
        shared, own = np.split(theta, [self.n_shared])
        return np.concatenate(
            [self.root @ shared if self.root.ndim > 1 else self.root * shared, own / self.step]
        )

    def round_loss(self, rounded: Float64Array) -> tuple[float, Float64Array]:
        """Return loss and gradient in round parameters."""
        loss, gradient = self.loss(self.from_round(rounded))
        shared, own = np.split(gradient, [self.n_shared])
        return loss, np.concatenate([self._solved(shared, transposed=True), own * self.step])

    def _solved(self, shared: Float64Array, *, transposed: bool) -> Float64Array:
        from scipy.linalg import solve_triangular

        if self.root.ndim == 1:
            return shared / self.root
        return np.asarray(
            solve_triangular(self.root, shared, trans="T" if transposed else "N", check_finite=False),
            np.float64,
        )

    def blank(self) -> Float64Array:
        return np.zeros(len(self.precision))

    def weights(self, theta: Float64Array) -> PairWeights:
        """Return the weights on raw columns."""
        design, usual = self.design, self.design.usual
        intercept, distance_decay, block, column, viewer, candidate, _, _ = np.split(theta, self.ends)
        deviation = block[design.block_of] * design.scale_block[design.block_of]
        products = deviation + column * design.scale_product
        viewer, candidate = viewer * design.scale_viewer, candidate * design.scale_candidate
        moved = np.concatenate([distance_decay, products, viewer, candidate]) @ design.means
        return PairWeights(
            intercept=usual.intercept + float(intercept[0] - moved),
            distance_decay=usual.distance_decay + float(distance_decay[0]),
            products=usual.products + products,
            viewer=usual.viewer + viewer,
            candidate=usual.candidate + candidate,
        )

    def loss(self, theta: Float64Array) -> tuple[float, Float64Array]:
        """Return the weighted log-loss with the prior, and its gradient."""
        design, pairs, n_blocks = self.design, self.design.pairs, len(self.design.scale_block)
        weights = self.weights(theta)
        logits = design.logits(replace(weights, products=_NONE))
        selectivity, popularity = np.split(theta, self.ends)[6:]
        if len(selectivity):
            logits += selectivity[design.viewer_of]
            logits += popularity[design.candidate_of]
        by_product, total = weights.products.astype(np.float32), 0.0
        residual, of_products = np.empty(len(pairs)), np.zeros(len(design.block_of))
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            multiplied = design.products[part]  # read once for the logits and for the slope
            losses, p = log_losses(logits[part] + multiplied @ by_product, pairs.labels[part])
            total += float(pairs.weights[part] @ losses)
            residual[part] = pairs.weights[part] * (p - pairs.labels[part])
            of_products += residual[part].astype(np.float32) @ multiplied
        by_viewer = np.bincount(design.viewer_of, residual, len(design.preferences))
        by_candidate = np.bincount(design.candidate_of, residual, len(design.attributes))
        raw = np.concatenate(
            [
                [residual @ design.distance_decay],
                of_products,
                by_viewer.astype(np.float32) @ design.preferences,
                by_candidate.astype(np.float32) @ design.attributes,
            ]
        )
        distance_decay, products, viewer, candidate = self._parts(raw - residual.sum() * design.means)
        gradient = [
            [residual.sum()],
            distance_decay,
            np.bincount(design.block_of, products, n_blocks) * design.scale_block,
            products * design.scale_product,
            viewer * design.scale_viewer,
            candidate * design.scale_candidate,
            by_viewer[: len(selectivity)],
            by_candidate[: len(popularity)],
        ]
        pull = self.precision * theta
        loss = total + 0.5 * float(theta @ pull)
        return loss, np.concatenate([np.asarray(part, np.float64) for part in gradient]) + pull

    def _parts(self, values: Float64Array) -> list[Float64Array]:
        n_columns = len(self.design.block_of)
        return np.split(values, np.cumsum([1, n_columns, n_columns]))
