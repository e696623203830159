"""Pruning and rescoring: what cannot be among a row's k best is dropped, the rest is scored exactly."""

from typing import Final

import numpy as np

from recsys.kernels import kernel
from recsys.retrieval.reproducible_math import sigmoid
from recsys.retrieval.score_bounds import (
    SLACK,
    TINIEST_BOUND,
    FactorStore,
    ViewerFactors,
    exact_logits,
    logit_bounds,
    lower_log_odds,
    lowered,
    mutual_score,
    mutual_scores,
    sigmoids,
)
from recsys.retrieval.shortlist import COLUMNS_AT_ONCE, SPARE, SearchTarget, Shortlists, TopK, in_order
from recsys.types import Float64Array, Int32Array

_LEAST_SHARE: Final = 2.0**-16
_STEPS: Final = 1024
_STEP_BITS: Final = 46
"""Sixteen halvings in 1024 steps: each step is within a sixty-fourth of one value."""


@kernel
def prune_row(lists: Shortlists, viewers: ViewerFactors, r: int, people: FactorStore, wanted: SearchTarget):  # type: ignore[no-untyped-def]
    """Prune row r so that a block of columns fits again, and raise what it asks of the next ones.

    Returns how many pairs had to be scored exactly.
    """
    n_exact = 0
    margin = viewers.margin[r]
    surely = prune_by_bounds(lists, r, margin, wanted)
    if lists.length[r] + COLUMNS_AT_ONCE + SPARE > lists.x.shape[1]:
        n_exact = lists.length[r] - lists.n_exact[r]
        surely = _prune_exactly(lists, viewers, r, people, wanted)
    least, total = logit_bounds(wanted.combiner, surely)
    lists.least[r] = lowered(least, margin)
    lists.total[r] = lowered(total, 2.0 * margin)
    return n_exact


@kernel
def prune_by_bounds(lists: Shortlists, r: int, margin: float, wanted: SearchTarget):  # type: ignore[no-untyped-def]
    """Drop from row r what can no longer be among its k best.

    Returns a score that k of the rest surely reach, 0 when there are fewer.
    """
    n, k = lists.length[r], wanted.k
    if n <= k:
        return 0.0
    x, y, score, position = lists.x[r], lists.y[r], lists.score[r], lists.position[r]
    new = slice(lists.n_scored[r], n)
    mutual_scores(wanted.combiner, x[new], y[new], score[new])
    if len(wanted.price):
        for a in range(lists.n_scored[r], n):
            score[a] -= wanted.price[position[a]] * sigmoid(np.float64(x[a]))
    lists.n_scored[r] = n
    wrong = margin + SLACK
    kth = kth_best_bound(score[:n], k)
    if len(wanted.price):
        off = wrong * (0.5 + 0.25 * wanted.highest_price) + SLACK * (1.0 + wanted.highest_price)
        floor, surely = kth - 2.0 * off, max(kth - off, 0.0)
    else:
        floor = lower_log_odds(kth, 4.0 * wrong) if kth > TINIEST_BOUND else 0.0
        if floor < TINIEST_BOUND:
            return 0.0
        surely = lower_log_odds(kth, 2.0 * wrong)
    kept, exact = np.uintp(0), 0
    for a in range(lists.n_exact[r]):
        exact += score[a] >= floor
    for a in range(n):
        stays = score[a] >= floor
        x[kept], y[kept], score[kept], position[kept] = x[a], y[a], score[a], position[a]
        kept += np.uintp(stays)
    lists.length[r] = lists.n_scored[r] = np.int64(kept)
    lists.n_exact[r] = exact
    return surely


@kernel
def kth_best_bound(score: Float64Array, k: int):  # type: ignore[no-untyped-def]
    """Return the k-th best threshold: what at least k of `score` `(n,)` float64 reach, and hardly more.

    Counts them in steps that are equally wide in the bits of a float, which follow its logarithm; where steps
    are too coarse, selects. Bits of positive floats are ordered as the floats are, and compared faster.
    """
    n, bits = len(score), score.view(np.int64)
    top = bits[0]
    for a in range(n):
        top = max(top, bits[a])
    if top > 0:
        bottom = np.float64(np.int64(top).view(np.float64) * _LEAST_SHARE).view(np.int64)
        counts = np.zeros(_STEPS + 1, np.int32)
        for a in range(n):
            counts[np.uintp((max(bits[a], bottom) - bottom) >> _STEP_BITS)] += 1
        step, reached = (top - bottom) >> _STEP_BITS, 0
        while reached + counts[step] < k:
            reached += counts[step]
            step -= 1
        if step > 0 and reached + counts[step] <= k + n // 8:
            least, found = bottom + (step << _STEP_BITS), top
            for a in range(n):
                found = min(found, bits[a] if bits[a] >= least else top)
            return np.int64(found).view(np.float64)
    return kth_largest(score, k)


