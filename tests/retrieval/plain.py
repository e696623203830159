"""The definition: every pair scored in float64, one at a time; no tile, no bound, no kernel."""

import numpy as np

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed
from recsys.models.reciprocal import combine
from recsys.retrieval.reproducible_math import plain_sigmoid
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
