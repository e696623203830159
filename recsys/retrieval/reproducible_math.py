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
from recsys.types import Float32Array

LANES: Final = 16
"""The number of factors is padded with zeros to a multiple, so that a sum has no loose end."""

_WIDTH: Final = 8


def _zeros(builder: Any, kind: Any) -> Any:
    return cgutils.alloca_once_value(builder, ir.Constant(kind, [0.0] * _WIDTH))  # type: ignore[no-untyped-call]


@intrinsic
def _sum(_: Any, x: Any, y: Any) -> Any:
    # The sum of x * y of two contiguous float32 arrays, a multiple of LANES long, as float64.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        narrow, wide = ir.VectorType(ir.FloatType(), _WIDTH), ir.VectorType(ir.DoubleType(), _WIDTH)
        sums = [_zeros(builder, wide), _zeros(builder, wide)]
        n, one = arrays[0].nitems, context.get_constant(types.intp, LANES)
        with cgutils.for_range_slice(builder, n.type(0), n, one) as (start, _):
            for part, running in enumerate(sums):
                at = builder.add(start, n.type(part * _WIDTH))
                terms = [
                    builder.fpext(
                        builder.load(
                            builder.bitcast(builder.gep(a.data, [at]), narrow.as_pointer()), align=4
                        ),
                        wide,
                    )
                    for a in arrays
                ]
                builder.store(builder.fadd(builder.load(running), builder.fmul(*terms)), running)
        both = builder.fadd(builder.load(sums[0]), builder.load(sums[1]))
        left = [builder.extract_element(both, ir.Constant(ir.IntType(32), lane)) for lane in range(_WIDTH)]
        while len(left) > 1:
            left = [builder.fadd(a, b) for a, b in zip(left[::2], left[1::2], strict=True)]
        return left[0]

    return types.float64(x, y), code


@kernel
def reproducible_dot_llvm(x: Float32Array, y: Float32Array):  # type: ignore[no-untyped-def]
    """Return the inner product of two float32 `(n,)` as float64; n is a multiple of LANES."""
    return _sum(x, y)  # type: ignore[call-arg]


@kernel
def reproducible_dot_numba(x: Float32Array, y: Float32Array):  # type: ignore[no-untyped-def]
    """Return the same, to the same bits, in plain numba: several times slower."""
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


reproducible_dot = reproducible_dot_llvm if USE_LLVM else reproducible_dot_numba


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