@kernel
def kth_largest(score: Float64Array, k: int):  # type: ignore[no-untyped-def]
    """Return the k-th largest of `score` `(n,)` float64, by Hoare's quickselect.

    numba's `np.partition` gives the same and takes some four seconds to compile.
    """
    values, first, last = score.copy(), 0, len(score) - 1
    place = len(score) - k
    while first < last:
        pivot, a, b = values[(first + last) // 2], first, last
        while a <= b:
            while values[a] < pivot:
                a += 1
            while values[b] > pivot:
                b -= 1
            if a <= b:
                values[a], values[b] = values[b], values[a]
                a += 1
                b -= 1
        if place <= b:
            last = b
        elif place >= a:
            first = a
        else:
            return pivot
    return values[place]


@kernel
def _prune_exactly(  # type: ignore[no-untyped-def]
    lists: Shortlists, viewers: ViewerFactors, r: int, people: FactorStore, wanted: SearchTarget
):
    """Score row r exactly and keep its k best; return a score that the last of them reaches."""
    n, k = lists.length[r], wanted.k
    new = slice(lists.n_exact[r], n)
    scored, at = lists.score[r, new], lists.position[r, new]
    x, y, p = np.empty(len(at)), np.empty(len(at)), np.empty(len(at))
    factors = people.taste, people.appeal, people.place
    near = viewers.near, viewers.place[r]
    exact_logits(viewers.taste, viewers.appeal, r, *near, *factors, at, 0, len(at), x, y, 0)
    mutual_scores(wanted.combiner, x, y, scored)
    if len(wanted.price):
        sigmoids(x, p)
        scored -= wanted.price[at] * p
    value, position = lists.score[r, :n].copy(), lists.position[r, :n].copy()
    order = in_order(value, people.row[position])
    kept = min(n, k)
    for a in range(kept):
        lists.score[r, a], lists.position[r, a] = value[order[a]], position[order[a]]
    lists.length[r] = lists.n_scored[r] = lists.n_exact[r] = kept
    return max(lists.score[r, kept - 1], 0.0) if kept == k else 0.0


_NEAR_EACH_OTHER: Final = 4096
"""Positions gone through at a time for all rows: most of them stand in no short list of a tile."""


@kernel
def rescore(lists: Shortlists, best: TopK, viewers: ViewerFactors, people: FactorStore, wanted: SearchTarget):  # type: ignore[no-untyped-def]
    """Score what is left of each row exactly and write its k best to `best`; return how many were scored."""
    n_rows = len(lists.length)
    for r in range(n_rows):
        prune_by_bounds(lists, r, viewers.margin[r], wanted)
    widest = max(1, lists.length.max())
    x, y = np.empty((n_rows, widest)), np.empty((n_rows, widest))
    _exact_logits_of_all(lists.position, lists.length, viewers, people, x, y)
    p_, q_, score_, value_ = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    n_exact = 0
    for r in range(n_rows):
        n = lists.length[r]
        n_exact += n
        position = lists.position[r, :n]
        p, q, score, value = p_[:n], q_[:n], score_[:n], value_[:n]
        sigmoids(x[r, :n], p)
        sigmoids(y[r, :n], q)
        for a in range(n):
            value[a] = score[a] = mutual_score(wanted.combiner, x[r, a], y[r, a], p[a], q[a])
        if len(wanted.price):
            for a in range(n):
                value[a] -= wanted.price[position[a]] * p[a]
        order = in_order(value, people.row[position])
        best.length[r] = min(n, wanted.k)
        for a in range(best.length[r]):
            at = order[a]
            best.score[r, a], best.position[r, a] = score[at], position[at]
            best.p_like[r, a], best.p_liked_back[r, a] = p[at], q[at]
    return n_exact


@kernel
def _exact_logits_of_all(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    position: Int32Array,
    length: Int32Array,
    viewers: ViewerFactors,
    people: FactorStore,
    x: Float64Array,
    y: Float64Array,
):
    """Write the exact logits of every row's short list to x and y `(n_rows, widest)`.

    Goes over positions from low to high, a stretch of people at a time for all rows, so that the factors of
    each are read once. Short lists are by position, or nearly; whatever their order, all are scored.
    """
    taste, appeal, near, place = viewers.taste, viewers.appeal, viewers.near, viewers.place
    their_taste, their_appeal, their_place = people.taste, people.appeal, people.place
    others, of_x, of_y = position.reshape(-1), x.reshape(-1), y.reshape(-1)
    room, widest = position.shape[1], x.shape[1]
    done, lowest = np.zeros(len(length), np.int64), 0
    while lowest < len(their_place):
        beyond, following = lowest + _NEAR_EACH_OTHER, len(their_place)
        for r in range(len(length)):
            first = last = r * room + done[r]
            end = r * room + length[r]
            while last < end and others[last] < beyond:
                last += 1
            if last > first:
                to = r * widest + done[r]
                exact_logits(
                    taste,
                    appeal,
                    r,
                    near,
                    place[r],
                    their_taste,
                    their_appeal,
                    their_place,
                    others,
                    first,
                    last,
                    of_x,
                    of_y,
                    to,
                )
                done[r] += last - first
            if last < end:
                following = min(following, others[last])
        lowest = following
