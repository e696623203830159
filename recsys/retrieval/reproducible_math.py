"""One exact-as-can-be inner product, the same to the last bit on every processor.

Products of two float32 numbers are exact in float64; only their sum rounds, so its order decides the last
bits. Written as a plain loop it is either slow (one sum, each waiting for the last) or left to the compiler,
whose order differs between processors. So the order is stated: term f goes to lane f % 16 of two vectors of
eight, in turn, and the lanes are added as a tree. The compiler has vectors of eight in its own language and
turns them into whatever instructions there are, without reordering anything.
"""

import math
from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.kernels import USE_LLVM, kernel
from recsys.types import Float32Array, Float64Array

LANES: Final = 16
"""The number of factors is padded with zeros to a multiple, so that a sum has no loose end."""

_WIDTH: Final = 8


@kernel
def reproducible_dot(x: Float32Array, y: Float32Array):  # type: ignore[no-untyped-def]
    """Return the inner product of two float32 `(n,)` as float64; n is a multiple of LANES."""
    lanes = np.zeros(LANES)
    for start in range(0, len(x), LANES):
        for lane in range(LANES):
            lanes[lane] += np.float64(x[start + lane]) * np.float64(y[start + lane])
    for lane in range(_WIDTH):
        lanes[lane] += lanes[lane + _WIDTH]
    n = _WIDTH
    while n > 1:
        n //= 2
        for lane in range(n):
            lanes[lane] = lanes[2 * lane] + lanes[2 * lane + 1]
    return lanes[0]


TOGETHER: Final = 2
"""Candidates whose sums are taken side by side, sharing what is read of the viewer."""

_NARROW = ir.VectorType(ir.FloatType(), _WIDTH)
_WIDE = ir.VectorType(ir.DoubleType(), _WIDTH)


def _zeros(builder: Any) -> Any:
    return cgutils.alloca_once_value(builder, ir.Constant(_WIDE, [0.0] * _WIDTH))  # type: ignore[no-untyped-call]


def _terms(builder: Any, row: Any, at: Any) -> Any:
    return builder.fpext(
        builder.load(builder.bitcast(builder.gep(row, [at]), _NARROW.as_pointer()), align=4), _WIDE
    )


def _neighbours_added(builder: Any, a: Any, b: Any) -> Any:
    # Of two vectors of eight: the sums of neighbours, those of a, then those of b.
    even, odd = (
        builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), _WIDTH), lanes))
        for lanes in (list(range(0, 2 * _WIDTH, 2)), list(range(1, 2 * _WIDTH, 2)))
    )
    return builder.fadd(even, odd)


@intrinsic
def _dots(
    _: Any, taste: Any, appeal: Any, _r: Any, their_taste: Any, their_appeal: Any, _c: Any, _d: Any, sums: Any
) -> Any:
    # `reproducible_dots`.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        likes, pleases, row, others_like, others_please, one, two, out = (
            context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        width = builder.extract_value(likes.shape, 1)
        index = width.type

        def row_of(matrix: Any, at: Any) -> Any:
            return builder.gep(matrix.data, [builder.mul(at, width)])

        mine = row_of(likes, row), row_of(pleases, row)
        theirs = [(row_of(others_please, at), row_of(others_like, at)) for at in (one, two)]
        running = [[[_zeros(builder) for _ in "01"] for _ in mine] for _ in theirs]
        fused = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(_WIDE, [_WIDE] * 3), f"llvm.fmuladd.v{_WIDTH}f64"
        )
        with cgutils.for_range_slice(builder, index(0), width, index(LANES)) as (start, _):
            for part in range(2):
                at = builder.add(start, index(part * _WIDTH))
                terms = [_terms(builder, factors, at) for factors in mine]
                for rows, of_rows in zip(theirs, running, strict=True):
                    for factors, term, of_side in zip(rows, terms, of_rows, strict=True):
                        # Products are exact, so adding them in the same instruction changes no bit.
                        total = of_side[part]
                        added = builder.call(fused, [term, _terms(builder, factors, at), builder.load(total)])
                        builder.store(added, total)
        both = [
            builder.fadd(builder.load(low), builder.load(high))
            for of_rows in running
            for low, high in of_rows
        ]
        halves = [_neighbours_added(builder, *both[at : at + 2]) for at in (0, 2)]
        quarters = _neighbours_added(builder, *halves)
        found = _neighbours_added(builder, quarters, quarters)
        builder.store(found, builder.bitcast(builder.gep(out.data, [index(0)]), _WIDE.as_pointer()), align=8)
        return context.get_dummy_value()

    number = types.intp
    return types.void(taste, appeal, number, their_taste, their_appeal, number, number, sums), code


