"""Regularised logistic regression on pairs, in the form that factorises into taste and appeal.

The logit that i likes j is

    intercept + near * nearness_ij + sum_f w_f L_if I_jf + L_i . u + I_j . v   (+ s_i + t_j)

with `w_f = block weight + own deviation`. s and t take up what makes a viewer selective or a
candidate popular beyond their answers, so that ten outcomes of one person are not mistaken for ten
people; they are dropped when the model is applied.

Everything has a normal prior, so the fit is a posterior mode: block weights around usual values, the
rest around 0. Without pairs the fit is the prior.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.features.rows import BlockRows, Matrix
from recsys.models.calibration import Platt
from recsys.models.directed import sigmoid
from recsys.models.labelled_pairs import LabelledPairs

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_FACTR = 1e-7 / float(np.finfo(np.float64).eps)
"""Stop when a step lowers the loss by less than a ten-millionth."""


@dataclass(frozen=True, slots=True)
class Strengths:
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


@dataclass(frozen=True, eq=False)
class PairWeights:
    """Fitted weights on the raw columns.

    products: `(n_columns,)` on `L_if * I_jf`; viewer, candidate: `(n_columns,)` on L_i and I_j.
    """

    intercept: float
    near: float
    products: Floats
    viewer: Floats
    candidate: Floats

    def calibrated(self, line: Platt) -> "PairWeights":
        """Return the weights whose logit is `line` of this one's."""
        return PairWeights(
            intercept=line.slope * self.intercept + line.intercept,
            near=line.slope * self.near,
            products=line.slope * self.products,
            viewer=line.slope * self.viewer,
            candidate=line.slope * self.candidate,
        )


@dataclass(frozen=True, eq=False)
class PairDesign:
    """The numbers behind labelled pairs, gathered and scaled once.

    rows:      of all people; `block_of` `(n_columns,)` says which block a column belongs to.
    near:      `(n_pairs,)` nearness of each pair before its weight.
    usual:     the prior mean: weights that hold when there are no pairs.
    products:  `(n_pairs, n_columns)` float32, `L_if * I_jf`.
    scale_*:   what turns a column into unit variance a block, 0 for a column that never varies.
    """

    rows: BlockRows
    block_of: Integers
    pairs: LabelledPairs
    near: Floats
    usual: PairWeights
    products: Matrix
    scale_block: Floats
    scale_product: Floats
    scale_viewer: Floats
    scale_candidate: Floats

    @classmethod
    def of(
        cls, rows: BlockRows, block_of: Integers, pairs: LabelledPairs, near: Floats, usual: PairWeights
    ) -> "PairDesign":
        """Gather the products of the pairs and measure every scale."""
        products = rows.looks[pairs.viewers]
        products *= rows.is_[pairs.candidates]
        n_blocks = int(block_of.max(initial=-1)) + 1
        scores = _block_sums(products, block_of, n_blocks)
        return cls(
            rows=rows,
            block_of=block_of,
            pairs=pairs,
            near=near,
            usual=usual,
            products=products,
            scale_block=_inverse(scores.std(axis=0) if len(scores) else np.zeros(n_blocks)),
            scale_product=_column_scale(products, block_of, n_blocks),
            scale_viewer=_column_scale(rows.looks[pairs.viewers], block_of, n_blocks),
            scale_candidate=_column_scale(rows.is_[pairs.candidates], block_of, n_blocks),
        )

    def with_weights(self, weights: Floats) -> "PairDesign":
        """Return the same design with other pair weights; 0 leaves a pair out."""
        return replace(self, pairs=replace(self.pairs, weights=weights))

    def logits(self, weights: PairWeights) -> Floats:
        """Return the logit of every pair under `weights`, without what is particular to a person."""
        viewer = self.rows.looks @ weights.viewer.astype(np.float32)
        candidate = self.rows.is_ @ weights.candidate.astype(np.float32)
        return np.asarray(
            weights.intercept
            + weights.near * self.near
            + self.products @ weights.products.astype(np.float32)
            + viewer[self.pairs.viewers]
            + candidate[self.pairs.candidates],
            np.float64,
        )


def _inverse(spread: npt.NDArray[np.floating]) -> Floats:
    values = np.asarray(spread, np.float64)
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 1e-6)


def _block_sums(products: Matrix, block_of: Integers, n_blocks: int) -> Floats:
    """Return each pair's score in each block, `(n_pairs, n_blocks)`."""
    member = (block_of[:, None] == np.arange(n_blocks)[None, :]).astype(np.float32)
    return (products @ member).astype(np.float64)


