"""What a pair is worth: one exact float64 score, and bounds on it that cost next to nothing.

What decides
------------
`reproducible_dots` adds exact products in float64 and one fixed order, so a pair's score depends on nothing
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

`least` and `total` are lowered by one and two margins: by how far a logit from whole numbers can be wrong
(quantization.py).

How far a score from such logits can be wrong
---------------------------------------------
Let both logits be wrong by at most m, and look at the log odds of the score s, L = log(s / (1 - s)).
With dp/dx = p(1-p), the slopes of L along x and along y are

    product       (1-p)/(1-pq)          (1-q)/(1-pq)          sum <= 2  (as each is at most 1)
    harmonic      q(1-p)/((p+q)(1-s))   p(1-q)/((p+q)(1-s))   sum  = 1
    geometric     (1-p)/2(1-s)          (1-q)/2(1-s)          sum <= 1  (as s <= (p+q)/2)
    min           1 along the lesser                          sum  = 1
    cross_ratio   1                     1                     sum  = 2

none of them negative, so L is wrong by at most 2 m, whatever the combiner (`lower_log_odds`).
"""

import math
from typing import Final, NamedTuple

import numpy as np

from recsys.kernels import kernel
from recsys.retrieval.reproducible_math import TOGETHER, reproducible_dots, sigmoid
from recsys.types import Float32Array, Float64Array, Int16Array, Int32Array

PRODUCT, HARMONIC, GEOMETRIC, MIN, CROSS_RATIO = range(5)
COMBINER_NUMBERS: Final = {
    "product": PRODUCT,
    "harmonic": HARMONIC,
    "geometric": GEOMETRIC,
    "min": MIN,
    "cross_ratio": CROSS_RATIO,
}
TINIEST_BOUND = 1e-140  # below it float64 loses relative precision, so nothing is skipped
SLACK = 1e-12


class FactorStore(NamedTuple):
    """What scoring reads of people, in tile order.

    row: `(n,)` int32, for ties; taste, appeal: `(n, n_factors)` float32; quantized: both as whole numbers
    `(n, 2 w)` int16, and steps `(2,)` float64, what one of them is worth (see quantization.py); place: `(n,)`
    int32 into `near`; near: `(n_places, n_places)` float32 logits; margin: `(n,)` float64; largest: see
    `largest_of`.
    """

    row: Int32Array
    taste: Float32Array
    appeal: Float32Array
    quantized: Int16Array
    steps: Float64Array
    place: Int32Array
    near: Float32Array
    margin: Float64Array
    largest: Float64Array


class ViewerFactors(NamedTuple):
    """What scoring reads of the viewers of a tile, in their order.

    position: `(n_viewers,)` int32 among the people, -1 for somebody who is not one of them; taste,
    appeal: `(n_viewers, n_factors)`; quantized: `(n_viewers, 2 w)` int16; unit: `(2,)` float32, what one is
    worth in a sum of products with the people's whole numbers, likes and being liked; place: int32 into near
    `(n, n_places)`: the logits from a viewer's place to each place of the people; margin: `(n_viewers,)`
    float64.
    """

    position: Int32Array
    taste: Float32Array
    appeal: Float32Array
    quantized: Int16Array
    unit: Float32Array
    place: Int32Array
    near: Float32Array
    margin: Float64Array


def viewers_from_store(people: FactorStore, rows: Int32Array) -> ViewerFactors:
    """Return the people at `rows` as viewers."""
    at: Int32Array | slice = rows
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        at = slice(int(rows[0]), int(rows[-1]) + 1)
    return ViewerFactors(
        position=rows,
        taste=people.taste[at],
        appeal=people.appeal[at],
        quantized=people.quantized[at],
        unit=unit_of(people.steps, people.steps),
        place=people.place[at],
        near=people.near,
        margin=people.margin[at],
    )


def unit_of(steps: Float64Array, their_steps: Float64Array) -> Float32Array:
    """Return what one is worth in a sum: of my taste and their appeal, of my appeal and their taste."""
    return (steps * their_steps[::-1]).astype(np.float32)


