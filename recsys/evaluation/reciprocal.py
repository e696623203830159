"""Joint metrics of both sides: what the lists of the two people of a match do for it together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.errors import SettingsError, explained
from recsys.evaluation.bootstrap import Influence, PairMetric
from recsys.evaluation.market import LABEL
from recsys.evaluation.ranking import Ndcg, TiedRanking
from recsys.evaluation.registry import CustomMetric
from recsys.types import BoolArray, Float64Array, Int64Array

_PAIR: Final = [C.VIEWER, C.CANDIDATE]


@checked_arguments
def reciprocal_metrics(k: int | Sequence[int] = 10) -> Mapping[str, CustomMetric]:
    """Return the joint metrics of both sides at each `k`, for `compare(..., metrics=reciprocal_metrics(10))`.

    A match is a pair whose two directions both have label 1 in the truth, as those of `mutual_labels`. With
    lists of `k` places for every judged viewer, all in [0, 1]:

    crecall@k, cprecision@k: matches on the list of at least one of the two, as a share of all matches and of
                             all places: coverage, in which a match on both lists counts once.
    srecall@k:    matches on both lists, as a share of all matches: stability, nobody waits to be found.
    sprecision@k: places taken by matches that are on both lists, as a share of all places.
    rndcg@k:      NDCG of the matches, the mean over all viewers of both sides who have one.

    Source: Yang, Dai, Hou, Zhao, Xu, Song and Zhu, "Revisiting reciprocal recommender systems: metrics,
    formulation, and method", KDD 2024. Their code doubles srecall, so that its most is 2; here it is 1.
    Raises SettingsError for a k below 1.

    >>> said = [("a", "b", 1), ("b", "a", 1), ("a", "c", 0)]
    >>> truth = pd.DataFrame(said, columns=["viewer_id", "candidate_id", "label"])
    >>> lists = {"one side": truth.head(1).assign(rank=1), "both": truth.head(2).assign(rank=1)}
    >>> from recsys.evaluation import compare
    >>> table = compare(lists, truth, k=1, metrics=reciprocal_metrics(1)).set_index(["metric", "model"])
    >>> table.loc[["crecall@1", "srecall@1", "sprecision@1"], "value"].tolist()
    [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    """
    lengths = [k] if isinstance(k, int) else list(k)
    for one in lengths:
        if one < 1:
            raise SettingsError(explained("must be a whole number from 1", where="k", got=one))
    metrics: dict[str, CustomMetric] = {}
    for one in lengths:
        metrics |= {
            f"crecall@{one}": partial(_matches, k=one, share_of="matches", both=False),
            f"cprecision@{one}": partial(_matches, k=one, share_of="places", both=False),
            f"srecall@{one}": partial(_matches, k=one, share_of="matches", both=True),
            f"sprecision@{one}": partial(_matches, k=one, share_of="places", both=True),
            f"rndcg@{one}": partial(_rndcg, k=one),
        }
    return metrics


@dataclass(frozen=True, eq=False)
class PairRatio:
    """A sum over pairs divided by another, NaN where that is 0.

    numerator, denominator: `(n_pairs,)` of 0 or more.

    >>> PairRatio(np.array([1.0, 0.0]), np.ones(2))(np.ones(2, np.int64), np.ones(2, np.int64))
    0.5
    """

    numerator: Float64Array
    denominator: Float64Array

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the ratio when viewers and candidates count so often."""
        times = viewer_counts * candidate_counts
        total = float(times @ self.denominator)
        return float(times @ self.numerator) / total if total else float("nan")

    def influence(self) -> Influence:
        """Return by how much each pair moves the ratio."""
        total = float(self.denominator.sum()) or 1.0
        ratio = float(self.numerator.sum()) / total
        return Influence((self.numerator - ratio * self.denominator) / total, self.denominator / total)


def _matches(pairs: pd.DataFrame, k: int, *, share_of: str, both: bool) -> PairMetric:
    """Return matches on one list or on both, as a share of all matches or of all places."""
    is_match, own = _is_match(pairs), (pairs[C.RANK] <= k).to_numpy(bool)
    back = _of_the_other(pairs, own.astype(np.float64)) > 0
    hits = (is_match & (own & back if both else own | back)).astype(np.float64)
    if share_of == "matches":
        return PairRatio(hits, is_match.astype(np.float64))
    # a match stands in two rows; on both lists it takes two places
    counted = hits if both else hits / 2.0
    places = k / pairs.groupby(C.VIEWER)[C.VIEWER].transform("size").to_numpy(np.float64)
    return PairRatio(counted, places)


def _rndcg(pairs: pd.DataFrame, k: int) -> PairMetric:
    rank = pairs[C.RANK].to_numpy(np.float64)
    score = np.where(np.isnan(rank), -np.inf, -rank)
    viewer = pd.factorize(pairs[C.VIEWER])[0]
    return Ndcg(TiedRanking.of(viewer, _is_match(pairs).astype(np.float64), score), k)


def _is_match(pairs: pd.DataFrame) -> BoolArray:
    """Say which pairs, in either direction, both people said yes to, `(n_pairs,)`."""
    label = pairs[LABEL].to_numpy(np.float64)
    return (label > 0) & (_of_the_other(pairs, label) > 0)


def _of_the_other(pairs: pd.DataFrame, values: Float64Array) -> Float64Array:
    """Return the value of the other direction of each pair, NaN where it is not there, `(n_pairs,)`."""
    known = pd.Series(values, index=pd.MultiIndex.from_frame(pairs[_PAIR]))
    back = pd.MultiIndex.from_frame(pairs[_PAIR[::-1]])
    return np.asarray(known.reindex(back), np.float64)
