"""The table that a log of events becomes, made whole or part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.schema.columns import Columns as C
from recsys.simulation.event_log import DETAILS, SURFACES, TYPES, Columns, EventLog, utc

Rows = npt.NDArray[np.int64]
Ids = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class EventRows:
    """Events as rows of a table that is made when asked for: a large town has many.

    columns: as the log keeps them. order: which of them are rows, in the order of the table. first:
    the number of the first row.
    """

    columns: Columns
    order: Rows
    ids: Ids
    model_version: str
    first: int = 0

    def __len__(self) -> int:
        return len(self.order)

    def are(self, *kinds: str) -> Rows:
        """Return the rows of some types, `(n_found,)`."""
        codes = [TYPES.index(kind) for kind in kinds]
        return np.flatnonzero(np.isin(self.columns["type"][self.order], codes))

    def frame(self, rows: Rows | None = None) -> pd.DataFrame:
        """Return the table, or some rows of it."""
        which = self.order if rows is None else self.order[rows]
        numbers = np.arange(len(self.order)) if rows is None else rows

        def found(name: str) -> npt.NDArray[Any]:
            return self.columns[name][which]

        impression = found("type") == TYPES.index("impression")
        return pd.DataFrame(
            {
                C.EVENT: _numbered(self.first + numbers),
                C.TS: utc(found("ts")),
                C.ACTOR: _words(found("actor"), self.ids),
                C.TARGET: _words(found("target"), self.ids),
                C.TYPE: _words(found("type"), TYPES),
                C.SURFACE: _words(found("surface"), SURFACES),
                C.POSITION: _amounts(found("position")),
                C.PROPENSITY: found("propensity"),
                C.MODEL_VERSION: _words(np.where(impression, 0, -1), [self.model_version]),
                C.DETAIL: _words(found("detail"), DETAILS),
                C.COUNT: _amounts(found("count")),
                C.REPLY_LAG_H: found("lag").astype(np.float64).round(2),
            }
        )


def event_rows(
    log: EventLog, ids: Ids, *, model_version: str, first: int = 0, until: int | None = None
) -> EventRows:
    """Return the events of a log up to and including `until` (seconds), by time, numbered from `first`."""
    whole = log.columns()
    order = np.argsort(whole["ts"], kind="stable")
    if until is not None:
        order = order[: np.searchsorted(whole["ts"][order], until, side="right")]
    return EventRows(whole, order, ids, model_version, first)


def _numbered(numbers: Rows) -> pd.Series:
    """Return event ids, e0000000000 on, as one array, without a Python string each."""
    text = pa.large_string()
    padded = pc.utf8_lpad(pc.cast(pa.array(numbers), text), 10, "0")
    start, between = pa.scalar("e", text), pa.scalar("", text)
    return pd.Series(pc.binary_join_element_wise(start, padded, between).to_pandas(), dtype="str")


def _words(codes: npt.NDArray[Any], words: Sequence[str] | npt.NDArray[np.object_]) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(words, dtype=object)).astype("str"))


def _amounts(values: npt.NDArray[Any]) -> pd.Series:
    numbers = pd.Series(values.astype(np.int64), dtype="Int64")
    return numbers.mask(numbers < 0)
