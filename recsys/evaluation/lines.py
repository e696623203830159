"""Which metrics judge lists and probabilities, and what random order reaches in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.evaluation.auc import Auc
from recsys.evaluation.brier import Brier
from recsys.evaluation.ece import Ece
from recsys.evaluation.judged import Judged, Laid, Positions
from recsys.evaluation.log_loss import LogLoss
from recsys.evaluation.measure import Floats, Measure, Times, once
from recsys.evaluation.ndcg import Ndcg
from recsys.evaluation.precision import Precision
from recsys.evaluation.random_order import RandomOrder
from recsys.evaluation.ranked import Ranked
from recsys.evaluation.recall import Recall

PROBABILITY_METRICS = ("auc", "log_loss", "brier", "ece")
"""Metrics of probabilities, in the order they are given."""
SHARE = (0.0, 1.0)
"""The range of everything that is a share or a mean of shares."""
_NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class Line:
    """One metric: how to measure it, on how many, what random order reaches, and its range if known."""

    metric: str
    measure: Measure
    n: int
    random: float
    known_range: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Within:
    """A measure of some of the pairs, asked with the multiplicities of all.

    >>> total = Within(np.array([2]), lambda viewers, candidates: float((viewers * candidates).sum()))
    >>> total(np.array([1, 1, 3]), np.array([1, 1, 2]))
    6.0
    """

    pairs: Positions
    measure: Measure

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the measure of the pairs kept."""
        return self.measure(viewer_times[self.pairs], candidate_times[self.pairs])


def pool_sizes(judged: Judged, pool: int | None) -> npt.NDArray[np.int64]:
    """Return how many candidates each person could have been shown, `(n_ids,)`.

    `pool` for everybody if given; else the judged pairs when all listed pairs are judged; else all
    candidates seen, less oneself.
    """
    n_ids = len(judged.ids)
    if pool is not None:
        return np.full(n_ids, pool, np.int64)
    if judged.known.all():
        return np.bincount(judged.viewer, minlength=n_ids)
    seen = np.zeros(n_ids, np.int64)
    seen[judged.candidate] = 1
    return seen.sum() - seen


def list_lines(judged: Judged, laid: Laid, pools: npt.NDArray[np.int64], ks: Sequence[int]) -> Iterator[Line]:
    """Yield precision, recall and NDCG at each k, then what judges the probabilities said."""
    ranked = Ranked.over(judged.viewer, judged.truth, laid.score)
    viewers = judged.viewer[ranked.first_pair]
    relevant = np.bincount(judged.viewer, judged.truth, minlength=len(pools))[viewers].astype(np.int64)
    length = np.bincount(judged.viewer, laid.listed, minlength=len(pools))[viewers].astype(np.int64)
    shuffled = RandomOrder(relevant, np.maximum(pools[viewers], relevant), length)
    n_with = int((relevant > 0).sum())
    for k in ks:
        yield Line(f"precision@{k}", Precision(ranked, k), len(viewers), shuffled.precision(k), SHARE)
        yield Line(f"recall@{k}", Recall(ranked, k), n_with, shuffled.recall(k), SHARE)
        yield Line(f"ndcg@{k}", Ndcg(ranked, k), n_with, shuffled.ndcg(k), SHARE)
    said = np.flatnonzero(judged.known & np.isfinite(laid.probability))
    if len(said):
        for line in probability_lines(judged.truth[said], laid.probability[said]):
            yield replace(line, measure=Within(said, line.measure))


def probability_lines(truth: Floats, probability: Floats) -> Iterator[Line]:
    """Yield AUC, log loss, Brier score and ECE of aligned outcomes and probabilities `(n,)`.

    Random order is a coin for the AUC and the overall rate, said for every pair, for the others.
    """
    n = len(truth)
    rate = np.full(n, truth.mean()) if n else truth
    yield Line("auc", Auc.over(truth, probability), n, 0.5, SHARE)
    yield Line(
        "log_loss",
        LogLoss.over(truth, probability),
        n,
        _rounded(once(LogLoss.over(truth, rate), n)),
        (0.0, np.inf),
    )
    yield Line("brier", Brier.over(truth, probability), n, _rounded(once(Brier.over(truth, rate), n)), SHARE)
    yield Line("ece", Ece.over(truth, probability), n, 0.0, SHARE)


def _rounded(value: float) -> float:
    """Return 0 for what is 0 but for the rounding of floating point."""
    return 0.0 if abs(value) < _NOISE else value
