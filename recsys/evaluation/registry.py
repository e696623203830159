"""Which metrics judge lists and probabilities, and what random order reaches in each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import Measure, once
from recsys.evaluation.market import LABEL
from recsys.evaluation.probability import Auc, Brier, Ece, LogLoss
from recsys.evaluation.protocol import Judged, Laid
from recsys.evaluation.ranking import Ndcg, Precision, RandomOrder, Ranked, Recall
from recsys.plugins import load_plugin
from recsys.types import Float64Array, IndexArray, Int64Array

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

    pairs: IndexArray
    measure: Measure

    def __call__(self, viewer_times: Int64Array, candidate_times: Int64Array) -> float:
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


def probability_lines(truth: Float64Array, probability: Float64Array) -> Iterator[Line]:
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


OwnMetric = Callable[[pd.DataFrame], Measure]
"""Takes the judged and listed pairs (viewer_id, candidate_id, label, rank, probability; NaN where a pair
is not judged, not listed, or nothing was said) and returns a measure over them, row by row."""
_SHUFFLES: Final = 20


def own_lines(
    metrics: Mapping[str, OwnMetric], judged: Judged, laid: Laid
) -> Iterator[tuple[str, Measure, int, float]]:
    """Yield name, measure, number of pairs and what random order reaches, for metrics from outside.

    Random order is the mean over 20 shuffles of ranks and probabilities among each viewer's pairs.

    Raises InputError when a metric prepares no measure, or its measure gives no number.
    """
    pairs = pairs_of(judged, laid)
    for name, prepare in metrics.items():
        measure = _prepared(name, prepare, pairs)
        rng = np.random.default_rng(0)
        shuffled = [_prepared(name, prepare, _shuffled(pairs, rng)) for _ in range(_SHUFFLES)]
        random = float(np.mean([once(one, len(pairs)) for one in shuffled]))
        yield name, measure, len(pairs), random


def pairs_of(judged: Judged, laid: Laid) -> pd.DataFrame:
    """Return what a metric from outside is given, one row a pair."""
    return pd.DataFrame(
        {
            C.VIEWER: judged.ids[judged.viewer],
            C.CANDIDATE: judged.ids[judged.candidate],
            LABEL: np.where(judged.known, judged.truth, np.nan),
            C.RANK: np.where(laid.listed, -laid.score, np.nan),
            "probability": laid.probability,
        }
    )


def plugin_metric(name: str) -> OwnMetric:
    """Return the metric that a plugin registers under a name.

    Raises PluginError when it cannot be used.
    """
    metric: OwnMetric = load_plugin("metrics", name, what="a metric")
    return metric


def _prepared(name: str, prepare: OwnMetric, pairs: pd.DataFrame) -> Measure:
    measure = prepare(pairs.copy())
    remedy = "return a function of (viewer_times, candidate_times) that returns one number"
    if not callable(measure):
        got = type(measure).__name__
        raise InputError(explained("a metric prepares no measure", where=name, got=got, remedy=remedy))
    said = once(measure, len(pairs))
    if not isinstance(said, float | int | np.floating | np.integer):
        raise InputError(explained("a metric gives no number", where=name, got=said, remedy=remedy))
    return measure


def _shuffled(pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the pairs with what was said of them dealt out anew among each viewer's pairs."""
    order = np.lexsort((rng.random(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    places = np.lexsort((np.arange(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    dealt = {}
    for column in (C.RANK, "probability"):
        dealt[column] = np.empty(len(pairs))
        dealt[column][places] = pairs[column].to_numpy(np.float64)[order]
    return pairs.assign(**dealt)
