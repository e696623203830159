"""Lists as one Parquet file whose bytes depend on the lists alone."""

from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import InputError, explained
from recsys.schema.columns import Columns as C
from recsys.storage.durable import durable_file

SCHEMA: Final = pa.schema(
    [
        pa.field(C.VIEWER, pa.string(), nullable=False),
        pa.field(C.CANDIDATE, pa.string(), nullable=False),
        pa.field(C.RANK, pa.int32(), nullable=False),
        pa.field(C.P_LIKE, pa.float32()),
        pa.field(C.P_LIKED_BACK, pa.float32()),
        pa.field(C.P_MUTUAL, pa.float32()),
        pa.field(C.REASONS, pa.list_(pa.string())),
    ]
)
_ROWS_A_GROUP: Final = 1_000_000


def write_lists(path: Path, lists: pd.DataFrame) -> None:
    """Write lists in viewer and rank order; the same lists give the same bytes.

    Raises InputError when a column is missing or holds the wrong kind of value.
    """
    missing = [name for name in SCHEMA.names if name not in lists]
    if missing:
        raise InputError(explained("a column is missing", where="the lists", got=", ".join(missing)))
    ordered = lists[SCHEMA.names].sort_values([C.VIEWER, C.RANK], kind="stable")
    try:
        table = pa.Table.from_pandas(ordered, schema=SCHEMA, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(explained("not a table of lists", got=str(error))) from error
    with durable_file(path) as file:
        pq.write_table(
            table.replace_schema_metadata(None), file, compression="zstd", row_group_size=_ROWS_A_GROUP
        )
