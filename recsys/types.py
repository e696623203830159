"""Types of arrays, tables and seeds, named once."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Int16Array = npt.NDArray[np.int16]
Int8Array = npt.NDArray[np.int8]
UInt64Array = npt.NDArray[np.uint64]
UInt8Array = npt.NDArray[np.uint8]
UInt16Array = npt.NDArray[np.uint16]
UInt32Array = npt.NDArray[np.uint32]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
ObjectArray = npt.NDArray[np.object_]
BytesArray = npt.NDArray[np.bytes_]
IntegerArray = npt.NDArray[np.integer]
Arrays = dict[str, npt.NDArray[Any]]
RNGLike = int | np.random.Generator
"""A seed, or a generator from which the next numbers are drawn."""


class ArrowTable(Protocol):
    """A table of any library that gives itself as an Arrow stream: pandas, polars, pyarrow, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream."""
        ...
