"""Quantisation: factors as 16-bit whole numbers, their integer dot products, and how far logits can be wrong.

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

The products
------------
Half the bytes are read, and processors multiply and add 32 pairs of such numbers in one instruction. Sums of
whole numbers do not round, so the order in which they are added is the compiler's to choose. The loop is
written in the compiler's own language, in vectors: four candidates at a time share what is read of a viewer,
and their eight sums are folded together instead of one by one; in loops over numbers the compiler does not
find the instruction.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.kernels import USE_LLVM, kernel
from recsys.types import Float32Array, Float64Array, Int16Array, Int32Array

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


TOGETHER: Final = 4
"""Candidates multiplied at a time; lists of them are filled up to a multiple."""

STEP: Final = 32
"""The number of whole factors is padded with zeros to a multiple, so that a sum has no loose end."""

_LANES: Final = 16
_NUMBER = ir.IntType(32)
_SUMS = ir.VectorType(_NUMBER, _LANES)
_TERMS = ir.VectorType(ir.IntType(16), STEP)
_FOUR = ir.VectorType(ir.FloatType(), TOGETHER)


def _zeros(builder: Any) -> Any:
    return cgutils.alloca_once_value(builder, ir.Constant(_SUMS, [0] * _LANES))  # type: ignore[no-untyped-call]


def _picked(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_NUMBER, len(lanes)), lanes))


def _added(builder: Any, a: Any, b: Any) -> Any:
    # Products of 32 pairs, neighbours added: 16 sums. A processor may have one instruction for all of it.
    wide = ir.VectorType(_NUMBER, STEP)
    product = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    halves = [_picked(builder, product, product, list(range(first, STEP, 2))) for first in (0, 1)]
    return builder.add(*halves)


def _folded(builder: Any, vectors: list[Any]) -> Any:
    # Eight vectors of 16 lanes into one of eight: the sum of each, in order. Two vectors at a time are
    # halved and put side by side.
    width = _LANES // 2
    while len(vectors) > 1:
        low = [lane for lane in range(_LANES) if lane // width % 2 == 0]
        high = [lane + width for lane in low]
        sides = [[*side, *(_LANES + lane for lane in side)] for side in (low, high)]
        vectors = [
            builder.add(*(_picked(builder, a, b, side) for side in sides))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        width //= 2
    pair = vectors[0]
    return builder.add(*(_picked(builder, pair, pair, list(range(first, _LANES, 2))) for first in (0, 1)))


@intrinsic
def _multiply_four(  # noqa: PLR0917
    _: Any, mine: Any, r: Any, theirs: Any, columns: Any, at: Any, unit: Any, x: Any, y: Any
) -> Any:
    # Writes x[at:at + 4] and y[at:at + 4] for the people columns[at:at + 4].

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ours, row, others, which, at, worth, likes, liked = (
            context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        width = builder.extract_value(others.shape, 1)
        index = width.type
        half = builder.lshr(width, index(1))
        me, rows = builder.gep(ours.data, [builder.mul(row, width)]), []
        for c in range(TOGETHER):
            column = builder.load(builder.gep(which.data, [builder.add(at, index(c))]))
            rows.append(builder.gep(others.data, [builder.mul(builder.sext(column, index), width)]))
        sums = [_zeros(builder) for _ in range(2 * TOGETHER)]

        def terms(row: Any, place: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(row, [place]), _TERMS.as_pointer()), align=2)

        with cgutils.for_range_slice(builder, index(0), half, index(STEP)) as (taste, _):
            appeal = builder.add(taste, half)
            my_taste, my_appeal = terms(me, taste), terms(me, appeal)
            for c, row in enumerate(rows):
                for my_terms, place, total in (
                    (my_taste, appeal, sums[c]),
                    (my_appeal, taste, sums[TOGETHER + c]),
                ):
                    added = _added(builder, my_terms, terms(row, place))
                    builder.store(builder.add(builder.load(total), added), total)
        found = _folded(builder, [builder.load(total) for total in sums])
        numbers = builder.sitofp(found, ir.VectorType(ir.FloatType(), 2 * TOGETHER))
        for side, out in enumerate((likes, liked)):
            four = _picked(builder, numbers, numbers, list(range(side * TOGETHER, (side + 1) * TOGETHER)))
            one = builder.load(builder.gep(worth.data, [index(side)]))
            each = builder.insert_element(ir.Constant(_FOUR, ir.Undefined), one, _NUMBER(0))
            four = builder.fmul(four, _picked(builder, each, each, [0] * TOGETHER))
            builder.store(four, builder.bitcast(builder.gep(out.data, [at]), _FOUR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(mine, r, theirs, columns, at, unit, x, y), code


@kernel(forceinline=True)
def multiply_llvm(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mine: Int16Array,
    r: int,
    theirs: Int16Array,
    columns: Int32Array,
    n: int,
    unit: Float32Array,
    x: Float32Array,
    y: Float32Array,
):
    """Write to x and y `(n,)` float32 the logits of mine[r] for each of columns[:n], and back.

    mine, theirs: `(n, 2 w)` int16, taste then appeal; unit: `(2,)` float32, what one of a sum of products is
    worth in logits. columns, x and y have room for n rounded up to TOGETHER.
    """
    for spare in range(n, -(-n // TOGETHER) * TOGETHER):
        columns[spare] = columns[n - 1]
    for at in range(0, n, TOGETHER):
        _multiply_four(mine, r, theirs, columns, at, unit, x, y)  # type: ignore[call-arg]


@kernel
def multiply_numba(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mine: Int16Array,
    r: int,
    theirs: Int16Array,
    columns: Int32Array,
    n: int,
    unit: Float32Array,
    x: Float32Array,
    y: Float32Array,
):
    """Do the same, to the same bits, in plain numba."""
    half = theirs.shape[1] // 2
    for at in range(n):
        c = columns[at]
        like, liked = np.int32(0), np.int32(0)
        for f in range(half):
            like = np.int32(like + np.int32(mine[r, f]) * np.int32(theirs[c, half + f]))
            liked = np.int32(liked + np.int32(mine[r, half + f]) * np.int32(theirs[c, f]))
        x[at], y[at] = np.float32(like) * unit[0], np.float32(liked) * unit[1]


multiply = multiply_llvm if USE_LLVM else multiply_numba


@intrinsic
def _prefetch_row(_: Any, matrix: Any, _r: Any) -> Any:

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, row = context.make_array(signature.args[0])(context, builder, arguments[0]), arguments[1]
        width = builder.extract_value(rows.shape, 1)
        first = builder.gep(rows.data, [builder.mul(row, width)])
        flag, size = ir.IntType(32), width.type(signature.args[0].dtype.bitwidth // 8)
        pointer = ir.IntType(8).as_pointer()
        ask = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag]), "llvm.prefetch.p0"
        )
        memory = builder.bitcast(first, pointer)
        with cgutils.for_range_slice(builder, size.type(0), builder.mul(width, size), size.type(LINE)) as (
            at,
            _,
        ):
            builder.call(ask, [builder.gep(memory, [at]), flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(matrix, types.intp), code


@kernel(forceinline=True)
def prefetch_row_llvm(matrix: Int16Array, r: int):  # type: ignore[no-untyped-def]
    """Ask for row r of a matrix `(n, 2 w)`, so that it comes from memory while other work goes on."""
    _prefetch_row(matrix, r)  # type: ignore[call-arg]


@kernel
def prefetch_row_numba(matrix: Int16Array, r: int):  # type: ignore[no-untyped-def]
    """Do nothing: numba has no word for it."""


prefetch_row = prefetch_row_llvm if USE_LLVM else prefetch_row_numba
