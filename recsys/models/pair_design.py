"""The numbers behind labelled pairs: products of the two people's columns, scaled, and their weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.features.base import BlockRows
from recsys.models.calibration import Platt
from recsys.models.training_data import LabelledPairs
from recsys.models.whole_matrix import evenly
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array

PAIRS_AT_ONCE = 8_192
_LEAST = 1e-12
"""A variance below this is none."""
_NEARLY_ALL = 0.8
"""A copy of the rows of fewer people than this share is worth its memory."""
_MEASURED = 12_288
"""Pairs from which the curvature of the loss is measured; it only steers the search."""
_FEATURES_AT_ONCE = 2048


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

    @classmethod
    def mean(cls, several: Sequence["PairWeights"]) -> "PairWeights":
        """Return the weights whose logit is the mean of theirs."""
        return cls(
            intercept=float(np.mean([one.intercept for one in several])),
            distance_decay=float(np.mean([one.distance_decay for one in several])),
            products=np.mean([one.products for one in several], axis=0),
            viewer=np.mean([one.viewer for one in several], axis=0),
            candidate=np.mean([one.candidate for one in several], axis=0),
        )

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
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
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
    for start in range(0, len(values), PAIRS_AT_ONCE):
        part = values[start : start + PAIRS_AT_ONCE].astype(np.float64)
        times = count[start : start + PAIRS_AT_ONCE].astype(np.float64)
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
