"""The registry of metrics: what judges lists and probabilities, and what random order reaches in each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, did_you_mean, explained
from recsys.evaluation.bootstrap import PairMetric, sample_value
from recsys.evaluation.calibration import Ece
from recsys.evaluation.estimates import OnPairs
from recsys.evaluation.market import LABEL
from recsys.evaluation.probability import Auc, Brier, LogLoss
from recsys.evaluation.protocol import AlignedLists, EvaluationData
from recsys.evaluation.ranking import Ndcg, Precision, Recall, TiedRanking, log_discount
from recsys.plugins import load_plugin
from recsys.types import BoolArray, Float64Array, Int64Array

PROBABILITY_METRICS = ("auc", "log_loss", "brier", "ece")
"""Metrics of probabilities, in the order they are given."""
LOWER_IS_BETTER = ("log_loss", "brier", "ece")
"""Errors of probabilities: less is better, and what they are held against is the overall rate."""
SHARE = (0.0, 1.0)
"""The range of everything that is a share or a mean of shares."""
POOLS = ("judged", "everybody")
"""Whom random order draws from, see `pool_sizes`."""
_NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class MetricSpec:
    """One metric: the prepared metric, on how many, what random order reaches, and its range if known."""

    name: str
    metric: PairMetric
    n: int
    random: float
    known_range: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class RandomOrder:
    """Lists of `length` drawn at random from `pool` candidates of whom `relevant` work out.

    All three are `(n_viewers,)`; a list is never longer than its pool.

    >>> shuffled = RandomOrder(relevant=np.array([1]), pool=np.array([4]), length=np.array([4]))
    >>> shuffled.precision(2), shuffled.recall(2), round(shuffled.ndcg(2), 4)
    (0.25, 0.5, 0.4077)
    """

    relevant: Int64Array
    pool: Int64Array
    length: Int64Array

    def _each(self, discount: Float64Array) -> Float64Array:
        """Return the expected gain of each viewer: every place holds a relevant one equally often."""
        upto = np.concatenate([[0.0], np.cumsum(discount)])
        places = np.minimum(np.minimum(self.length, self.pool), len(discount))
        return np.asarray(upto[places] * self.relevant / np.maximum(self.pool, 1))

    def precision(self, k: int) -> float:
        """Return the expected mean precision at `k`."""
        return float(self._each(np.ones(k)).mean() / k)

    def recall(self, k: int) -> float:
        """Return the expected mean recall at `k` over viewers with a relevant candidate."""
        has = self.relevant > 0
        return float((self._each(np.ones(k))[has] / self.relevant[has]).mean()) if has.any() else float("nan")

    def ndcg(self, k: int) -> float:
        """Return the expected mean NDCG at `k` over viewers with a relevant candidate."""
        has, discount = self.relevant > 0, log_discount(k)
        best = np.cumsum(discount)[np.minimum(self.relevant[has], k) - 1]
        return float((self._each(discount)[has] / best).mean()) if has.any() else float("nan")


def pool_sizes(data: EvaluationData, pool: int | str | None, n_everybody: int | None = None) -> Int64Array:
    """Return how many candidates each person could have been shown, `(n_ids,)`.

    A number: so many for each viewer. "judged": the viewer's judged and listed pairs. "everybody": all
    `n_everybody` people but oneself, or all candidates seen without that number. None: "judged" when most
    listed pairs are judged and some did not work, as where given pairs were put in order, else "everybody".
    Raises InputError for another word.
    """
    n_ids = len(data.ids)
    if pool is None:
        listed = np.any([aligned.listed for aligned in data.lists.values()], axis=0)
        mostly = 2 * int((listed & data.known).sum()) >= int(listed.sum())
        pool = "judged" if mostly and not data.truth[data.known].all() else "everybody"
    if not isinstance(pool, str):
        return np.full(n_ids, pool, np.int64)
    if pool not in POOLS:
        raise InputError(explained("unknown pool", got=pool, remedy=did_you_mean(pool, POOLS)))
    if pool == "judged":
        return np.bincount(data.viewer, minlength=n_ids)
    if n_everybody is not None:
        return np.full(n_ids, max(n_everybody - 1, 0), np.int64)
    seen = np.zeros(n_ids, np.int64)
    seen[data.candidate] = 1
    return seen.sum() - seen


def scored_by_all(data: EvaluationData) -> BoolArray:
    """Return the judged pairs of which every model that scores any said something, `(n_pairs,)`.

    Else a model that scores but its surest pairs would be judged on these alone.
    """
    scored = [np.isfinite(aligned.probability) for aligned in data.lists.values()]
    some = [pairs for pairs in scored if pairs.any()]
    return data.known & np.all(some, axis=0) if some else np.zeros(len(data), bool)


def list_metrics(
    data: EvaluationData, aligned: AlignedLists, pools: npt.NDArray[np.int64], ks: Sequence[int]
) -> Iterator[MetricSpec]:
    """Yield precision, recall and NDCG at each k, then the metrics of probabilities."""
    ranked = TiedRanking.of(data.viewer, data.truth, aligned.score)
    viewers = data.viewer[ranked.first_pair]
    relevant = np.bincount(data.viewer, data.truth, minlength=len(pools))[viewers].astype(np.int64)
    length = np.bincount(data.viewer, aligned.listed, minlength=len(pools))[viewers].astype(np.int64)
    shuffled = RandomOrder(relevant, np.maximum(pools[viewers], relevant), length)
    n_with = int((relevant > 0).sum())
    for k in ks:
        yield MetricSpec(f"precision@{k}", Precision(ranked, k), len(viewers), shuffled.precision(k), SHARE)
        yield MetricSpec(f"recall@{k}", Recall(ranked, k), n_with, shuffled.recall(k), SHARE)
        yield MetricSpec(f"ndcg@{k}", Ndcg(ranked, k), n_with, shuffled.ndcg(k), SHARE)
    scored = np.flatnonzero(scored_by_all(data))
    if len(scored) and np.isfinite(aligned.probability[scored]).all():
        for spec in probability_metrics(data.truth[scored], aligned.probability[scored]):
            yield replace(spec, metric=OnPairs(scored, spec.metric))


def probability_metrics(truth: Float64Array, probability: Float64Array) -> Iterator[MetricSpec]:
    """Yield AUC, log loss, Brier score and ECE of aligned outcomes and probabilities `(n,)`.

    Random order is a coin for the AUC and the overall rate, said for every pair, for the others.
    """
    n = len(truth)
    rate = np.full(n, truth.mean()) if n else truth
    yield MetricSpec("auc", Auc.of(truth, probability), n, 0.5, SHARE)
    yield MetricSpec(
        "log_loss",
        LogLoss.of(truth, probability),
        n,
        _rounded(sample_value(LogLoss.of(truth, rate), n)),
        (0.0, np.inf),
    )
    yield MetricSpec(
        "brier", Brier.of(truth, probability), n, _rounded(sample_value(Brier.of(truth, rate), n)), SHARE
    )
    yield MetricSpec("ece", Ece.of(truth, probability), n, 0.0, SHARE)


def _rounded(value: float) -> float:
    """Return 0 for what is 0 but for the rounding of floating point."""
    return 0.0 if abs(value) < _NOISE else value


CustomMetric = Callable[[pd.DataFrame], PairMetric]
"""Takes the judged and listed pairs (viewer_id, candidate_id, label, rank, probability; NaN where a pair
is not judged, not listed, or nothing was scored) and returns a `PairMetric` over them, row by row."""
_SHUFFLES: Final = 20


def custom_metrics(
    metrics: Mapping[str, CustomMetric], data: EvaluationData, aligned: AlignedLists
) -> Iterator[tuple[str, PairMetric, int, float]]:
    """Yield name, metric, number of pairs and what random order reaches, for metrics from outside.

    Random order is the mean over 20 shuffles of ranks and probabilities among each viewer's pairs.

    Raises InputError when a metric prepares nothing callable, or its measure gives no number.
    """
    pairs = custom_metric_table(data, aligned)
    for name, prepare in metrics.items():
        metric = _prepared(name, prepare, pairs)
        rng = np.random.default_rng(0)
        shuffled = [_prepared(name, prepare, _shuffled(pairs, rng)) for _ in range(_SHUFFLES)]
        random = float(np.mean([sample_value(one, len(pairs)) for one in shuffled]))
        yield name, metric, len(pairs), random


def custom_metric_table(data: EvaluationData, aligned: AlignedLists) -> pd.DataFrame:
    """Return what a metric from outside is given, one row a pair."""
    return pd.DataFrame(
        {
            C.VIEWER: data.ids[data.viewer],
            C.CANDIDATE: data.ids[data.candidate],
            LABEL: np.where(data.known, data.truth, np.nan),
            C.RANK: np.where(aligned.listed, -aligned.score, np.nan),
            "probability": aligned.probability,
        }
    )


def plugin_metric(name: str) -> CustomMetric:
    """Return the metric that a plugin registers under a name.

    Raises PluginError when it cannot be used.
    """
    metric: CustomMetric = load_plugin("metrics", name, what="a metric")
    return metric


def _prepared(name: str, prepare: CustomMetric, pairs: pd.DataFrame) -> PairMetric:
    metric = prepare(pairs.copy())
    remedy = "return a function of (viewer_times, candidate_times) that returns one number"
    if not callable(metric):
        got = type(metric).__name__
        raise InputError(explained("a metric prepares nothing callable", where=name, got=got, remedy=remedy))
    scored = sample_value(metric, len(pairs))
    if not isinstance(scored, float | int | np.floating | np.integer):
        raise InputError(explained("a metric gives no number", where=name, got=scored, remedy=remedy))
    return metric


def _shuffled(pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the pairs with what was said of them dealt out anew among each viewer's pairs."""
    order = np.lexsort((rng.random(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    places = np.lexsort((np.arange(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    dealt = {}
    for column in (C.RANK, "probability"):
        dealt[column] = np.empty(len(pairs))
        dealt[column][places] = pairs[column].to_numpy(np.float64)[order]
    return pairs.assign(**dealt)
