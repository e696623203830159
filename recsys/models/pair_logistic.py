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
_PAIRS_AT_ONCE = 16_384
_LEAST = 1e-12
"""A variance below this is none."""


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
    means:     over pairs, of nearness, products, L_i and I_j, `(1 + 3 * n_columns,)`.
    variances: over pairs, of nearness, block scores, products, L_i and I_j, all but the first scaled.
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
    means: Floats
    variances: Floats

    @classmethod
    def of(
        cls,
        rows: BlockRows,
        block_of: Integers,
        pairs: LabelledPairs,
        near: Floats,
        usual: PairWeights,
        *,
        together: npt.NDArray[np.bool_] | None = None,
    ) -> "PairDesign":
        """Gather the products of the pairs and measure every scale.

        together: `(n_columns,)` the columns that count only together with the other person's.
        """
        n_blocks, n_people = int(block_of.max(initial=-1)) + 1, len(rows)
        products = _products(rows, pairs)
        moments = [
            _moments(products, np.ones(len(pairs))),
            _moments(rows.looks, np.bincount(pairs.viewers, minlength=n_people)),
            _moments(rows.is_, np.bincount(pairs.candidates, minlength=n_people)),
        ]
        near_mean, near_variance = _moments(near[:, None], np.ones(len(pairs)))
        block_variance = _block_variance(products, block_of, n_blocks)
        scales = [_column_scale(variance, block_of, n_blocks) for _, variance in moments]
        if together is not None:
            scales[1:] = [np.where(together, 0.0, scale) for scale in scales[1:]]
        scaled = [variance * scale**2 for (_, variance), scale in zip(moments, scales, strict=True)]
        return cls(
            rows=rows,
            block_of=block_of,
            pairs=pairs,
            near=near,
            usual=usual,
            products=products,
            scale_block=_inverse_root(block_variance),
            scale_product=scales[0],
            scale_viewer=scales[1],
            scale_candidate=scales[2],
            means=np.concatenate([near_mean, *(mean for mean, _ in moments)]),
            variances=np.concatenate([near_variance, block_variance > _LEAST, *scaled]),
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


def _products(rows: BlockRows, pairs: LabelledPairs) -> Matrix:
    """Return `L_if * I_jf` of every pair, `(n_pairs, n_columns)`."""
    products = np.empty((len(pairs), rows.n_columns), np.float32)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        np.multiply(rows.looks[pairs.viewers[part]], rows.is_[pairs.candidates[part]], out=products[part])
    return products


def _moments(values: npt.NDArray[np.floating], count: npt.NDArray[np.number]) -> tuple[Floats, Floats]:
    """Return mean and variance of each column, row r counted `count[r]` times; 0 without rows."""
    total = max(float(count.sum()), 1.0)
    sums, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for start in range(0, len(values), _PAIRS_AT_ONCE):
        part = values[start : start + _PAIRS_AT_ONCE].astype(np.float64)
        times = count[start : start + _PAIRS_AT_ONCE].astype(np.float64)
        sums += times @ part
        squares += times @ part**2
    mean = sums / total
    return mean, np.maximum(squares / total - mean**2, 0.0)


def _block_variance(products: Matrix, block_of: Integers, n_blocks: int) -> Floats:
    """Return the variance over pairs of each block's pair score, `(n_blocks,)`."""
    member = (block_of[:, None] == np.arange(n_blocks)[None, :]).astype(np.float32)
    return _moments(products @ member, np.ones(len(products)))[1]


def _inverse_root(variance: Floats) -> Floats:
    """Return `1 / sqrt(variance)`, and 0 for what never varies."""
    return np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=variance > _LEAST)


def _column_scale(variance: Floats, block_of: Integers, n_blocks: int) -> Floats:
    """Return for each column the factor that makes its block's variances sum to 1."""
    whole = np.asarray(np.bincount(block_of, variance, n_blocks), np.float64)
    return np.where(variance > _LEAST, _inverse_root(whole)[block_of], 0.0)


