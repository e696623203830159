"""The k best of each row: a cheap test on float32 logits, then one exact float64 score a pair.

What decides
------------
`exact_logit` adds float64 products in one fixed order, so a pair's score depends on nothing but
the pair. Lists are ordered by score from high to low, then by row.

What may be skipped
-------------------
Let s be the score of the row's k-th best so far. Each combiner rises in both probabilities, so
with p = sigmoid(x), q = sigmoid(y) <= 1 a score of at least s needs

    product       p q         >= s:  p, q >= s            (the other is at most 1)
    harmonic      2pq/(p+q)   >= s:  p, q >= s/(2-s)      (2pq/(p+q) <= 2p/(1+p))
    geometric     sqrt(p q)   >= s:  p, q >= s^2
    min           min(p, q)   >= s:  p, q >= s
    cross_ratio   sigmoid(x + y), exactly: no bound on one of them

so min(x, y) >= `least`. And log sigmoid is concave, (log p + log q)/2 <= log sigmoid((x+y)/2), so

    product       x + y >= 2 logit(sqrt(s))
    harmonic      x + y >= 2 logit(s)       (harmonic mean <= geometric mean)
    geometric     x + y >= 2 logit(s)
    min           x + y >= 2 logit(s)
    cross_ratio   x + y >= logit(s)

so x + y >= `total`. Both are necessary, never sufficient; a pair that passes is scored exactly.

How far a float32 product can be wrong
--------------------------------------
For n products summed in any order, |computed - true| <= n u/(1 - n u) * sum |t||a| with u = 2^-24
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), and the sum is at most
the product of the two norms (Cauchy-Schwarz). `margin_of` takes twice that, with room for adding
nearness and for the float64 roundings; `least` and `total` are lowered by one and two margins.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.mask import Mask
from recsys.retrieval.words import Positions

Factors = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

PRODUCT, HARMONIC, GEOMETRIC, MIN, CROSS_RATIO = range(5)
COMBINER_NUMBERS: Final = {
    "product": PRODUCT,
    "harmonic": HARMONIC,
    "geometric": GEOMETRIC,
    "min": MIN,
    "cross_ratio": CROSS_RATIO,
}
LANES: Final = 4
"""Running sums in an exact logit; the number of factors is padded with zeros to a multiple."""

_COLUMNS_AT_ONCE = 128
_TINIEST_BOUND = 1e-140  # below it float64 loses relative precision, so nothing is skipped
_SLACK = 1e-12


class People(NamedTuple):
    """What scoring reads of people, in tile order.

    row: `(n,)` int32, for ties; taste, appeal: `(n, n_factors)` float32; place: `(n,)` int32 into
    `near`; near: `(n_places, n_places)` float32 logits; margin: `(n,)` float64.
    """

    row: Positions
    taste: Factors
    appeal: Factors
    place: Positions
    near: Factors
    margin: Values


class Best(NamedTuple):
    """The best so far of each row of a tile, all `(n_rows, k)`, best first; `length` `(n_rows,)`.

    `least` and `total` `(n_rows,)` float32: what a pair's float32 logits must reach to be looked at.
    """

    score: Values
    position: Positions
    p_like: Values
    p_liked_back: Values
    length: Positions
    least: npt.NDArray[np.float32]
    total: npt.NDArray[np.float32]


def nobody_yet(n_rows: int, k: int) -> Best:
    """Return empty lists with room for `k` each."""
    return Best(
        score=np.empty((n_rows, k)),
        position=np.empty((n_rows, k), np.int32),
        p_like=np.empty((n_rows, k)),
        p_liked_back=np.empty((n_rows, k)),
        length=np.zeros(n_rows, np.int32),
        least=np.full(n_rows, -np.inf, np.float32),
        total=np.full(n_rows, -np.inf, np.float32),
    )


def margin_of(taste: Factors, appeal: Factors, near: Factors) -> Values:
    """Return, for each person, how far any float32 logit with them can be wrong, `(n_people,)`.

    >>> one = np.ones((1, 4), np.float32)
    >>> bool(0 < margin_of(one, one, np.zeros((1, 1), np.float32))[0] < 1e-4)
    True
    """
    n_factors = taste.shape[1]
    wants = np.sqrt(np.einsum("nf,nf->n", taste, taste, dtype=np.float64))
    is_ = np.sqrt(np.einsum("nf,nf->n", appeal, appeal, dtype=np.float64))
    largest = np.maximum(wants * is_.max(initial=0.0), is_ * wants.max(initial=0.0))
    nearest = float(np.abs(near).max(initial=0.0))
    return (n_factors + 8) * 2.0**-23 * (largest + nearest) + 1e-30


@njit(nogil=True, cache=True)
def exact_logit(taste: Factors, i: int, appeal: Factors, j: int, near: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # Four running sums, factor f in sum f % 4, added as (0 + 1) + (2 + 3), then nearness.
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for f in range(0, taste.shape[1], LANES):
        a += np.float64(taste[i, f]) * np.float64(appeal[j, f])
        b += np.float64(taste[i, f + 1]) * np.float64(appeal[j, f + 1])
        c += np.float64(taste[i, f + 2]) * np.float64(appeal[j, f + 2])
        d += np.float64(taste[i, f + 3]) * np.float64(appeal[j, f + 3])
    return ((a + b) + (c + d)) + near


@njit(nogil=True, cache=True)
def sigmoid(x: float):  # type: ignore[no-untyped-def]  # noqa: D103
    small = math.exp(-abs(x))
    return (1.0 if x >= 0 else small) / (1.0 + small)


@njit(nogil=True, cache=True)
def mutual(how: int, x: float, y: float, p: float, q: float):  # type: ignore[no-untyped-def]  # noqa: D103
    if how == PRODUCT:
        return p * q
    if how == HARMONIC:
        return 2.0 * p * q / (p + q) if p + q > 0 else 0.0
    if how == GEOMETRIC:
        return math.sqrt(p) * math.sqrt(q)
    if how == MIN:
        return min(p, q)
    return sigmoid(x + y)


@njit(nogil=True, cache=True)
def bounds(how: int, score: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # (least, total): what min(x, y) and x + y must reach for a score of at least `score`.
    s = score * (1.0 - _SLACK)
    if s < _TINIEST_BOUND:
        return -np.inf, -np.inf
    if how == PRODUCT:
        root = math.sqrt(s)
        return math.log(s / (1.0 - s)), 2.0 * math.log(root / (1.0 - root))
    if how == HARMONIC:
        return math.log(s / (2.0 - 2.0 * s)), 2.0 * math.log(s / (1.0 - s))
    if how == GEOMETRIC:
        return math.log(s) + math.log(s / (1.0 - s * s)), 2.0 * math.log(s / (1.0 - s))
    if how == MIN:
        return math.log(s / (1.0 - s)), 2.0 * math.log(s / (1.0 - s))
    return -np.inf, math.log(s / (1.0 - s))


@njit(nogil=True, cache=True)
def _lowered(bound: float, margin: float):  # type: ignore[no-untyped-def]
    # As float32, rounded down far enough to cover the rounding itself.
    return np.float32(bound - margin - 1e-6 * (1.0 + abs(bound)))


@njit(nogil=True, cache=True)
def _put_in_place(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    best: Best, r: int, rows: Positions, score: float, position: int, p: float, q: float
):
    # Inserts into the row's ordered list, dropping the last when it is full. Says whether it fitted.
    k = best.score.shape[1]
    n = best.length[r]
    at = n
    while at > 0 and (
        score > best.score[r, at - 1]
        or (score == best.score[r, at - 1] and rows[position] < rows[best.position[r, at - 1]])
    ):
        at -= 1
    if at == k:
        return False
    for place in range(min(n, k - 1), at, -1):
        best.score[r, place] = best.score[r, place - 1]
        best.position[r, place] = best.position[r, place - 1]
        best.p_like[r, place] = best.p_like[r, place - 1]
        best.p_liked_back[r, place] = best.p_liked_back[r, place - 1]
    best.score[r, at], best.position[r, at] = score, position
    best.p_like[r, at], best.p_liked_back[r, at] = p, q
    best.length[r] = min(n + 1, k)
    return True


@njit(nogil=True, cache=True)
def _take(best: Best, r: int, i: int, j: int, people: People, how: int):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # Scores one pair exactly, puts it in its place, and raises what the row asks of the next one.
    close = np.float64(people.near[people.place[i], people.place[j]])
    likes = exact_logit(people.taste, i, people.appeal, j, close)
    liked = exact_logit(people.taste, j, people.appeal, i, close)
    p, q = sigmoid(likes), sigmoid(liked)
    score = mutual(how, likes, liked, p, q)
    k = best.score.shape[1]
    if _put_in_place(best, r, people.row, score, j, p, q) and best.length[r] == k:
        least, total = bounds(how, best.score[r, k - 1])
        best.least[r] = _lowered(least, people.margin[i])
        best.total[r] = _lowered(total, 2.0 * people.margin[i])


@njit(nogil=True, cache=True)
def _how_many_reach(  # type: ignore[no-untyped-def]
    open_row: Mask, ours: Factors, theirs: Factors, least: float, total: float
):
    # Without a branch, so that it takes about a nanosecond a pair; mostly there are none.
    found = np.int32(0)
    for c in range(len(ours)):
        enough = (ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total)
        found += np.int32(open_row[c] & enough)
    return found


@njit(nogil=True, cache=True)
def keep_best(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    best: Best,
    viewers: Positions,
    columns: Positions,
    mask: Mask,
    x: Factors,
    y: Factors,
    people: People,
    how: int,
):
    # Takes the open pairs of a block into the lists. x, y: float32 products without nearness,
    # `(n_viewers, n_columns)`, written to; returns how many pairs were scored exactly.
    n_scored = 0
    for r in range(len(viewers)):
        i = viewers[r]
        if len(people.near) > 1:
            near = people.near[people.place[i]]
            for c in range(len(columns)):
                close = near[people.place[columns[c]]]
                x[r, c] += close
                y[r, c] += close
        for start in range(0, len(columns), _COLUMNS_AT_ONCE):
            stop = min(start + _COLUMNS_AT_ONCE, len(columns))
            ours, theirs, open_row = x[r, start:stop], y[r, start:stop], mask[r, start:stop]
            if _how_many_reach(open_row, ours, theirs, best.least[r], best.total[r]) == 0:
                continue
            for c in range(stop - start):
                least, total = best.least[r], best.total[r]
                if open_row[c] and min(ours[c], theirs[c]) >= least and ours[c] + theirs[c] >= total:
                    n_scored += 1
                    _take(best, r, i, columns[start + c], people, how)
    return n_scored
