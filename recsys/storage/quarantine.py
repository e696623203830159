"""One table of everything that was refused, whatever table it came from."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.quarantine import CODES, REASON, ROW_NUMBER

TABLE: Final = "table"
VALUES: Final = "values"
COLUMNS: Final = (TABLE, ROW_NUMBER, C.USER, CODES, REASON, VALUES)


def one_table(quarantined: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return refused rows of all tables as one frame that any store can hold.

    table, row_number (position from 0), user_id (None when it could not be read), codes (`column.rule`
    joined by "|", for counting), reason (sentences joined by "; "), values (JSON object of short
    texts, nothing that must not be kept).
    """
    frames = [_flat(name, frame) for name, frame in quarantined.items() if len(frame)]
    if not frames:
        empty = {name: pd.Series(dtype=object) for name in COLUMNS}
        return pd.DataFrame(empty).astype({ROW_NUMBER: "int64"})
    return pd.concat(frames, ignore_index=True)


def _flat(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in frame.columns if name not in {ROW_NUMBER, C.USER, CODES, REASON}]
    given = frame[columns].to_numpy(object).tolist()
    texts = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in given)
    flat = frame[[ROW_NUMBER, C.USER, CODES, REASON]].copy()
    flat.insert(0, TABLE, table)
    flat[VALUES] = pd.Series(np.fromiter(texts, object, len(frame)), dtype=object, index=frame.index)
    return flat.astype(dict.fromkeys((TABLE, C.USER, CODES, REASON), object))
