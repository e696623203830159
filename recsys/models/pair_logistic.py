"""Regularised logistic regression on pairs, in the form that factorises into taste and appeal.

The logit that i likes j is

    intercept + w * decay_ij + sum_f w_f L_if I_jf + L_i . u + I_j . v   (+ s_i + t_j)

with `w_f = block weight + own deviation`. s and t take up what makes a viewer selective or a
candidate popular beyond their answers, so that ten outcomes of one person are not mistaken for ten
people; they are dropped when the model is applied.

Everything has a normal prior, so the fit is a posterior mode: block weights around usual values, the
rest around 0. Without pairs the fit is the prior.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.features.base import BlockRows
from recsys.models.calibration import Platt
from recsys.models.logistic_regression import log_losses
from recsys.models.training_data import LabelledPairs
from recsys.models.whole_matrix import evenly
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array

_FACTR = 1e-6 / float(np.finfo(np.float64).eps)
"""Stop when a step lowers the loss by less than a millionth: logits are then right to about 0.003."""
_MEMORY = 5
"""Steps L-BFGS remembers: few, because the problem is preconditioned."""
_PAIRS_AT_ONCE = 8_192
_NONE = np.zeros(0)
_LEAST = 1e-12
"""A variance below this is none."""
_NEARLY_ALL = 0.8
"""A copy of the rows of fewer people than this share is worth its memory."""
_MEASURED = 12_288
"""Pairs from which the curvature of the loss is measured; it only steers the search."""
_FEATURES_AT_ONCE = 2048


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


@dataclass(frozen=True, eq=False)
class PairWeights:
    """Fitted weights on the raw columns.

    products: `(n_columns,)` on `L_if * I_jf`; viewer, candidate: `(n_columns,)` on L_i and I_j.
    """

    intercept: float
    distance_decay: float
    products: Float64Array
    viewer: Float64Array
    candidate: Float64Array

    def calibrated(self, line: Platt) -> "PairWeights":
        """Return the weights whose logit is `line` of this one's."""
        return PairWeights(
            intercept=line.slope * self.intercept + line.intercept,
            distance_decay=line.slope * self.distance_decay,
            products=line.slope * self.products,
            viewer=line.slope * self.viewer,
            candidate=line.slope * self.candidate,
        )


