"""Files of lists: the schema, writing, joining parts in bounded memory, copying without erased people."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.errors import InputError, explained, missing_columns
from recsys.messaging.reasons import Reasons
from recsys.parallel import one_ahead
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.redaction import library_reason
from recsys.storage.atomic_write import atomic_file
from recsys.storage.parquet_frames import dictionary_codes
from recsys.storage.publication import source_error_unless_lists
from recsys.types import BoolArray, Int64Array, ObjectArray

SCHEMA: Final = pa.schema(
    [
        pa.field(C.VIEWER, pa.string(), nullable=False),
        pa.field(C.CANDIDATE, pa.string(), nullable=False),
        pa.field(C.RANK, pa.int32(), nullable=False),
        pa.field(C.P_LIKE, pa.float32()),
        pa.field(C.P_LIKED_BACK, pa.float32()),
        pa.field(C.P_MUTUAL, pa.float32()),
        pa.field(C.PROPENSITY, pa.float32()),
        pa.field(C.REASONS, pa.list_(pa.string())),
    ]
)
_BY_DICTIONARY: Final = [C.VIEWER, C.CANDIDATE, C.RANK, C.PROPENSITY, f"{C.REASONS}.list.element"]
"""Columns of few different values; probabilities hardly repeat: coding them takes time and room."""
Keeps = Callable[[ObjectArray, ObjectArray], BoolArray]
Ids = Sequence[str] | npt.NDArray[np.object_]
ROWS_A_GROUP: Final = 1_000_000
ROWS_A_GROUP_OF_A_PART: Final = 50_000
"""Parts are joined a row group of each at a time, so theirs are small."""


def write_lists(path: Path, lists: pd.DataFrame) -> None:
    """Write lists in viewer and rank order; the same lists give the same bytes.

    Without a propensity column no lot decided anything, and it is 1.
    Raises InputError when a column is missing or holds the wrong kind of value.
    """
    lists = lists if C.PROPENSITY in lists else lists.assign(**{C.PROPENSITY: 1.0})
    missing = [name for name in SCHEMA.names if name not in lists]
    if missing:
        raise InputError(explained(missing_columns(missing), where="the lists"))
    ordered = lists[SCHEMA.names].sort_values([C.VIEWER, C.RANK], kind="stable")
    try:
        table = pa.Table.from_pandas(ordered, schema=SCHEMA, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(explained("not a table of lists", got=library_reason(error))) from None
    write_table(path, [table.replace_schema_metadata(None)])


def write_table(path: Path, batches: Iterable[pa.Table], rows_a_group: int | None = None) -> None:
    """Write tables of lists, one after another, as one file in full or not at all."""
    how: dict[str, Any] = {"compression": "zstd", "use_dictionary": _BY_DICTIONARY}
    with atomic_file(path) as file, pq.ParquetWriter(file, SCHEMA, **how) as writer:
        for batch in batches:
            writer.write_table(batch, row_group_size=rows_a_group or ROWS_A_GROUP)


def copy_lists(source: Path, target: Path, *, without: Ids = (), keeps: Keeps | None = None) -> None:
    """Write the lists of one file to another, a row group at a time, `without` some people.

    keeps: says which aligned viewers and candidates may stand in a list; everybody when None.

    A list closes up where somebody is removed: ranks stay 1, 2, 3 and so on. Lists that `write_lists`
    wrote keep their bytes; those of another tool are sorted, and without propensities these are 1.
    Raises SourceError when the file holds no lists.
    """
    groups = _row_groups(source)
    if not len(without) and keeps is None:
        write_table(target, groups)
        return
    ids = pa.array(without, pa.string())

    def chosen(group: pa.Table) -> pa.Table:
        named = pc.or_(*(pc.is_in(group[column], value_set=ids) for column in (C.VIEWER, C.CANDIDATE)))
        left = group.filter(pc.invert(named)) if len(without) else group
        if keeps is None:
            return left
        return left.filter(pa.array(keeps(*(_texts(left[c]) for c in (C.VIEWER, C.CANDIDATE)))))

    write_table(target, _closed_up(map(chosen, groups)))


def _texts(column: pa.ChunkedArray) -> ObjectArray:
    """Return a column of ids as objects, of which equal ones are one object: in each group few differ."""
    names, numbers = dictionary_codes(column)
    return names[numbers]


def _row_groups(source: Path) -> Iterator[pa.Table]:
    with source_error_unless_lists(source), pq.ParquetFile(source) as file:
        names = [name for name in SCHEMA.names if name != C.PROPENSITY or name in file.schema_arrow.names]
        numbers = range(file.num_row_groups)
        if _in_list_order(file.read_row_group(number, columns=[C.VIEWER, C.RANK]) for number in numbers):
            tables: Iterable[pa.Table] = (file.read_row_group(number, columns=names) for number in numbers)
        else:
            tables = [file.read(columns=names).sort_by([(C.VIEWER, "ascending"), (C.RANK, "ascending")])]
        for table in tables:
            if C.PROPENSITY not in names:
                table = table.append_column(C.PROPENSITY, pa.array(np.ones(len(table), np.float32)))  # noqa: PLW2901
            yield table.select(SCHEMA.names).cast(SCHEMA)


def _in_list_order(groups: Iterable[pa.Table]) -> bool:
    """Return whether rows ascend by viewer, and within a viewer by rank."""
    last: tuple[str, int] | None = None
    for group in groups:
        if not len(group):
            continue
        viewer, rank = (group[column].combine_chunks() for column in (C.VIEWER, C.RANK))
        first = (viewer[0].as_py(), rank[0].as_py())
        if last is not None and first < last:
            return False
        last = (viewer[-1].as_py(), rank[-1].as_py())
        before, after = viewer.slice(0, len(viewer) - 1), viewer.slice(1)
        same = pc.equal(after, before)
        ascends = pc.greater_equal(rank.slice(1), rank.slice(0, len(rank) - 1))
        if not pc.all(pc.if_else(same, ascends, pc.greater(after, before)), min_count=0).as_py():
            return False
    return True


def _closed_up(groups: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Return lists from which rows were removed with ranks 1, 2, 3 and so on."""
    viewer, n_listed = None, 0  # whom the last group ended with, and how many were left of their list
    for left in groups:
        if not len(left):
            continue
        names, viewers = dictionary_codes(left[C.VIEWER])
        first = np.append(True, viewers[1:] != viewers[:-1])
        begun = np.maximum.accumulate(np.where(first, np.arange(len(left)), 0))
        rank = np.arange(len(left)) - begun + 1
        rank[begun == 0] += n_listed if names[viewers[0]] == viewer else 0
        viewer, n_listed = names[viewers[-1]], int(rank[-1])
        at = left.schema.get_field_index(C.RANK)
        yield left.set_column(at, SCHEMA.field(at), pa.array(rank, pa.int32()))


