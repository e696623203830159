"""Ranking metrics at k: NDCG, precision, recall, and their expectation under random order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.arguments import checked_arguments
from recsys.data.examination import LOGARITHMIC_EXAMINATION
from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import Influence, sample_value
from recsys.evaluation.probability import outcomes, scores
from recsys.types import BoolArray, Float64Array, IndexArray, Int64Array


@dataclass(frozen=True, eq=False)
class TiedRanking:
    """Pairs sorted by viewer, then score (highest first), with equal scores in one group.

    A score of minus infinity means "not on the list": the pair can be missed but takes no place.
    Equal scores share their places: each gets the mean gain of the places the group takes, which is
    the expectation over all orders of the group (F. McSherry and M. Najork, "Computing information
    retrieval performance measures efficiently in the presence of tied scores", ECIR 2008, 414-421).
    A candidate that counts m times takes m places.

    order:       `(n_pairs,)` positions in the arrays given.
    group_start: `(n_groups,)` first place in `order` of each group of equal scores of one viewer.
    viewer_start:`(n_viewers,)` first group of each viewer.
    first_pair:  `(n_viewers,)` a position in the arrays given that belongs to the viewer.
    """

    order: npt.NDArray[np.intp]
    group_start: npt.NDArray[np.intp]
    viewer_start: npt.NDArray[np.intp]
    first_pair: npt.NDArray[np.intp]
    truth: Float64Array
    listed: npt.NDArray[np.bool_]
    n_candidates: npt.NDArray[np.int64]

    @classmethod
    def of(cls, viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike) -> "TiedRanking":
        """Prepare pairs given as viewer `(n,)` (any sortable label), outcome 0 or 1, and score `(n,)`."""
        labels = np.asarray(viewer).reshape(-1)
        known = outcomes(truth)
        values = scores(score, len(known))
        if len(labels) != len(known):
            raise InputError(
                explained("viewers and outcomes differ in number", got=f"{len(labels)} and {len(known)}")
            )
        code = np.unique(labels, return_inverse=True)[1]
        order = np.lexsort((-values, code))
        code, ordered = code[order], values[order]
        new_viewer, new_group = np.ones(len(code), bool), np.ones(len(code), bool)
        new_viewer[1:] = code[1:] != code[:-1]
        new_group[1:] = new_viewer[1:] | (ordered[1:] != ordered[:-1])
        starts = np.flatnonzero(new_viewer)
        return cls(
            order=order,
            group_start=np.flatnonzero(new_group),
            viewer_start=np.flatnonzero(new_viewer[new_group]),
            first_pair=order[starts],
            truth=known[order].astype(np.int64),
            listed=(ordered > -np.inf)[new_group],
            n_candidates=np.diff(starts, append=len(code)),
        )

    def gains(self, candidate_counts: Int64Array, discount: Float64Array) -> tuple[Float64Array, Int64Array]:
        """Return each viewer's gain and number of relevant candidates, both `(n_viewers,)`.

        `discount` `(k,)` is what a relevant candidate in place 1..k is worth; later places are worth 0.
        """
        if not len(self.order):
            return np.zeros(0), np.zeros(0, np.int64)
        k = len(discount)
        upto = np.concatenate([[0.0], np.cumsum(discount)])
        times = candidate_counts[self.order]
        size = np.add.reduceat(times, self.group_start)
        relevant = np.add.reduceat(times * self.truth, self.group_start)
        end = np.cumsum(size)
        before = (end - size)[self.viewer_start]
        end -= np.repeat(before, np.diff(self.viewer_start, append=len(size)))
        worth = upto[np.minimum(end, k)] - upto[np.minimum(end - size, k)]
        gain = np.where(self.listed, worth * relevant / np.maximum(size, 1), 0.0)
        return np.add.reduceat(gain, self.viewer_start), np.add.reduceat(relevant, self.viewer_start)

    def without_each(self, discount: Float64Array) -> "WithoutEach":
        """Return what each viewer gains, and what they would gain were one of their candidates not there.

        Candidates below then move up a place, which the others' influences hold already.
        """
        n_groups, n_viewers = len(self.group_start), len(self.n_candidates)
        upto = np.concatenate([[0.0], np.cumsum(discount)])
        k = len(discount)
        size = np.diff(self.group_start, append=len(self.order))
        viewer = np.repeat(np.arange(n_viewers), np.diff(self.viewer_start, append=n_groups))
        end = np.cumsum(size)
        end -= (end - size)[self.viewer_start][viewer]
        start = end - size
        relevant = np.add.reduceat(self.truth, self.group_start) if n_groups else np.zeros(0)
        rate = np.where(self.listed, relevant / np.maximum(size, 1), 0.0)
        gain = rate * (upto[np.minimum(end, k)] - upto[np.minimum(start, k)])
        moved_up = rate * (upto[np.minimum(end - 1, k)] - upto[np.clip(start - 1, 0, k)])
        before, below = _sums_around(gain, viewer)[0], _sums_around(moved_up, viewer)[1]
        smaller = upto[np.minimum(end - 1, k)] - upto[np.minimum(start, k)]
        group = np.repeat(np.arange(n_groups), size)
        left = (relevant[group] - self.truth) / np.maximum(size[group] - 1, 1)
        total = np.asarray(np.bincount(viewer, gain, n_viewers), np.float64)
        pair_viewer = viewer[group]
        without = np.where(
            self.listed[group], (before + below)[group] + left * smaller[group], total[pair_viewer]
        )
        all_relevant = np.asarray(np.bincount(viewer, relevant, n_viewers), np.float64)
        return WithoutEach(total, without, all_relevant, self.truth.astype(np.float64), pair_viewer)

    def influence(
        self, value: Float64Array, without: Float64Array, viewer: IndexArray, defined: BoolArray
    ) -> Influence:
        """Return the influences on a mean over viewers of what each pair changes for its viewer.

        value, defined: `(n_viewers,)`; without: `(n_pairs,)` in `order`, the viewer's value without the pair.
        A viewer's influences sum to how much better than the mean they are: what their pairs change comes on
        top of equal parts of it.
        """
        n = max(int(defined.sum()), 1)
        counts, mean = self.n_candidates, float(value[defined].sum()) / n
        changed = np.where(defined[viewer], value[viewer] - without, 0.0)
        typical = np.bincount(viewer, changed, len(value)) / counts
        better = np.where(defined, (value - mean) / counts, 0.0)
        share = defined / (counts * n)
        values, of_metric = np.zeros(len(viewer)), np.zeros(len(viewer))
        values[self.order] = (changed - typical[viewer] + better[viewer]) / n
        of_metric[self.order] = share[viewer]
        return Influence(values, of_metric)


@dataclass(frozen=True, eq=False)
class WithoutEach:
    """What viewers gain, and what each would gain without each one of their candidates.

    gain, relevant: `(n_viewers,)`. without, truth, viewer: `(n_pairs,)` in the order of the ranking.
    """

    gain: Float64Array
    without: Float64Array
    relevant: Float64Array
    truth: Float64Array
    viewer: IndexArray

    @property
    def relevant_without(self) -> Float64Array:
        """How many relevant candidates the viewer of each pair has without it, `(n_pairs,)`."""
        return self.relevant[self.viewer] - self.truth


def _sums_around(values: Float64Array, viewer: IndexArray) -> tuple[Float64Array, Float64Array]:
    """Return the sums over the groups of the same viewer before and after each, `(n_groups,)` each."""
    running = np.cumsum(values)
    first = np.concatenate([[True], viewer[1:] != viewer[:-1]]) if len(viewer) else np.zeros(0, bool)
    ahead = np.maximum.accumulate(np.where(first, np.arange(len(viewer)), 0)) if len(viewer) else viewer
    upto_before = np.concatenate([[0.0], running])[ahead]
    total = np.bincount(viewer, values)[viewer] if len(viewer) else values
    before = running - values - upto_before
    return before, total - before - values


_TINY = 1e-12


def mean_over_viewers(values: Float64Array, times: Int64Array) -> float:
    """Return the mean of `values` where viewers count `times`, NaN when nobody counts."""
    total = times.sum()
    return float((values * times).sum() / total) if total else float("nan")


def log_discount(k: int) -> Float64Array:
    """Return the discount of NDCG, 1 / log2(place + 1), for places 1..k, `(k,)`.

    >>> log_discount(3).round(3).tolist()
    [1.0, 0.631, 0.5]
    """
    return LOGARITHMIC_EXAMINATION.at(np.arange(1, k + 1))


@dataclass(frozen=True, eq=False)
class Ndcg:
    """The sum of 1 / log2(place + 1) over relevant candidates, divided by the best possible sum.

    Averaged over viewers who have a relevant candidate and at least `least_candidates` candidates in
    all. Equal scores share their places. K. Jaervelin and J. Kekaelaeinen, "Cumulated gain-based
    evaluation of IR techniques", ACM Transactions on Information Systems 20 (2002) 422-446.
    """

    ranked: TiedRanking
    k: int
    min_candidates: int = 1

    def per_viewer(self, candidate_counts: Int64Array) -> tuple[Float64Array, npt.NDArray[np.bool_]]:
        """Return each viewer's value and whether it is defined, both `(n_viewers,)`."""
        discount = log_discount(self.k)
        gain, relevant = self.ranked.gains(candidate_counts, discount)
        best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, self.k)]
        defined = (relevant > 0) & (self.ranked.n_candidates >= self.min_candidates)
        return np.divide(gain, best, out=np.zeros_like(gain), where=defined), defined

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean under these multiplicities."""
        values, defined = self.per_viewer(candidate_counts)
        return mean_over_viewers(values, viewer_counts[self.ranked.first_pair] * defined)

    def influence(self) -> Influence:
        """Return by how much each pair changes its viewer's value, the best possible sum included."""
        discount = log_discount(self.k)
        found = self.ranked.without_each(discount)
        best = np.concatenate([[0.0], np.cumsum(discount)])
        defined = (found.relevant > 0) & (self.ranked.n_candidates >= self.min_candidates)
        value = found.gain / np.maximum(best[np.minimum(found.relevant, self.k).astype(np.int64)], _TINY)
        mean = float(value[defined].mean()) if defined.any() else 0.0
        left = np.minimum(found.relevant_without, self.k).astype(np.int64)
        without = np.where(left > 0, found.without / np.maximum(best[left], _TINY), mean)
        return self.ranked.influence(value, without, found.viewer, defined)