@kernel(forceinline=True)
def reproducible_dots_llvm(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    taste: Float32Array,
    appeal: Float32Array,
    r: int,
    their_taste: Float32Array,
    their_appeal: Float32Array,
    c: int,
    d: int,
    sums: Float64Array,
):
    """Write to `sums` the inner products of a viewer with two candidates as float64.

    taste, appeal: `(n_viewers, n)` float32, n a multiple of LANES; r: the viewer's row; their_taste,
    their_appeal: `(n_people, n)`; c, d: rows of the candidates; sums: `(8,)`, of which the first four are
    taste[r] with their_appeal[c], appeal[r] with their_taste[c], and the same with d.
    """
    _dots(taste, appeal, r, their_taste, their_appeal, c, d, sums)  # type: ignore[call-arg]


@kernel
def reproducible_dots_numba(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    taste: Float32Array,
    appeal: Float32Array,
    r: int,
    their_taste: Float32Array,
    their_appeal: Float32Array,
    c: int,
    d: int,
    sums: Float64Array,
):
    """Do the same, to the same bits, in plain numba: several times slower."""
    sums[0] = reproducible_dot(taste[r], their_appeal[c])
    sums[1] = reproducible_dot(appeal[r], their_taste[c])
    sums[2] = reproducible_dot(taste[r], their_appeal[d])
    sums[3] = reproducible_dot(appeal[r], their_taste[d])


reproducible_dots = reproducible_dots_llvm if USE_LLVM else reproducible_dots_numba


_TO_WHOLE: Final = 1.5 * 2.0**52  # added, it leaves a whole number in the lowest bits
_LOG2_HIGH: Final = float.fromhex("0x1.62e42feep-1")
_LOG2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_PER_LOG2: Final = 1.0 / math.log(2.0)
_LOWEST, _LOW, _LIFT = -1000.0, -700.0, 300.0
_LIFTED: Final = math.exp(-_LIFT)
_BIAS, _EXPONENT = np.int64(1023), np.int64(52)
_SERIES: Final = tuple(1.0 / math.factorial(power) for power in range(13, 1, -1))


@kernel
def exponential(z: float):  # type: ignore[no-untyped-def]
    """Return exp(z) for z <= 0, the same bits on every processor."""
    low = z < _LOW
    z = max(z, _LOWEST) + (_LIFT if low else 0.0)
    shifted = z * _PER_LOG2 + _TO_WHOLE
    n = shifted - _TO_WHOLE
    r = (z - n * _LOG2_HIGH) - n * _LOG2_LOW
    series = _SERIES[0]
    for a in range(1, 12):
        series = series * r + _SERIES[a]
    series = (series * r + 1.0) * r + 1.0
    power = np.int64((np.float64(shifted).view(np.int64) + _BIAS) << _EXPONENT).view(np.float64)
    return series * power * (_LIFTED if low else 1.0)


@kernel(error_model="numpy")
def sigmoid(x: float):  # type: ignore[no-untyped-def]
    """Return 1 / (1 + exp(-x)), the same bits on every processor."""
    small = exponential(-abs(x))
    return (1.0 if x >= 0 else small) / (1.0 + small)
