"""Arrays that begin where a cache line begins: a vector read across two lines costs twice."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

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
