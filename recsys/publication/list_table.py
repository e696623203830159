"""Lists as one Parquet file whose bytes depend on the lists alone."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.errors import InputError, explained
from recsys.schema.columns import Columns as C
from recsys.storage.durable import durable_file
from recsys.storage.published import refused_unless_lists

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
        raise InputError(explained("a column is missing", where="the lists", got=", ".join(missing)))
    ordered = lists[SCHEMA.names].sort_values([C.VIEWER, C.RANK], kind="stable")
    try:
        table = pa.Table.from_pandas(ordered, schema=SCHEMA, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(explained("not a table of lists", got=str(error))) from error
    write_table(path, [table.replace_schema_metadata(None)])


def write_table(path: Path, batches: Iterable[pa.Table], rows_a_group: int | None = None) -> None:
    """Write tables of lists, one after another, as one file in full or not at all."""
    with durable_file(path) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch, row_group_size=rows_a_group or ROWS_A_GROUP)


def copy_lists(source: Path, target: Path, *, without: Ids = ()) -> None:
    """Write the lists of a file of this schema to another, part by part, `without` some people.

    A list closes up where somebody is gone: ranks stay 1, 2, 3 and so on. With everybody the bytes stay.
    Raises SourceError when the file holds no lists.
    """
    parts = _parts(source)
    write_table(target, _left(parts, without) if len(without) else parts)


def _parts(source: Path) -> Iterator[pa.Table]:
    with refused_unless_lists(source), pq.ParquetFile(source) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number).select(SCHEMA.names).cast(SCHEMA)


def _left(parts: Iterable[pa.Table], without: Ids) -> Iterator[pa.Table]:
    gone = pa.array(without, pa.string())
    viewer, n_listed = None, 0  # whom the last part ended with, and how many were left of their list
    for part in parts:
        named = pc.or_(*(pc.is_in(part[column], value_set=gone) for column in (C.VIEWER, C.CANDIDATE)))
        left = part.filter(pc.invert(named))
        if not len(left):
            continue
        viewers = left[C.VIEWER].to_numpy()
        first = np.append(True, viewers[1:] != viewers[:-1])
        begun = np.maximum.accumulate(np.where(first, np.arange(len(left)), 0))
        rank = np.arange(len(left)) - begun + 1
        rank[begun == 0] += n_listed if viewers[0] == viewer else 0
        viewer, n_listed = viewers[-1], int(rank[-1])
        at = left.schema.get_field_index(C.RANK)
        yield left.set_column(at, SCHEMA.field(at), pa.array(rank, pa.int32()))