def _column_scale(values: Matrix, block_of: Integers, n_blocks: int) -> Floats:
    """Return for each column the factor that makes its block's variances sum to 1."""
    if not len(values):
        return np.zeros(len(block_of))
    variance = values.var(axis=0, dtype=np.float64)
    spread = np.sqrt(np.bincount(block_of, variance, n_blocks))
    return np.where(variance > 1e-12, _inverse(spread)[block_of], 0.0)


def fit_pair_logistic(design: PairDesign, strengths: Strengths, start: Floats | None = None) -> "PairFit":
    """Return the weights of highest posterior, found by L-BFGS from `start` (the prior when None)."""
    from scipy.optimize import fmin_l_bfgs_b

    problem = _Problem(design, strengths)
    theta = problem.blank() if start is None else start
    if len(design.pairs) and design.pairs.weights.any():
        theta, _, _ = fmin_l_bfgs_b(problem.loss, theta, factr=_FACTR, pgtol=1e-3, maxiter=200, maxfun=250)
    return PairFit(problem.weights(theta), theta)


@dataclass(frozen=True, eq=False)
class PairFit:
    """Fitted weights, and the scaled parameters from which a further fit can start."""

    weights: PairWeights
    theta: Floats


class _Problem:
    """The penalised loss over scaled parameters: intercept, near, blocks, columns, L, I, people."""

    def __init__(self, design: PairDesign, strengths: Strengths) -> None:
        self.design, self.strengths = design, strengths
        n_columns, n_blocks = len(design.block_of), len(design.scale_block)
        n_people = len(design.rows) if strengths.person > 0 else 0
        sizes = [1, 1, n_blocks, n_columns, n_columns, n_columns, n_people, n_people]
        self.ends = np.cumsum(sizes)[:-1]
        near = float(design.near.var()) if len(design.near) else 0.0
        precision = [1.0, strengths.block * (near or 1.0), strengths.block, strengths.column]
        precision += [strengths.marginal, strengths.marginal, strengths.person, strengths.person]
        self.precision = np.repeat(precision, sizes)

    def blank(self) -> Floats:
        return np.zeros(len(self.precision))

    def weights(self, theta: Floats) -> PairWeights:
        """Return the weights on raw columns."""
        design, usual = self.design, self.design.usual
        intercept, near, block, column, viewer, candidate, _, _ = np.split(theta, self.ends)
        deviation = block[design.block_of] * design.scale_block[design.block_of]
        return PairWeights(
            intercept=usual.intercept + float(intercept[0]),
            near=usual.near + float(near[0]),
            products=usual.products + deviation + column * design.scale_product,
            viewer=usual.viewer + viewer * design.scale_viewer,
            candidate=usual.candidate + candidate * design.scale_candidate,
        )

    def loss(self, theta: Floats) -> tuple[float, Floats]:
        """Return the weighted log-loss with the prior, and its gradient."""
        design, pairs = self.design, self.design.pairs
        n_people, n_blocks = len(design.rows), len(design.scale_block)
        logits = design.logits(self.weights(theta))
        selectivity, popularity = np.split(theta, self.ends)[6:]
        if len(selectivity):
            logits = logits + selectivity[pairs.viewers] + popularity[pairs.candidates]
        losses = np.logaddexp(0.0, logits) - pairs.labels * logits
        residual = pairs.weights * (sigmoid(logits) - pairs.labels)
        by_viewer = np.bincount(pairs.viewers, residual, n_people)
        by_candidate = np.bincount(pairs.candidates, residual, n_people)
        products = np.asarray(residual.astype(np.float32) @ design.products, np.float64)
        gradient = [
            [residual.sum(), residual @ design.near],
            np.bincount(design.block_of, products, n_blocks) * design.scale_block,
            products * design.scale_product,
            (by_viewer.astype(np.float32) @ design.rows.looks) * design.scale_viewer,
            (by_candidate.astype(np.float32) @ design.rows.is_) * design.scale_candidate,
            by_viewer[: len(selectivity)],
            by_candidate[: len(selectivity)],
        ]
        pull = self.precision * theta
        loss = float(pairs.weights @ losses + 0.5 * theta @ pull)
        return loss, np.concatenate([np.asarray(part, np.float64) for part in gradient]) + pull
