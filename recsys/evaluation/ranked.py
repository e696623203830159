"""Pairs in list order, prepared once so that every ranking metric is a few sums."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.evaluation.aligned import outcomes, scores
from recsys.evaluation.measure import Floats, Times


@dataclass(frozen=True, eq=False)
class Ranked:
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
    truth: Floats
    listed: npt.NDArray[np.bool_]
    n_candidates: npt.NDArray[np.int64]

    @classmethod
    def over(cls, viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike) -> "Ranked":
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

    def gains(self, candidate_times: Times, discount: Floats) -> tuple[Floats, Times]:
        """Return each viewer's gain and number of relevant candidates, both `(n_viewers,)`.

        `discount` `(k,)` is what a relevant candidate in place 1..k is worth; later places are worth 0.
        """
        if not len(self.order):
            return np.zeros(0), np.zeros(0, np.int64)
        k = len(discount)
        upto = np.concatenate([[0.0], np.cumsum(discount)])
        times = candidate_times[self.order]
        size = np.add.reduceat(times, self.group_start)
        relevant = np.add.reduceat(times * self.truth, self.group_start)
        end = np.cumsum(size)
        before = (end - size)[self.viewer_start]
        end -= np.repeat(before, np.diff(self.viewer_start, append=len(size)))
        worth = upto[np.minimum(end, k)] - upto[np.minimum(end - size, k)]
        gain = np.where(self.listed, worth * relevant / np.maximum(size, 1), 0.0)
        return np.add.reduceat(gain, self.viewer_start), np.add.reduceat(relevant, self.viewer_start)


def mean_over_viewers(values: Floats, times: Times) -> float:
    """Return the mean of `values` where viewers count `times`, NaN when nobody counts."""
    total = times.sum()
    return float((values * times).sum() / total) if total else float("nan")
