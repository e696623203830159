"""Integer dot products, both directions of a pair at once: the hot loop of the search.

Factors are held a second time as whole numbers of 16 bits (see quantization.py): half the bytes to read, and
processors multiply and add 32 pairs of them in one instruction. Sums of whole numbers do not round, so the
order in which they are added is the compiler's to choose.

It is written in the compiler's own language, in vectors: four candidates at a time share what is read of
the viewer, and their eight sums are folded together instead of one by one. In loops over numbers the
compiler does not find the instruction.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.kernels import USE_LLVM, kernel
from recsys.types import Float32Array, Int16Array, Int32Array

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


@kernel
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