@dataclass(frozen=True, eq=False)
class PairDesign:
    """The numbers behind labelled pairs, gathered and scaled once.

    preferences: `(n_viewers, n_columns)` float32 of the viewers; `viewer_of` `(n_pairs,)` says who.
    attributes: `(n_candidates, n_columns)` float32 of the candidates, with `candidate_of`.
    block_of:  `(n_columns,)` which block a column belongs to.
    distance_decay: `(n_pairs,)` distance decay of each pair before its weight.
    usual:     the prior mean: weights that hold when there are no pairs.
    products:  `(n_pairs, n_columns)` float32, `L_if * I_jf`.
    scale_*:   what turns a column into unit variance a block, 0 for a column that never varies.
    means:     over pairs, of distance decay, products, L_i and I_j, `(1 + 3 * n_columns,)`.
    variances: over pairs, of distance decay, block scores, products, L_i and I_j, all but the first scaled.
    """

    preferences: Float32Array
    attributes: Float32Array
    viewer_of: Int64Array
    candidate_of: Int64Array
    block_of: Int64Array
    pairs: LabelledPairs
    distance_decay: Float64Array
    usual: PairWeights
    products: Float32Array
    scale_block: Float64Array
    scale_product: Float64Array
    scale_viewer: Float64Array
    scale_candidate: Float64Array
    means: Float64Array
    variances: Float64Array

    @classmethod
    def of(
        cls,
        rows: BlockRows,
        block_of: Int64Array,
        pairs: LabelledPairs,
        distance_decay: Float64Array,
        usual: PairWeights,
        *,
        together: npt.NDArray[np.bool_] | None = None,
    ) -> "PairDesign":
        """Gather the products of the pairs and measure every scale.

        together: `(n_columns,)` the columns that count only together with the other person's.
        """
        n_blocks = int(block_of.max(initial=-1)) + 1
        products = _products(rows, pairs)
        preferences, viewer_of = _of_those(rows.preferences, pairs.viewers)
        attributes, candidate_of = _of_those(rows.attributes, pairs.candidates)
        moments = [
            _moments(products, np.ones(len(pairs))),
            _moments(preferences, np.bincount(viewer_of, minlength=len(preferences))),
            _moments(attributes, np.bincount(candidate_of, minlength=len(attributes))),
        ]
        decay_mean, decay_variance = _moments(distance_decay[:, None], np.ones(len(pairs)))
        block_variance = _block_variance(products, block_of, n_blocks)
        scales = [_column_scale(variance, block_of, n_blocks) for _, variance in moments]
        if together is not None:
            scales[1:] = [np.where(together, 0.0, scale) for scale in scales[1:]]
        scaled = [variance * scale**2 for (_, variance), scale in zip(moments, scales, strict=True)]
        return cls(
            preferences=preferences,
            attributes=attributes,
            viewer_of=viewer_of,
            candidate_of=candidate_of,
            block_of=block_of,
            pairs=pairs,
            distance_decay=distance_decay,
            usual=usual,
            products=products,
            scale_block=_inverse_root(block_variance),
            scale_product=scales[0],
            scale_viewer=scales[1],
            scale_candidate=scales[2],
            means=np.concatenate([decay_mean, *(mean for mean, _ in moments)]),
            variances=np.concatenate([decay_variance, block_variance > _LEAST, *scaled]),
        )

    def curvature(self) -> Float64Array | None:
        """Return the mean curvature of the loss in what all people share, when every chance is one half.

        From at most 12,288 pairs, evenly spaced; None when there are fewer pairs than parameters.
        """
        n_parameters = 1 + len(self.variances)
        if len(self.pairs) < n_parameters:
            return None
        at = evenly(len(self.pairs), _MEASURED)
        parts = [at[start : start + _FEATURES_AT_ONCE] for start in range(0, len(at), _FEATURES_AT_ONCE)]
        features = np.concatenate([self.features(part).astype(np.float32) for part in parts])
        return np.asarray(0.25 * (features.T @ features), np.float64) / len(at)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "PairDesign":
        """Return the same design over some of the pairs; scales and means stay."""
        return replace(
            self,
            viewer_of=self.viewer_of[chosen],
            candidate_of=self.candidate_of[chosen],
            pairs=self.pairs.take(chosen),
            distance_decay=self.distance_decay[chosen],
            products=self.products[chosen],
        )

    def logits(self, weights: PairWeights) -> Float64Array:
        """Return the logit of every pair under `weights`, without what is particular to a person.

        Without weights of products, the rest of the logit.
        """
        viewer = self.preferences @ weights.viewer.astype(np.float32)
        candidate = self.attributes @ weights.candidate.astype(np.float32)
        logits = weights.intercept + weights.distance_decay * self.distance_decay
        if len(weights.products):
            logits += self.products @ weights.products.astype(np.float32)
        logits += viewer[self.viewer_of]
        logits += candidate[self.candidate_of]
        return np.asarray(logits, np.float64)

    def features(self, pairs: Int64Array) -> Float64Array:
        """Return what the parameters multiply: 1, distance decay, blocks, products, L and I of some pairs.

        Scaled and centred, `(len(pairs), n_parameters)`, without what is particular to a person.
        """
        products = self.products[pairs].astype(np.float64) - self._mean("products")
        member = self.block_of[:, None] == np.arange(len(self.scale_block))[None, :]
        return np.hstack(
            [
                np.ones((len(pairs), 1)),
                self.distance_decay[pairs, None] - self.means[0],
                (products @ member) * self.scale_block,
                products * self.scale_product,
                (self.preferences[self.viewer_of[pairs]] - self._mean("viewer")) * self.scale_viewer,
                (self.attributes[self.candidate_of[pairs]] - self._mean("candidate")) * self.scale_candidate,
            ]
        )

    def _mean(self, part: str) -> Float64Array:
        n_columns = len(self.block_of)
        start = 1 + n_columns * ("products", "viewer", "candidate").index(part)
        return self.means[start : start + n_columns]


def _of_those(matrix: Float32Array, rows: Int32Array) -> tuple[Float32Array, Int64Array]:
    """Return the rows of those who occur, and where each occurrence is among them."""
    who, at = np.unique(rows, return_inverse=True)
    most = len(who) > _NEARLY_ALL * len(matrix)
    return (matrix, rows.astype(np.int64)) if most else (matrix[who], at.astype(np.int64))


def _products(rows: BlockRows, pairs: LabelledPairs) -> Float32Array:
    """Return `L_if * I_jf` of every pair, `(n_pairs, n_columns)`."""
    products = np.empty((len(pairs), rows.n_columns), np.float32)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        np.multiply(
            rows.preferences[pairs.viewers[part]], rows.attributes[pairs.candidates[part]], out=products[part]
        )
    return products


def _moments(
    values: npt.NDArray[np.floating], count: npt.NDArray[np.number]
) -> tuple[Float64Array, Float64Array]:
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


def _block_variance(products: Float32Array, block_of: Int64Array, n_blocks: int) -> Float64Array:
    """Return the variance over pairs of each block's pair score, `(n_blocks,)`."""
    member = (block_of[:, None] == np.arange(n_blocks)[None, :]).astype(np.float32)
    return _moments(products @ member, np.ones(len(products)))[1]


def _inverse_root(variance: Float64Array) -> Float64Array:
    """Return `1 / sqrt(variance)`, and 0 for what never varies."""
    return np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=variance > _LEAST)


def _column_scale(variance: Float64Array, block_of: Int64Array, n_blocks: int) -> Float64Array:
    """Return for each column the factor that makes its block's variances sum to 1."""
    whole = np.asarray(np.bincount(block_of, variance, n_blocks), np.float64)
    return np.where(variance > _LEAST, _inverse_root(whole)[block_of], 0.0)


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
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
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
