"""Factors as whole numbers of 16 bits, and how far logits from them can be wrong.

A matrix is divided by one step and rounded. The step is the smallest for which no number exceeds 16 bits
and no row's norm exceeds 46,000: then no sum of products exceeds 46,340^2 < 2^31 (Cauchy-Schwarz), so that
sums of 32 bits hold them. Two sums come of a pair, each worth (taste step) x (appeal step) of a logit.

How far such a logit can be wrong
---------------------------------
A row t becomes t + e, and each of its n factors is wrong by at most half a step, so that the norm
|e| <= sqrt(n) step / 2. For a taste t and an appeal a, with errors e and f,

    |(t + e)(a + f) - t a| <= |t| |f| + |e| |a| + |e| |f|

The sum of products is exact. Making it a float32, its unit and distance decay added round four times, by
2^-24 of what is rounded each. `margin_of` takes this with the largest norms of anybody, and more than enough
for the roundings of its own. The step is that of the largest row: one person of enormous factors makes
everybody's margin wide, which costs time and changes no result.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.retrieval.dot_products import STEP
from recsys.types import Float32Array, Float64Array, Int16Array

LINE: Final = 64


def aligned_zeros(shape: tuple[int, ...], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros that begins at a cache line.

    >>> aligned_zeros((3, 5), np.int16).ctypes.data % LINE
    0
    """
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + size].view(kind).reshape(shape)


_LARGEST_NUMBER: Final = 32_766.0
_LARGEST_NORM: Final = 46_000.0
_LEAST_STEP: Final = 1e-30
_HALF: Final = 0.51  # and a little more, for dividing by the step
_ROWS_AT_ONCE: Final = 4096


def norms(rows: Float32Array) -> Float64Array:
    """Return the length of each row, `(n,)`."""
    return np.sqrt(np.einsum("nf,nf->n", rows, rows, dtype=np.float64))


def step_of(rows: Float32Array) -> float:
    """Return what one of a matrix's whole numbers is worth."""
    largest = max(float(rows.max(initial=0.0)), -float(rows.min(initial=0.0)))
    return max(float(norms(rows).max(initial=0.0)) / _LARGEST_NORM, largest / _LARGEST_NUMBER, _LEAST_STEP)


def quantized(taste: Float32Array, appeal: Float32Array, steps: Float64Array) -> Int16Array:
    """Return both as whole numbers side by side, `(n, 2 w)`, w the number of factors padded to `STEP`.

    >>> one = np.ones((1, 4), np.float32)
    >>> quantized(one, 2 * one, np.array([0.5, 0.5]))[0, [0, 3, 4, 32]].tolist()
    [2, 2, 0, 4]
    """
    n, n_factors = taste.shape
    width = -(-n_factors // STEP) * STEP
    out = aligned_zeros((n, 2, width), np.int16)
    for first in range(0, n, _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        for side, (rows, step) in enumerate(zip((taste, appeal), steps, strict=True)):
            out[part, side, :n_factors] = np.rint(rows[part] / step)
    return out.reshape(n, 2 * width)


def largest_of(taste: Float32Array, appeal: Float32Array, near: Float32Array) -> Float64Array:
    """Return the largest norm of a taste, of an appeal, and the largest logit of distance decay, `(3,)`."""
    widest = [norms(rows).max(initial=0.0) for rows in (taste, appeal)]
    return np.array([*widest, float(np.abs(near).max(initial=0.0))])


def margin_of(
    taste: Float32Array,
    appeal: Float32Array,
    steps: Float64Array,
    largest: Float64Array,
    their_steps: Float64Array,
) -> Float64Array:
    """Return how far any logit from whole numbers can be wrong, of each person with people of `largest`.

    steps: of `taste` and `appeal`; their_steps: of the others' tastes and appeals.

    >>> one, steps = np.ones((1, 4), np.float32), np.full(2, 1e-4)
    >>> bool(0 < margin_of(one, one, steps, largest_of(one, one, one), steps)[0] < 1e-3)
    True
    """
    wrong, their_wrong = (_HALF * np.sqrt(taste.shape[1]) * each for each in (steps, their_steps))
    widest_taste, widest_appeal, nearest = largest
    margins = []
    for rows, widest, mine, theirs in (
        (taste, widest_appeal, wrong[0], their_wrong[1]),
        (appeal, widest_taste, wrong[1], their_wrong[0]),
    ):
        norm = norms(rows)
        roundings = 2.0**-21 * ((norm + mine) * (widest + theirs) + nearest)
        margins.append(norm * theirs + mine * widest + mine * theirs + roundings)
    return np.maximum(*margins) + 1e-25
