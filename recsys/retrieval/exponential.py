"""One exponential and one sigmoid, the same to the last bit on every processor, and made for vectors.

A library's exponential differs between systems in the last bit, and is called once a number. This one is a
few multiplications and additions in a stated order, which the compiler turns into vector instructions
without reordering anything. It is wrong by hardly more than the last bit.

    exp(z) = 2^n exp(r),  n = round(z / log 2),  r = z - n log 2,  |r| <= log(2) / 2

n log 2 is taken away in two parts, of which the first is exact (Cody and Waite, Software Manual for the
Elementary Functions, 1980); the series of exp(r) ends after r^13 / 13!, which leaves less than 5e-18. Below
-700 the power of two would leave the range of float64, so 300 is added and taken away again as a factor; what
underflows comes out as it should.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

Values = npt.NDArray[np.float64]

_TO_WHOLE: Final = 1.5 * 2.0**52  # added, it leaves a whole number in the lowest bits
_LOG2_HIGH: Final = float.fromhex("0x1.62e42feep-1")
_LOG2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_PER_LOG2: Final = 1.0 / math.log(2.0)
_LOWEST, _LOW, _LIFT = -1000.0, -700.0, 300.0
_LIFTED: Final = math.exp(-_LIFT)
_BIAS, _EXPONENT = np.int64(1023), np.int64(52)
_SERIES: Final = tuple(1.0 / math.factorial(power) for power in range(13, 1, -1))


@njit(nogil=True, cache=True)
def exponential(z: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # exp(z) for z <= 0.
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


@njit(nogil=True, cache=True, error_model="numpy")
def sigmoid(x: float):  # type: ignore[no-untyped-def]  # noqa: D103
    small = exponential(-abs(x))
    return (1.0 if x >= 0 else small) / (1.0 + small)


def plain_sigmoid(x: npt.ArrayLike) -> Values:
    """Return the same sigmoids by numpy: the definition.

    >>> plain_sigmoid([0.0, 1000.0]).tolist()
    [0.5, 1.0]
    """
    x = np.asarray(x, np.float64)
    low = -np.abs(x) < _LOW
    z = np.maximum(-np.abs(x), _LOWEST) + np.where(low, _LIFT, 0.0)
    n = np.rint(z * _PER_LOG2)
    r = (z - n * _LOG2_HIGH) - n * _LOG2_LOW
    series = np.full(x.shape, _SERIES[0])
    for term in _SERIES[1:]:
        series = series * r + term
    small = np.ldexp((series * r + 1.0) * r + 1.0, n.astype(int)) * np.where(low, _LIFTED, 1.0)
    return np.where(x >= 0, 1.0, small) / (1.0 + small)
