"""What a pair is worth: one exact float64 score, and bounds on it that cost next to nothing.

What decides
------------
`exact_sum` adds exact products in float64 and one fixed order, so a pair's score depends on nothing
but the pair. Lists are ordered by score from high to low, then by row.

What may be skipped
-------------------
Let s be a score that k people of the row's list are sure to reach. Each combiner rises in both
probabilities, so with p = sigmoid(x), q = sigmoid(y) <= 1 a score of at least s needs

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

so x + y >= `total`. Both are necessary, never sufficient.

How far a float32 product can be wrong
--------------------------------------
For n products summed in any order, |computed - true| <= n u/(1 - n u) * sum |t||a| with u = 2^-24
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), and the sum is at most
the product of the two norms (Cauchy-Schwarz). `margin_of` takes twice that, with room for adding
nearness and for the float64 roundings; `least` and `total` are lowered by one and two margins.

How far a score from such logits can be wrong
---------------------------------------------
Let both logits be wrong by at most m, and look at the log odds of the score s, L = log(s / (1 - s)).
With dp/dx = p(1-p), the slopes of L along x and along y are

    product       (1-p)/(1-pq)          (1-q)/(1-pq)          sum <= 2  (as each is at most 1)
    harmonic      q(1-p)/((p+q)(1-s))   p(1-q)/((p+q)(1-s))   sum  = 1
    geometric     (1-p)/2(1-s)          (1-q)/2(1-s)          sum <= 1  (as s <= (p+q)/2)
    min           1 along the lesser                          sum  = 1
    cross_ratio   1                     1                     sum  = 2

none of them negative, so L is wrong by at most 2 m, whatever the combiner (`lower_by`).
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.exact_sum import exact_sum
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
QUICK = 1e-9
_TO_WHOLE = 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number
TINIEST_BOUND = 1e-140  # below it float64 loses relative precision, so nothing is skipped
SLACK = 1e-12


class People(NamedTuple):
    """What scoring reads of people, in tile order.

    row: `(n,)` int32, for ties; taste, appeal: `(n, n_factors)` float32; place: `(n,)` int32 into
    `near`; near: `(n_places, n_places)` float32 logits; margin: `(n,)` float64; largest: see `largest_of`.
    """

    row: Positions
    taste: Factors
    appeal: Factors
    place: Positions
    near: Factors
    margin: Values
    largest: Values


class Viewers(NamedTuple):
    """What scoring reads of the viewers of a tile, in their order.

    position: `(n_viewers,)` int32 among the people, -1 for somebody who is not one of them; taste,
    appeal: `(n_viewers, n_factors)`; place: int32 into near `(n, n_places)`: the logits from a viewer's
    place to each place of the people; margin: `(n_viewers,)` float64.
    """

    position: Positions
    taste: Factors
    appeal: Factors
    place: Positions
    near: Factors
    margin: Values


def viewers_at(people: People, rows: Positions) -> Viewers:
    """Return the people at `rows` as viewers."""
    at: Positions | slice = rows
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        at = slice(int(rows[0]), int(rows[-1]) + 1)
    return Viewers(
        rows, people.taste[at], people.appeal[at], people.place[at], people.near, people.margin[at]
    )


def largest_of(taste: Factors, appeal: Factors, near: Factors) -> Values:
    """Return the largest norm of a taste, of an appeal, and the largest logit of nearness, `(3,)`."""
    widest = [_norms(rows).max(initial=0.0) for rows in (taste, appeal)]
    return np.array([*widest, float(np.abs(near).max(initial=0.0))])


def margin_of(taste: Factors, appeal: Factors, largest: Values) -> Values:
    """Return how far any float32 logit of each person with people of `largest` can be wrong.

    >>> one = np.ones((1, 4), np.float32)
    >>> bool(0 < margin_of(one, one, largest_of(one, one, one))[0] < 1e-4)
    True
    """
    widest_taste, widest_appeal, nearest = largest
    norm = np.maximum(_norms(taste) * widest_appeal, _norms(appeal) * widest_taste)
    return (taste.shape[1] + 8) * 2.0**-23 * (norm + nearest) + 1e-30


def _norms(rows: Factors) -> Values:
    return np.sqrt(np.einsum("nf,nf->n", rows, rows, dtype=np.float64))


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
    s = score * (1.0 - SLACK)
    if s < TINIEST_BOUND:
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
def lower_by(score: float, logits: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # A score whose log odds are smaller by `logits`, and a little less, for its own roundings.
    return score / (score + (1.0 - score + SLACK) * math.exp(logits))


@njit(nogil=True, cache=True)
def lowered(bound: float, margin: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # As float32, rounded down far enough to cover the rounding itself.
    return np.float32(bound - margin - 1e-6 * (1.0 + abs(bound)))


@njit(nogil=True, cache=True)
def exact_pairs(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    viewers: Viewers, r: int, people: People, others: Positions, how: int, score: Values, p: Values, q: Values
):
    # Score, p and q of viewer r looking at each of `others`.
    taste, appeal, near = viewers.taste[r], viewers.appeal[r], viewers.near[viewers.place[r]]
    their_taste, their_appeal, place = people.taste, people.appeal, people.place
    for a in range(len(others)):
        j = others[a]
        close = np.float64(near[place[j]])
        likes = exact_sum(taste, their_appeal[j]) + close
        liked = exact_sum(appeal, their_taste[j]) + close
        p[a], q[a] = sigmoid(likes), sigmoid(liked)
        score[a] = mutual(how, likes, liked, p[a], q[a])


@njit(nogil=True, cache=True, error_model="numpy")
def quick_exp(z: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # exp(z) for -700 <= z <= 0, wrong by a factor within 1 +- QUICK, made of operations that have vector
    # instructions. z = n log 2 + r with |r| <= log(2)/2; the series of exp(r) ends after r^8/8!, which
    # leaves less than |r|^9/9! * e^|r| < 3e-10; n goes into the exponent.
    n = (z * 1.4426950408889634 + _TO_WHOLE) - _TO_WHOLE
    r = z - n * 0.6931471805599453
    series = 1.0 + r / 8.0
    series = 1.0 + r / 7.0 * series
    series = 1.0 + r / 6.0 * series
    series = 1.0 + r / 5.0 * series
    series = 1.0 + r / 4.0 * series
    series = 1.0 + r / 3.0 * series
    series = 1.0 + r / 2.0 * series
    series = 1.0 + r * series
    return series * np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@njit(nogil=True, cache=True, error_model="numpy")
def quick_scores(how: int, x: Factors, y: Factors, score: Values):  # type: ignore[no-untyped-def]  # noqa: D103
    # Scores from float32 logits, as `mutual` gives them for logits wrong by less than QUICK. (An
    # exponential that is wrong by a factor f is that of a logit wrong by log f.)
    for a in range(len(x)):
        ours, theirs = np.float64(x[a]), np.float64(y[a])
        if how == CROSS_RATIO:
            ours, theirs = ours + theirs, np.float64(0.0)
        u, v = quick_exp(max(-abs(ours), -700.0)), quick_exp(max(-abs(theirs), -700.0))
        p, q = (1.0 if ours >= 0 else u) / (1.0 + u), (1.0 if theirs >= 0 else v) / (1.0 + v)
        if how == PRODUCT:
            score[a] = p * q
        elif how == HARMONIC:
            score[a] = 2.0 * p * q / (p + q)
        elif how == GEOMETRIC:
            score[a] = math.sqrt(p) * math.sqrt(q)
        elif how == MIN:
            score[a] = min(p, q)
        else:
            score[a] = p
