"""The k best of each row: a short list by float32 logits, settled at the end by exact scores.

Noting
------
A pair whose float32 logits reach what the row asks (`least`, `total`; see scores.py) is noted: its two
logits and its position. No exponential is taken for it.

Cutting
-------
When a row has no room left, the noted pairs are scored from their float32 logits, and a score s is
found that at least k of them reach (`reached_by`). Let m be the row's margin; log odds of a score are
wrong by at most 2 m (scores.py). So each of the k best is worth at least s less 2 m of log odds, and a
pair scored below s less 4 m is worth less than that: it can never be among the k and is dropped. `least`
and `total` rise to what the k surely reach. Ties and near ties survive; should so many survive
that there is still no room (everybody alike, or enormous factors), they are scored exactly and the k
best stay.

Prices
------
With prices c >= 0 a list is ordered by value = score - c p, which is never above the score: what must be
reached for the score must be reached for the value. A score is wrong by at most 2 m / 4 and p by at most
m / 4 (no slope of a sigmoid is above 1/4), so `_cut` takes values apart by sums instead of log odds.

Settling
--------
At the end the survivors, hardly more than k, are scored exactly and ordered: value from high to low,
then row. So the answer depends on exact scores alone, whatever came in which order.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.mask import Mask
from recsys.retrieval.scores import (
    QUICK,
    SLACK,
    TINIEST_BOUND,
    Factors,
    People,
    Values,
    Viewers,
    bounds,
    exact_pairs,
    lower_by,
    lowered,
    quick_scores,
    sigmoid,
)
from recsys.retrieval.words import Positions

Eights = npt.NDArray[np.uint64]

COLUMNS_AT_ONCE: Final = 256
_LEAST_SHARE: Final = 2.0**-16
_STEPS: Final = 1024
_STEP_BITS: Final = 46
"""Sixteen halvings in 1024 steps: each step is within a sixty-fourth of one value."""
_RANKED_BY_COUNTING: Final = 512
NO_PRICE: Final = np.empty(0)


class Shortlists(NamedTuple):
    """What is noted of each row of a tile, all `(n_rows, room)`, in no order.

    x, y: float32 logits; score: float64, of the first `n_scored` `(n_rows,)`, which is exact for the
    first `n_exact`; position: int32; length: `(n_rows,)`, how many are noted.
    least, total: `(n_rows,)` float32, what a pair's float32 logits must reach to be noted.
    """

    x: Factors
    y: Factors
    score: Values
    position: Positions
    length: Positions
    n_scored: Positions
    n_exact: Positions
    least: npt.NDArray[np.float32]
    total: npt.NDArray[np.float32]


class Wanted(NamedTuple):
    """What is looked for: lists of `k` by combiner `how`, less `price` `(n_people,)` or none `(0,)`.

    dearest: no price is above it.
    """

    how: int
    k: int
    price: Values
    dearest: float


class Best(NamedTuple):
    """The k best of each row of a tile, all `(n_rows, k)`, best first; `length` `(n_rows,)`."""

    score: Values
    position: Positions
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    length: Positions


def room_for(k: int, n_columns: int) -> int:
    """Return how many pairs a row of `n_columns` columns can note for lists of `k`."""
    return min(2 * k + COLUMNS_AT_ONCE, n_columns) + COLUMNS_AT_ONCE


def nobody_yet(n_rows: int, room: int) -> Shortlists:
    """Return empty short lists with room for `room` pairs each."""
    return Shortlists(
        x=np.empty((n_rows, room), np.float32),
        y=np.empty((n_rows, room), np.float32),
        score=np.empty((n_rows, room)),
        position=np.empty((n_rows, room), np.int32),
        length=np.zeros(n_rows, np.int32),
        n_scored=np.zeros(n_rows, np.int32),
        n_exact=np.zeros(n_rows, np.int32),
        least=np.full(n_rows, -np.inf, np.float32),
        total=np.full(n_rows, -np.inf, np.float32),
    )


def empty_best(n_rows: int, k: int) -> Best:
    """Return room for `k` people a row."""
    return Best(
        score=np.empty((n_rows, k)),
        position=np.empty((n_rows, k), np.int32),
        p_like=np.empty((n_rows, k), np.float32),
        p_liked_back=np.empty((n_rows, k), np.float32),
        length=np.zeros(n_rows, np.int32),
    )


# Kernels called for each row take plain arrays: handing over a tuple of them costs a count for each array.


@njit(nogil=True, cache=True)
def _note_all(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int,
    columns: Positions,
    ours: Factors,
    theirs: Factors,
    least: float,
    total: float,
    x: Factors,
    y: Factors,
    position: Positions,
):
    # Notes the pairs that reach what the row asks after the `n` noted so far; returns how many are now.
    # Without a branch: most of few pairs do.
    for c in range(len(columns)):
        x[n], y[n], position[n] = ours[c], theirs[c], columns[c]
        n += (ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total)
    return n


@njit(nogil=True, cache=True)
def _flag(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    open_row: Mask, ours: Factors, theirs: Factors, least: float, total: float, flags: Mask
):
    # Which columns are wanted, without a branch: a fraction of a nanosecond a pair.
    for c in range(len(ours)):
        enough = (ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total)
        flags[c] = open_row[c] & enough
    for c in range(len(ours), COLUMNS_AT_ONCE):
        flags[c] = False


@njit(nogil=True, cache=True)
def _note_flagged(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int,
    columns: Positions,
    ours: Factors,
    theirs: Factors,
    start: int,
    flags: Mask,
    eights: Eights,
    x: Factors,
    y: Factors,
    position: Positions,
):
    # Notes the flagged pairs after the `n` noted so far; returns how many are now. `eights` are the flags
    # eight at a time, most of which are not set.
    for eight in range(len(eights)):
        if eights[eight] != 0:
            for at in range(8 * eight, 8 * eight + 8):
                if flags[at]:
                    c = start + at
                    x[n], y[n], position[n] = ours[c], theirs[c], columns[c]
                    n += 1
    return n


@njit(nogil=True, cache=True)
def keep_best(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    lists: Shortlists,
    viewers: Viewers,
    columns: Positions,
    mask: Mask,
    ours: Factors,
    theirs: Factors,
    people: People,
    wanted: Wanted,
):
    # Notes the open pairs of a block that could be among the k best of their row. ours, theirs: float32
    # products without nearness, `(n_viewers, n_columns)`, written to. Returns how many pairs had to
    # be scored exactly on the way.
    n_exact = 0
    length, least, total = lists.length, lists.least, lists.total
    x, y, position = lists.x, lists.y, lists.position
    place, near, their_place = viewers.place, viewers.near, people.place
    flags = np.empty(COLUMNS_AT_ONCE, np.bool_)
    eights = flags.view(np.uint64)
    for r in range(len(place)):
        if near.size > 1:
            for c in range(len(columns)):
                close = near[place[r], their_place[columns[c]]]
                ours[r, c] += close
                theirs[r, c] += close
        open_row, our_row, their_row = mask[r], ours[r], theirs[r]
        for start in range(0, len(columns), COLUMNS_AT_ONCE):
            stop = min(start + COLUMNS_AT_ONCE, len(columns))
            if length[r] + (stop - start) > x.shape[1]:
                n_exact += _make_room(lists, viewers, r, people, wanted)
            _flag(
                open_row[start:stop],
                our_row[start:stop],
                their_row[start:stop],
                least[r],
                total[r],
                flags,
            )
            length[r] = _note_flagged(
                length[r], columns, our_row, their_row, start, flags, eights, x[r], y[r], position[r]
            )
    return n_exact


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _logits(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    taste: Factors,
    appeal: Factors,
    their_taste: Factors,
    their_appeal: Factors,
    columns: Positions,
    x: Factors,
    y: Factors,
):
    # The float32 logits of one viewer for each of `columns` and back, without nearness, summed in whatever
    # order is fastest. Two columns at a time share what is read of the viewer.
    even = len(columns) - len(columns) % 2
    for c in range(0, even, 2):
        i, j = columns[c], columns[c + 1]
        a = b = p = q = np.float32(0.0)
        for f in range(len(taste)):
            a += taste[f] * their_appeal[i, f]
            b += taste[f] * their_appeal[j, f]
            p += appeal[f] * their_taste[i, f]
            q += appeal[f] * their_taste[j, f]
        x[c], x[c + 1], y[c], y[c + 1] = a, b, p, q
    for c in range(even, len(columns)):
        j = columns[c]
        a = p = np.float32(0.0)
        for f in range(len(taste)):
            a += taste[f] * their_appeal[j, f]
            p += appeal[f] * their_taste[j, f]
        x[c], y[c] = a, p


@njit(nogil=True, cache=True)
def keep_best_of_few(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    lists: Shortlists, viewers: Viewers, columns: Positions, mask: Mask, people: People, wanted: Wanted
):
    # The same where few pairs are open: multiplies those alone. Goes by blocks of columns, whose factors
    # stay in the cache for all rows. Returns how many pairs had to be scored exactly on the way.
    n_exact = 0
    room = lists.x.shape[1]
    length, least, total = lists.length, lists.least, lists.total
    their_taste, their_appeal, their_place = people.taste, people.appeal, people.place
    taste, appeal, place, near = viewers.taste, viewers.appeal, viewers.place, viewers.near
    open_ = np.empty(COLUMNS_AT_ONCE, np.int32)
    x, y = np.empty(COLUMNS_AT_ONCE, np.float32), np.empty(COLUMNS_AT_ONCE, np.float32)
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        block = columns[start : start + COLUMNS_AT_ONCE]
        for r in range(len(place)):
            n, flags = 0, mask[r, start : start + len(block)]
            for c in range(len(block)):
                open_[n] = block[c]
                n += flags[c]
            _logits(taste[r], appeal[r], their_taste, their_appeal, open_[:n], x, y)
            if near.size > 1:
                for c in range(n):
                    close = near[place[r], their_place[open_[c]]]
                    x[c] += close
                    y[c] += close
            if length[r] + n > room:
                n_exact += _make_room(lists, viewers, r, people, wanted)
            length[r] = _note_all(
                length[r],
                open_[:n],
                x,
                y,
                least[r],
                total[r],
                lists.x[r],
                lists.y[r],
                lists.position[r],
            )
    return n_exact


@njit(nogil=True, cache=True)
def _make_room(lists: Shortlists, viewers: Viewers, r: int, people: People, wanted: Wanted):  # type: ignore[no-untyped-def]
    # Cuts a row so that a block of columns fits again, and raises what it asks of the next ones.
    n_exact = 0
    margin = viewers.margin[r]
    surely = _cut(lists, r, margin, wanted)
    if lists.length[r] + COLUMNS_AT_ONCE > lists.x.shape[1]:
        n_exact = lists.length[r] - lists.n_exact[r]
        surely = _cut_exactly(lists, viewers, r, people, wanted)
    least, total = bounds(wanted.how, surely)
    lists.least[r] = lowered(least, margin)
    lists.total[r] = lowered(total, 2.0 * margin)
    return n_exact


@njit(nogil=True, cache=True)
def _cut(lists: Shortlists, r: int, margin: float, wanted: Wanted):  # type: ignore[no-untyped-def]
    # Drops what can no longer be among the k best; returns a score that k of the rest surely reach.
    n, k = lists.length[r], wanted.k
    x, y, score, position = lists.x[r], lists.y[r], lists.score[r], lists.position[r]
    new = slice(lists.n_scored[r], n)
    quick_scores(wanted.how, x[new], y[new], score[new])
    if len(wanted.price):
        for a in range(lists.n_scored[r], n):
            score[a] -= wanted.price[position[a]] * sigmoid(np.float64(x[a]))
    lists.n_scored[r] = n
    if n <= k:
        return 0.0
    wrong = margin + QUICK
    kth = reached_by(score[:n], k)
    if len(wanted.price):
        off = wrong * (0.5 + 0.25 * wanted.dearest) + SLACK * (1.0 + wanted.dearest)
        floor, surely = kth - 2.0 * off, max(kth - off, 0.0)
    else:
        floor = lower_by(kth, 4.0 * wrong) if kth > TINIEST_BOUND else 0.0
        if floor < TINIEST_BOUND:
            return 0.0
        surely = lower_by(kth, 2.0 * wrong)
    kept = exact = 0
    for a in range(n):
        x[kept], y[kept], score[kept], position[kept] = x[a], y[a], score[a], position[a]
        stays = score[a] >= floor
        kept += stays
        exact += stays & (a < lists.n_exact[r])
    lists.length[r] = lists.n_scored[r] = kept
    lists.n_exact[r] = exact
    return surely


@njit(nogil=True, cache=True)
def reached_by(score: Values, k: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # A score that at least k of them reach, and hardly more. Counts them in steps that are equally wide in
    # the bits of a float, which follow its logarithm; where steps are too coarse, selects.
    n = len(score)
    high = score[0]
    for a in range(n):
        high = max(high, score[a])
    if high > 0.0:
        top = np.float64(high).view(np.int64)
        bottom = np.float64(high * _LEAST_SHARE).view(np.int64)
        bits, counts = score.view(np.int64), np.zeros(_STEPS + 1, np.int32)
        for a in range(n):
            counts[(max(bits[a], bottom) - bottom) >> _STEP_BITS] += 1
        step, reached = (top - bottom) >> _STEP_BITS, 0
        while reached + counts[step] < k:
            reached += counts[step]
            step -= 1
        if step > 0 and reached + counts[step] <= k + n // 8:
            found = high
            for a in range(n):
                if (max(bits[a], bottom) - bottom) >> _STEP_BITS >= step:
                    found = min(found, score[a])
            return found
    return np.partition(score, n - k)[n - k]


@njit(nogil=True, cache=True)
def _cut_exactly(lists: Shortlists, viewers: Viewers, r: int, people: People, wanted: Wanted):  # type: ignore[no-untyped-def]
    # Scores what is noted exactly and keeps the k best; returns a score that the last of them reaches.
    n, k = lists.length[r], wanted.k
    new = slice(lists.n_exact[r], n)
    p, q = np.empty(n), np.empty(n)
    scored, at = lists.score[r, new], lists.position[r, new]
    exact_pairs(viewers, r, people, at, wanted.how, scored, p, q)
    if len(wanted.price):
        scored -= wanted.price[at] * p[: len(at)]
    value, position = lists.score[r, :n].copy(), lists.position[r, :n].copy()
    order = in_order(value, people.row[position])
    kept = min(n, k)
    for a in range(kept):
        lists.score[r, a], lists.position[r, a] = value[order[a]], position[order[a]]
    lists.length[r] = lists.n_scored[r] = lists.n_exact[r] = kept
    return max(lists.score[r, kept - 1], 0.0) if kept == k else 0.0


@njit(nogil=True, cache=True)
def in_order(value: Values, row: Positions):  # type: ignore[no-untyped-def]  # noqa: D103
    # The order by value from high to low, then row.
    return _by_counting(value, row) if len(value) <= _RANKED_BY_COUNTING else _by_shells(value, row)


@njit(nogil=True, cache=True)
def _by_counting(value: Values, row: Positions):  # type: ignore[no-untyped-def]
    # Counts who comes before each: of a short list every comparison costs less than a wrong guess of one.
    n = len(value)
    order = np.empty(n, np.int64)
    for a in range(n):
        here = value[a]
        before = same = 0
        for b in range(n):
            before += value[b] > here
            same += value[b] == here
        if same > 1:
            for b in range(n):
                before += (value[b] == here) & (row[b] < row[a])
        order[before] = a
    return order


@njit(nogil=True, cache=True)
def _by_shells(value: Values, row: Positions):  # type: ignore[no-untyped-def]
    # A shell sort, gaps a factor of 2.25 apart.
    order = np.arange(len(value))
    gap = 57
    while gap < len(value) // 3:
        gap = gap * 9 // 4
    while gap > 0:
        for a in range(gap, len(value)):
            here, b = order[a], a - gap
            while b >= 0 and (
                value[here] > value[order[b]]
                or (value[here] == value[order[b]] and row[here] < row[order[b]])
            ):
                order[b + gap] = order[b]
                b -= gap
            order[b + gap] = here
        gap = 1 if 1 < gap < 5 else gap * 4 // 9
    return order


@njit(nogil=True, cache=True)
def settle(lists: Shortlists, best: Best, viewers: Viewers, people: People, wanted: Wanted):  # type: ignore[no-untyped-def]  # noqa: D103
    # Writes the k best of each row to `best`; returns how many pairs were scored exactly.
    n_exact = 0
    room = lists.x.shape[1]
    score_, p, q, value_ = np.empty(room), np.empty(room), np.empty(room), np.empty(room)
    for r in range(len(viewers.place)):
        _cut(lists, r, viewers.margin[r], wanted)
        n = lists.length[r]
        position, score, value = lists.position[r, :n], score_[:n], value_[:n]
        exact_pairs(viewers, r, people, position, wanted.how, score, p, q)
        n_exact += n
        for a in range(n):
            value[a] = score[a]
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