def join_lists(parts: Sequence[Path], target: Path) -> int:
    """Write the lists of all parts as one file in viewer and rank order; return the number of rows.

    A viewer stands in one part alone, and each part is in viewer and rank order. The bytes are those of
    `write_lists`, however the viewers were cut into parts.

    Raises InputError for a part in another order.
    """
    order = _Order.of(parts)
    write_table(target, one_ahead(_in_order([_Reader(path) for path in parts], order)))
    return order.n_rows


class _Order(NamedTuple):
    """Every list in the order of the whole: the part it lies in, and where its rows end in the whole."""

    part: Int64Array
    ends: Int64Array

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

    def rows(self, start: int, stop: int) -> tuple[Int64Array, Int64Array]:
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


def _lists_of(path: Path) -> tuple[npt.NDArray[np.object_], Int64Array]:
    """Return the viewer and the length of every list of a part."""
    with pq.ParquetFile(path, read_dictionary=[C.VIEWER]) as file:
        names, viewer = dictionary_codes(file.read([C.VIEWER])[C.VIEWER])
    first = np.flatnonzero(np.diff(viewer, prepend=-1))
    return names[viewer[first]], np.diff(np.append(first, len(viewer)))


def _in_order(parts: Sequence["_Reader"], order: _Order) -> Iterator[pa.Table]:
    if not order.n_rows:
        yield SCHEMA.empty_table()
    for start in range(0, order.n_rows, ROWS_A_GROUP):
        n_rows, rows = order.rows(start, min(start + ROWS_A_GROUP, order.n_rows))
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


def list_table(
    pairs: RankedPairs, people: Population, reasons: Reasons | None, texts: pa.Array | None = None
) -> pa.Table:
    """Return suggestions as a table of lists; without `reasons` every pair's are empty.

    texts: the ids of the people as `id_texts` makes them, where there are many tables of the same people.
    """
    return _table(pairs, pairs.rank(), id_texts(people) if texts is None else texts, reasons)


def id_texts(people: Population) -> pa.Array:
    """Return the ids of all people as Arrow holds them."""
    return pa.array(people.ids.values, pa.string())


def list_tables(pairs: RankedPairs, people: Population, reasons: Reasons | None) -> Iterator[pa.Table]:
    """Return the same as tables of one row group each, one after another, for there may be many."""
    rank, texts = pairs.rank(), id_texts(people)
    for start in range(0, max(len(pairs), 1), ROWS_A_GROUP):
        here = slice(start, start + ROWS_A_GROUP)
        yield _table(pairs.filtered(here), rank[here], texts, reasons)


def _table(
    pairs: RankedPairs, rank: npt.NDArray[np.int32], texts: pa.Array, reasons: Reasons | None
) -> pa.Table:
    if reasons is None:
        names, numbers, starts = np.array([], object), np.zeros(0, np.int32), np.zeros(len(pairs) + 1, int)
    else:
        names, numbers, starts = reasons.coded(pairs.viewer, pairs.candidate)
    words = pa.DictionaryArray.from_arrays(numbers.astype(np.int32), pa.array(names, pa.string()))
    columns = {
        C.VIEWER: texts.take(pa.array(pairs.viewer)),
        C.CANDIDATE: texts.take(pa.array(pairs.candidate)),
        C.RANK: rank,
        C.P_LIKE: pairs.p_like.astype(np.float32),
        C.P_LIKED_BACK: pairs.p_liked_back.astype(np.float32),
        C.P_MUTUAL: pairs.p_mutual.astype(np.float32),
        C.PROPENSITY: np.ones(len(pairs), np.float32) if pairs.propensity is None else pairs.propensity,
        C.REASONS: pa.ListArray.from_arrays(starts.astype(np.int32), words.cast(pa.string())),
    }
    return pa.table(columns, schema=SCHEMA)
