"""Oracles of the kernels in numpy: every pair scored in float64, one at a time; no tile, no bound."""

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed
from recsys.models.reciprocal import combine
from recsys.retrieval.reproducible_math import (
    _LIFT,
    _LIFTED,
    _LOG2_HIGH,
    _LOG2_LOW,
    _LOW,
    _LOWEST,
    _PER_LOG2,
    _SERIES,
    LANES,
)
from recsys.types import Float32Array, Float64Array, Int16Array, Int32Array
from tests.constraints.plain_masks import plain_may_show


def plain_logits(directed: Directed) -> np.ndarray:
    """Logit of everybody for everybody, `(n, n)`: sixteen sums of products, then eight, added as a tree."""
    taste, appeal = directed.taste.astype(np.float64), directed.appeal.astype(np.float64)
    lanes = np.zeros((16, len(taste), len(taste)))
    for f in range(taste.shape[1]):
        lanes[f % 16] += taste[:, None, f] * appeal[None, :, f]
    a, b, c, d, e, f, g, h = lanes[:8] + lanes[8:]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    if directed.distance_decay is not None:
        total += directed.distance_decay.matrix(directed.cell, directed.cell).astype(np.float64)
    return total


def plain_scores(directed: Directed, how: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(score, p, q), each `(n, n)`."""
    x = plain_logits(directed)
    p = plain_sigmoid(x)
    score = plain_sigmoid(x + x.T) if how == "cross_ratio" else combine(p, p.T, how)
    return score, p, p.T


def plain_top_k(
    directed: Directed,
    compiled: Compiled,
    viewer: int,
    k: int,
    how: str = "product",
    shown: np.ndarray | None = None,
) -> tuple[list[int], np.ndarray]:
    """The candidates of one viewer, best first, and their scores."""
    score = plain_scores(directed, how)[0][viewer]
    n = compiled.n_people
    may = plain_may_show(compiled, np.full(n, viewer), np.arange(n)) if shown is None else shown
    order = sorted(np.flatnonzero(may).tolist(), key=lambda row: (-score[row], row))[:k]
    return order, score[order]


def plain_multiply(
    mine: Int16Array, theirs: Int16Array, columns: Int32Array, unit: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """Return (x, y) by numpy: the definition."""
    my_taste, my_appeal = np.split(mine.astype(np.int64), 2)
    their_taste, their_appeal = np.split(theirs[columns].astype(np.int64), 2, axis=1)
    sums = their_appeal @ my_taste, their_taste @ my_appeal
    return sums[0].astype(np.float32) * unit[0], sums[1].astype(np.float32) * unit[1]


def plain_sum(x: Float32Array, y: Float32Array) -> float:
    """Return the same sum by numpy: the definition.

    >>> plain_sum(np.ones(16, np.float32), np.arange(16, dtype=np.float32))
    120.0
    """
    lanes = np.zeros(LANES)
    for terms in (x.astype(np.float64) * y.astype(np.float64)).reshape(-1, LANES):
        lanes += terms
    lanes = lanes[: (LANES // 2)] + lanes[(LANES // 2) :]
    while len(lanes) > 1:
        lanes = lanes[::2] + lanes[1::2]
    return float(lanes[0])


def plain_sigmoid(x: npt.ArrayLike) -> Float64Array:
    """Return the same sigmoids by numpy: the definition.

    >>> plain_sigmoid([0.0, 1000.0]).tolist()
    [0.5, 1.0]
    """
    x = np.asarray(x, np.float64)
    low = -np.abs(x) < _LOW
    z = np.maximum(-np.abs(x), _LOWEST) + np.where(low, _LIFT, 0.0)
    n = np.rint(z * _PER_LOG2)
    r = (z - n * _LOG2_HIGH) - n * _LOG2_LOW
    series = np.full(x.shape, _SERIES[0])
    for term in _SERIES[1:]:
        series = series * r + term
    small = np.ldexp((series * r + 1.0) * r + 1.0, n.astype(int)) * np.where(low, _LIFTED, 1.0)
    return np.where(x >= 0, 1.0, small) / (1.0 + small)
