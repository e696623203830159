"""The k best of each row: a short list by float32 logits, settled at the end by exact scores.

Noting
------
A pair whose float32 logits reach what the row asks (`least`, `total`; see scores.py) is noted: its two
logits and its position. No exponential is taken for it.

Cutting
-------
When a row has no room left, the noted pairs are scored from their float32 logits. Let s be the k-th
best of those scores and m the row's margin; log odds of a score are wrong by at most 2 m (scores.py).
So each of the k best is worth at least s less 2 m of log odds, and a pair scored below s less 4 m is
worth less than that: it can never be among the k and is dropped. `least` and `total` rise to what the
k surely reach. Ties and near ties survive; should so many survive
that there is still no room (everybody alike, or enormous factors), they are scored exactly and the k
best stay.

Settling
--------
At the end the survivors, hardly more than k, are scored exactly and ordered: score from high to low,
then row. So the answer depends on exact scores alone, whatever came in which order.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.mask import Mask
from recsys.retrieval.scores import (
    TINIEST_BOUND,
    Factors,
    People,
    Values,
    bounds,
    exact_pairs,
    lower_by,
    lowered,
    mutual,
    sigmoid,
)
from recsys.retrieval.words import Positions

Eights = npt.NDArray[np.uint64]

COLUMNS_AT_ONCE = 128


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


class Best(NamedTuple):
    """The k best of each row of a tile, all `(n_rows, k)`, best first; `length` `(n_rows,)`."""

    score: Values
    position: Positions
    p_like: Values
    p_liked_back: Values
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
        p_like=np.empty((n_rows, k)),
        p_liked_back=np.empty((n_rows, k)),
        length=np.zeros(n_rows, np.int32),
    )


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
def _note(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    lists: Shortlists, r: int, columns: Positions, ours: Factors, theirs: Factors, flags: Mask, eights: Eights
):
    # Notes the flagged pairs. `eights` are the same flags eight at a time, most of which are not set.
    n = lists.length[r]
    for eight in range(len(eights)):
        if eights[eight] != 0:
            for c in range(8 * eight, 8 * eight + 8):
                if flags[c]:
                    lists.x[r, n], lists.y[r, n], lists.position[r, n] = ours[c], theirs[c], columns[c]
                    n += 1
    lists.length[r] = n


@njit(nogil=True, cache=True)
def keep_best(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    lists: Shortlists,
    viewers: Positions,
    columns: Positions,
    mask: Mask,
    x: Factors,
    y: Factors,
    people: People,
    how: int,
    k: int,
):
    # Notes the open pairs of a block that could be among the k best of their row. x, y: float32
    # products without nearness, `(n_viewers, n_columns)`, written to. Returns how many pairs had to
    # be scored exactly on the way.
    n_exact = 0
    room = lists.x.shape[1]
    flags = np.empty(COLUMNS_AT_ONCE, np.bool_)
    eights = flags.view(np.uint64)
    for r in range(len(viewers)):
        i = viewers[r]
        if len(people.near) > 1:
            near = people.near[people.place[i]]
            for c in range(len(columns)):
                close = near[people.place[columns[c]]]
                x[r, c] += close
                y[r, c] += close
        for start in range(0, len(columns), COLUMNS_AT_ONCE):
            stop = min(start + COLUMNS_AT_ONCE, len(columns))
            ours, theirs, open_row = x[r, start:stop], y[r, start:stop], mask[r, start:stop]
            if lists.length[r] + (stop - start) > room:
                n_exact += _make_room(lists, r, i, people, how, k)
            _flag(open_row, ours, theirs, lists.least[r], lists.total[r], flags)
            _note(lists, r, columns[start:stop], ours, theirs, flags, eights)
    return n_exact


@njit(nogil=True, cache=True)
def _make_room(lists: Shortlists, r: int, i: int, people: People, how: int, k: int):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # Cuts a row so that a block of columns fits again, and raises what it asks of the next ones.
    n_exact = 0
    margin = people.margin[i]
    surely = _cut(lists, r, margin, how, k)
    if lists.length[r] + COLUMNS_AT_ONCE > lists.x.shape[1]:
        n_exact = lists.length[r] - lists.n_exact[r]
        surely = _cut_exactly(lists, r, i, people, how, k)
    least, total = bounds(how, surely)
    lists.least[r] = lowered(least, margin)
    lists.total[r] = lowered(total, 2.0 * margin)
    return n_exact


@njit(nogil=True, cache=True)
def _cut(lists: Shortlists, r: int, margin: float, how: int, k: int):  # type: ignore[no-untyped-def]
    # Drops what can no longer be among the k best; returns a score that k of the rest surely reach.
    n = lists.length[r]
    x, y, score, position = lists.x[r], lists.y[r], lists.score[r], lists.position[r]
    for a in range(lists.n_scored[r], n):
        ours, theirs = np.float64(x[a]), np.float64(y[a])
        score[a] = mutual(how, ours, theirs, sigmoid(ours), sigmoid(theirs))
    lists.n_scored[r] = n
    if n <= k:
        return 0.0
    kth = np.partition(score[:n], n - k)[n - k]
    floor = lower_by(kth, 4.0 * margin) if kth > TINIEST_BOUND else 0.0
    if floor < TINIEST_BOUND:
        return 0.0
    kept = exact = 0
    for a in range(n):
        x[kept], y[kept], score[kept], position[kept] = x[a], y[a], score[a], position[a]
        stays = score[a] >= floor
        kept += stays
        exact += stays & (a < lists.n_exact[r])
    lists.length[r] = lists.n_scored[r] = kept
    lists.n_exact[r] = exact
    return lower_by(kth, 2.0 * margin)


@njit(nogil=True, cache=True)
def _cut_exactly(lists: Shortlists, r: int, i: int, people: People, how: int, k: int):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # Scores what is noted exactly and keeps the k best; returns the score of the last of them.
    n = lists.length[r]
    new = slice(lists.n_exact[r], n)
    p, q = np.empty(n), np.empty(n)
    exact_pairs(people, i, lists.position[r, new], how, lists.score[r, new], p, q)
    score, position = lists.score[r, :n].copy(), lists.position[r, :n].copy()
    order = _in_order(score, position, people.row)
    kept = min(n, k)
    for a in range(kept):
        lists.score[r, a], lists.position[r, a] = score[order[a]], position[order[a]]
    lists.length[r] = lists.n_scored[r] = lists.n_exact[r] = kept
    return lists.score[r, kept - 1] if kept == k else 0.0


@njit(nogil=True, cache=True)
def _in_order(score: Values, position: Positions, rows: Positions):  # type: ignore[no-untyped-def]
    # The order by score from high to low, then row: a shell sort, gaps a factor of 2.25 apart.
    order = np.arange(len(score))
    gap = 57
    while gap < len(score) // 3:
        gap = gap * 9 // 4
    while gap > 0:
        for a in range(gap, len(score)):
            here, b = order[a], a - gap
            while b >= 0 and (
                score[here] > score[order[b]]
                or (score[here] == score[order[b]] and rows[position[here]] < rows[position[order[b]]])
            ):
                order[b + gap] = order[b]
                b -= gap
            order[b + gap] = here
        gap = 1 if 1 < gap < 5 else gap * 4 // 9
    return order


@njit(nogil=True, cache=True)
def settle(lists: Shortlists, best: Best, viewers: Positions, people: People, how: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # Writes the k best of each row to `best`; returns how many pairs were scored exactly.
    k = best.score.shape[1]
    n_exact = 0
    for r in range(len(viewers)):
        i = viewers[r]
        _cut(lists, r, people.margin[i], how, k)
        n = lists.length[r]
        position = lists.position[r, :n]
        score, p, q = np.empty(n), np.empty(n), np.empty(n)
        exact_pairs(people, i, position, how, score, p, q)
        n_exact += n
        order = _in_order(score, position, people.row)
        best.length[r] = min(n, k)
        for a in range(best.length[r]):
            at = order[a]
            best.score[r, a], best.position[r, a] = score[at], position[at]
            best.p_like[r, a], best.p_liked_back[r, a] = p[at], q[at]
    return n_exact
