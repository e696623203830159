"""The lists of many parts become one file, with a little of each part in memory at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import InputError, explained
from recsys.publication import list_table
from recsys.publication.list_table import SCHEMA, write_table
from recsys.schema.columns import Columns as C
from recsys.storage.coded_columns import distinct

Numbers = npt.NDArray[np.int64]


def join_lists(parts: Sequence[Path], target: Path) -> int:
    """Write the lists of all parts as one file in viewer and rank order; return the number of rows.

    A viewer stands in one part alone, and each part is in viewer and rank order. The bytes are those of
    `write_lists`, however the viewers were cut into parts.

    Raises InputError for a part in another order.
    """
    order = _Order.of(parts)
    write_table(target, _in_order([_Reader(path) for path in parts], order))
    return order.n_rows


class _Order(NamedTuple):
    """Every list in the order of the whole: the part it lies in, and where its rows end in the whole."""

    part: Numbers
    ends: Numbers

    @property
    def n_rows(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    @classmethod
    def of(cls, parts: Sequence[Path]) -> Self:
        found = [_lists_of(path) for path in parts]
        viewers = np.concatenate([np.empty(0, object), *(names for names, _ in found)])
        lengths = np.concatenate([np.empty(0, np.int64), *(rows for _, rows in found)])
        part = np.repeat(np.arange(len(parts)), [len(names) for names, _ in found])
        order = np.argsort(viewers, kind="stable")
        place = np.argsort(order)
        if ((np.diff(place) < 0) & (np.diff(part) == 0)).any():
            raise InputError(explained("the lists of a part are not in the order of viewers", where="parts"))
        return cls(part[order], np.cumsum(lengths[order]))

    def rows(self, start: int, stop: int) -> tuple[Numbers, Numbers]:
        """Return the number of rows of each part among rows `start` to `stop`, and where each row stands.

        Rows stand one part after another, those of a part in its own order.
        """
        first, last = np.searchsorted(self.ends, (start, stop - 1), side="right")
        lists = slice(first, last + 1)
        begins = np.append(0, self.ends)[lists]
        n_rows = np.minimum(self.ends[lists], stop) - np.maximum(begins, start)
        by_part = np.argsort(self.part[lists], kind="stable")
        at = np.empty(len(n_rows), np.int64)
        at[by_part] = np.cumsum(n_rows[by_part]) - n_rows[by_part]
        moved = np.repeat(at - (np.cumsum(n_rows) - n_rows), n_rows)
        return np.bincount(self.part[lists], weights=n_rows).astype(np.int64), moved + np.arange(stop - start)


def _lists_of(path: Path) -> tuple[npt.NDArray[np.object_], Numbers]:
    """Return the viewer and the length of every list of a part."""
    with pq.ParquetFile(path, read_dictionary=[C.VIEWER]) as file:
        names, viewer = distinct(file.read([C.VIEWER])[C.VIEWER])
    first = np.flatnonzero(np.diff(viewer, prepend=-1))
    return names[viewer[first]], np.diff(np.append(first, len(viewer)))


def _in_order(parts: Sequence["_Reader"], order: _Order) -> Iterator[pa.Table]:
    if not order.n_rows:
        yield SCHEMA.empty_table()
    for start in range(0, order.n_rows, list_table.ROWS_A_GROUP):
        n_rows, rows = order.rows(start, min(start + list_table.ROWS_A_GROUP, order.n_rows))
        pieces = [part.next(n) for part, n in zip(parts, n_rows.tolist(), strict=False) if n]
        yield pa.concat_tables(pieces).combine_chunks().take(pa.array(rows))


@dataclass
class _Reader:
    """The rows of a part from front to back, a row group in memory at a time."""

    path: Path
    group: int = 0
    left: pa.Table | None = None

    def next(self, n_rows: int) -> pa.Table:
        """Return the next rows; the file is open only while it is read, for there may be many."""
        tables = [] if self.left is None else [self.left]
        if sum(map(len, tables)) < n_rows:
            with pq.ParquetFile(self.path) as file:
                while sum(map(len, tables)) < n_rows:
                    tables.append(file.read_row_group(self.group))
                    self.group += 1
        whole = pa.concat_tables(tables)
        self.left = whole.slice(n_rows)
        return whole.slice(0, n_rows)
