"""Lists as one row a viewer: what stood in rows below each other stands in arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.schema.columns import Columns as C

JOINED: Final = ","
"""What stands between the codes of one suggestion, because arrays of a database are rectangular."""

_ROWS_AT_ONCE: Final = 1 << 20


def viewer_rows(path: Path, *, rows_at_once: int = _ROWS_AT_ONCE) -> Any:
    """Return a reader of `(viewer_id, one array a column)` over a file of lists, in bounded memory.

    The file is in viewer and rank order, as `write_lists` leaves it; arrays are best first, so rank
    has no column. A column of lists (reasons) becomes an array of texts joined by commas.
    """
    file = pq.ParquetFile(path)
    first = _grouped(file.schema_arrow.empty_table())
    batches = (batch for table in _whole_lists(file, rows_at_once) for batch in _grouped(table).to_batches())
    return pa.RecordBatchReader.from_batches(first.schema, batches)


def _whole_lists(file: Any, rows_at_once: int) -> Iterator[Any]:
    """Yield tables of about `rows_at_once` rows that end where a list ends."""
    left_over = file.schema_arrow.empty_table()
    for batch in file.iter_batches(rows_at_once):
        table = pa.concat_tables([left_over, pa.Table.from_batches([batch])]).combine_chunks()
        viewer = table[C.VIEWER]
        last = pc.index(viewer, viewer[-1]).as_py()
        yield table.slice(0, last)
        left_over = table.slice(last)
    yield left_over


def _grouped(table: Any) -> Any:
    ends = _list_starts(table[C.VIEWER])
    offsets = pa.array(np.append(ends, len(table)), pa.int32())
    columns = {C.VIEWER: table[C.VIEWER].take(pa.array(ends, pa.int64()))}
    for name in table.column_names:
        if name not in (C.VIEWER, C.RANK):
            columns[name] = pa.ListArray.from_arrays(offsets, _flat(table[name]))
    return pa.table(columns)


def _list_starts(viewers: Any) -> np.ndarray:
    if not len(viewers):
        return np.empty(0, np.int64)
    changes = pc.not_equal(viewers.slice(1), viewers.slice(0, len(viewers) - 1))
    return np.concatenate([[0], np.flatnonzero(changes.to_numpy()) + 1])


def _flat(column: Any) -> Any:
    joined = pc.binary_join(column, JOINED) if pa.types.is_list(column.type) else column
    whole = joined.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