@checked_arguments
def ndcg(
    viewer: npt.ArrayLike,
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    k: int,
    min_candidates: int = 1,
) -> float:
    """Return the mean NDCG at `k` over viewers with a relevant candidate, in [0, 1].

    Viewer a has one relevant candidate, in the second place: 1 / log2(3). Viewer b has none and does
    not count.

    >>> round(ndcg(["a", "a", "b"], [0, 1, 0], [0.9, 0.8, 0.7], k=5), 4)
    0.6309
    """
    ranked = TiedRanking.of(viewer, truth, score)
    return sample_value(Ndcg(ranked, k, min_candidates), len(ranked.order))


@dataclass(frozen=True, eq=False)
class Precision:
    """(relevant candidates in places 1..k) / k, averaged over all viewers.

    The denominator is k for a short list too: an empty place helps nobody.
    """

    ranked: TiedRanking
    k: int

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean precision under these multiplicities."""
        hits, _ = self.ranked.gains(candidate_counts, np.ones(self.k))
        return mean_over_viewers(hits / self.k, viewer_counts[self.ranked.first_pair])

    def influence(self) -> Influence:
        """Return by how much each pair changes the hits of its viewer."""
        found = self.ranked.without_each(np.ones(self.k))
        everybody = np.ones(len(found.gain), bool)
        return self.ranked.influence(found.gain / self.k, found.without / self.k, found.viewer, everybody)


@checked_arguments
def precision(viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike, *, k: int) -> float:
    """Return the mean precision at `k` over viewers, in [0, 1]; NaN without pairs.

    >>> precision(["a", "a", "a", "b"], [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6], k=2)
    0.25
    """
    ranked = TiedRanking.of(viewer, truth, score)
    return sample_value(Precision(ranked, k), len(ranked.order))


@dataclass(frozen=True, eq=False)
class Recall:
    """(relevant candidates in places 1..k) / (relevant candidates), over viewers who have one."""

    ranked: TiedRanking
    k: int

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean recall under these multiplicities."""
        hits, relevant = self.ranked.gains(candidate_counts, np.ones(self.k))
        counted = viewer_counts[self.ranked.first_pair] * (relevant > 0)
        return mean_over_viewers(hits / np.maximum(relevant, 1), counted)

    def influence(self) -> Influence:
        """Return by how much each pair changes the share that its viewer is shown."""
        found = self.ranked.without_each(np.ones(self.k))
        defined = found.relevant > 0
        value = found.gain / np.maximum(found.relevant, 1.0)
        mean = float(value[defined].mean()) if defined.any() else 0.0
        left = found.relevant_without
        without = np.where(left > 0, found.without / np.maximum(left, 1.0), mean)
        return self.ranked.influence(value, without, found.viewer, defined)


@checked_arguments
def recall(viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike, *, k: int) -> float:
    """Return the mean recall at `k` over viewers with a relevant candidate, in [0, 1].

    >>> recall(["a", "a", "a", "b"], [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6], k=2)
    0.5
    """
    ranked = TiedRanking.of(viewer, truth, score)
    return sample_value(Recall(ranked, k), len(ranked.order))