@kernel
def mutual_score(combiner: int, x: float, y: float, p: float, q: float):  # type: ignore[no-untyped-def]
    """Return the combined score of a pair with logits x and y, whose sigmoids are p and q."""
    if combiner == PRODUCT:
        return p * q
    if combiner == HARMONIC:
        return 2.0 * p * q / (p + q) if p + q > 0 else 0.0
    if combiner == GEOMETRIC:
        return math.sqrt(p) * math.sqrt(q)
    if combiner == MIN:
        return min(p, q)
    return sigmoid(x + y)


@kernel
def logit_bounds(combiner: int, score: float):  # type: ignore[no-untyped-def]
    """Return (least, total): what min(x, y) and x + y must reach for a score of at least `score`."""
    s = score * (1.0 - SLACK)
    if s < TINIEST_BOUND:
        return -np.inf, -np.inf
    if combiner == PRODUCT:
        root = math.sqrt(s)
        return math.log(s / (1.0 - s)), 2.0 * math.log(root / (1.0 - root))
    if combiner == HARMONIC:
        return math.log(s / (2.0 - 2.0 * s)), 2.0 * math.log(s / (1.0 - s))
    if combiner == GEOMETRIC:
        return math.log(s) + math.log(s / (1.0 - s * s)), 2.0 * math.log(s / (1.0 - s))
    if combiner == MIN:
        return math.log(s / (1.0 - s)), 2.0 * math.log(s / (1.0 - s))
    return -np.inf, math.log(s / (1.0 - s))


@kernel
def lower_log_odds(score: float, logits: float):  # type: ignore[no-untyped-def]
    """Return a score whose log odds are smaller by `logits`, and a little less for its own roundings."""
    return score / (score + (1.0 - score + SLACK) * math.exp(logits))


@kernel
def lowered(bound: float, margin: float):  # type: ignore[no-untyped-def]
    """Return a bound less a margin as float32, rounded down far enough to cover the rounding itself."""
    return np.float32(bound - margin - 1e-6 * (1.0 + abs(bound)))


@kernel(error_model="numpy")
def mutual_scores(combiner: int, x: Float64Array, y: Float64Array, score: Float64Array):  # type: ignore[no-untyped-def]
    """Write to `score` `(n,)` the `mutual_score` of logits x and y `(n,)`, float64 or float32."""
    if combiner == PRODUCT:
        for a in range(len(x)):
            score[a] = sigmoid(np.float64(x[a])) * sigmoid(np.float64(y[a]))
    elif combiner == CROSS_RATIO:
        for a in range(len(x)):
            score[a] = sigmoid(np.float64(x[a]) + np.float64(y[a]))
    else:
        for a in range(len(x)):
            p, q = sigmoid(np.float64(x[a])), sigmoid(np.float64(y[a]))
            score[a] = mutual_score(combiner, 0.0, 0.0, p, q)


@kernel(error_model="numpy")
def sigmoids(x: Float64Array, p: Float64Array):  # type: ignore[no-untyped-def]
    """Write to `p` `(n,)` float64 the sigmoid of each logit `(n,)`, float64 or float32."""
    for a in range(len(x)):
        p[a] = sigmoid(np.float64(x[a]))


@kernel
def exact_logits(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    taste: Float32Array,
    appeal: Float32Array,
    r: int,
    near: Float32Array,
    near_row: int,
    their_taste: Float32Array,
    their_appeal: Float32Array,
    place: Int32Array,
    others: Int32Array,
    first: int,
    last: int,
    x: Float64Array,
    y: Float64Array,
    to: int,
):
    """Write to x and y, from `to` on, the float64 logits of viewer r for `others[first:last]`, and back.

    taste, appeal: `(n_viewers, n_factors)`; near: `(n_from, n_places)`, of which `near_row` is that of the
    viewer's place; their_taste, their_appeal: `(n, n_factors)`; place: `(n,)`; others: positions int32.
    """
    sums = np.empty(8)
    for a in range(first, last, TOGETHER):
        c, d = others[a], others[min(a + 1, last - 1)]
        reproducible_dots(taste, appeal, r, their_taste, their_appeal, c, d, sums)
        at, close = to + a - first, np.float64(near[near_row, place[c]])
        x[at], y[at] = sums[0] + close, sums[1] + close
        if a + 1 < last:
            close = np.float64(near[near_row, place[d]])
            x[at + 1], y[at + 1] = sums[2] + close, sums[3] + close