def fit_pair_logistic(design: PairDesign, strengths: Strengths, start: Floats | None = None) -> "PairFit":
    """Return the weights of highest posterior, found by L-BFGS from `start` (the prior when None)."""
    from scipy.optimize import fmin_l_bfgs_b

    problem = _Problem(design, strengths)
    theta = problem.blank() if start is None else start
    if len(design.pairs) and design.pairs.weights.any():
        scaled, _, _ = fmin_l_bfgs_b(problem.scaled_loss, theta / problem.step, factr=_FACTR, maxiter=200)
        theta = scaled * problem.step
    return PairFit(problem.weights(theta), theta)


@dataclass(frozen=True, eq=False)
class PairFit:
    """Fitted weights, and the scaled parameters from which a further fit can start."""

    weights: PairWeights
    theta: Floats


class _Problem:
    """The penalised loss over scaled parameters: intercept, near, blocks, columns, L, I, people.

    Features are centred, so that a weight moves no average logit, and parameters are divided by the
    root of their curvature at even odds, so that L-BFGS sees a round bowl.
    """

    def __init__(self, design: PairDesign, strengths: Strengths) -> None:
        self.design = design
        n_blocks, n_columns = len(design.scale_block), len(design.block_of)
        n_people = len(design.rows) if strengths.person > 0 else 0
        sizes = [1, 1, n_blocks, n_columns, n_columns, n_columns, n_people, n_people]
        self.ends = np.cumsum(sizes)[:-1]
        near = strengths.block * (design.variances[0] or 1.0)
        shares = [1.0, near, strengths.block, strengths.column, strengths.marginal, strengths.marginal]
        self.precision = np.repeat([*shares, strengths.person, strengths.person], sizes)
        self.step = 1.0 / np.sqrt(self._curvature(n_people) + self.precision)

    def _curvature(self, n_people: int) -> Floats:
        """Return the curvature of the loss in each parameter when every probability is one half."""
        design, pairs = self.design, self.design.pairs
        total = pairs.weights.sum()
        looks = np.bincount(pairs.viewers, pairs.weights, len(design.rows))[:n_people]
        looked_at = np.bincount(pairs.candidates, pairs.weights, len(design.rows))[:n_people]
        return 0.25 * np.concatenate([[total], total * design.variances, looks, looked_at])

    def blank(self) -> Floats:
        return np.zeros(len(self.precision))

    def weights(self, theta: Floats) -> PairWeights:
        """Return the weights on raw columns."""
        design, usual = self.design, self.design.usual
        intercept, near, block, column, viewer, candidate, _, _ = np.split(theta, self.ends)
        deviation = block[design.block_of] * design.scale_block[design.block_of]
        products = deviation + column * design.scale_product
        viewer, candidate = viewer * design.scale_viewer, candidate * design.scale_candidate
        moved = np.concatenate([near, products, viewer, candidate]) @ design.means
        return PairWeights(
            intercept=usual.intercept + float(intercept[0] - moved),
            near=usual.near + float(near[0]),
            products=usual.products + products,
            viewer=usual.viewer + viewer,
            candidate=usual.candidate + candidate,
        )

    def scaled_loss(self, scaled: Floats) -> tuple[float, Floats]:
        """Return loss and gradient in parameters divided by `step`."""
        loss, gradient = self.loss(scaled * self.step)
        return loss, gradient * self.step

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
        raw = np.concatenate(
            [
                [residual @ design.near],
                residual.astype(np.float32) @ design.products,
                by_viewer.astype(np.float32) @ design.rows.looks,
                by_candidate.astype(np.float32) @ design.rows.is_,
            ]
        )
        near, products, viewer, candidate = self._parts(raw - residual.sum() * design.means)
        gradient = [
            [residual.sum()],
            near,
            np.bincount(design.block_of, products, n_blocks) * design.scale_block,
            products * design.scale_product,
            viewer * design.scale_viewer,
            candidate * design.scale_candidate,
            by_viewer[: len(selectivity)],
            by_candidate[: len(selectivity)],
        ]
        pull = self.precision * theta
        loss = float(pairs.weights @ losses + 0.5 * theta @ pull)
        return loss, np.concatenate([np.asarray(part, np.float64) for part in gradient]) + pull

    def _parts(self, values: Floats) -> list[Floats]:
        n_columns = len(self.design.block_of)
        return np.split(values, np.cumsum([1, n_columns, n_columns]))
