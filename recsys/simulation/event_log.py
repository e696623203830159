"""The event log of the town as compact columns, and the table it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS
from recsys.memory import return_freed_memory
from recsys.types import Int64Array, ObjectArray

TYPES: Final = ENUMERATIONS[C.TYPE].words
DETAILS: Final = tuple(dict.fromkeys(word for words in EVENT_DETAILS.values() for word in words))
SURFACES: Final = ("list", "inbox", "talk")
NOBODY: Final = -1
Columns = dict[str, npt.NDArray[Any]]

_FIELDS: Final = {
    "ts": np.int64,
    "actor": np.int32,
    "target": np.int32,
    "type": np.int8,
    "surface": np.int8,
    "position": np.int32,
    "propensity": np.float64,
    "detail": np.int16,
    "count": np.int32,
    "lag": np.float32,
}
_UNKNOWN: Final = {
    "surface": -1,
    "position": -1,
    "propensity": np.nan,
    "detail": -1,
    "count": -1,
    "lag": np.nan,
}


class EventLog:
    """A growing log of events; times are whole seconds since 1970 UTC, people are rows."""

    def __init__(self) -> None:
        self._parts: list[Columns] = []

    def add(
        self, kind: str, ts: npt.ArrayLike, actor: npt.ArrayLike, target: npt.ArrayLike, **more: object
    ) -> None:
        """Add aligned events of one type.

        more: `surface` and `detail` (a word or an array of words), `position`, `propensity`,
        `count`, `lag` (hours).
        """
        n = np.size(actor)
        if n == 0:
            return
        given: dict[str, object] = {"ts": ts, "actor": actor, "target": target, "type": TYPES.index(kind)}
        given |= more
        given["surface"] = _coded(given.get("surface"), SURFACES)
        given["detail"] = _coded(given.get("detail"), DETAILS)
        self._parts.append(
            {
                name: np.broadcast_to(np.asarray(given.get(name, _UNKNOWN.get(name))), (n,)).astype(dtype)
                for name, dtype in _FIELDS.items()
            }
        )

    def extend(self, other: "EventLog") -> None:
        """Take over the events of another log."""
        self._parts += other._parts

    def pick(self, *kinds: str) -> Columns:
        """Return the columns of all events of some types, in the order they were added."""
        codes = [TYPES.index(kind) for kind in kinds]
        whole = self.columns()
        kept = np.isin(whole["type"], codes)
        return {name: values[kept] for name, values in whole.items()}

    def columns(self) -> Columns:
        """Return all events, a column each, in the order they were added."""
        if not self._parts:
            return {name: np.empty(0, dtype) for name, dtype in _FIELDS.items()}
        parts = [dict(part) for part in self._parts]
        self._parts = []  # a column at a time: a large town has many events
        whole = {name: np.concatenate([part.pop(name) for part in parts]) for name in _FIELDS}
        self._parts = [whole]
        return whole


def seconds(time: pd.Timestamp) -> int:
    """Return a time as whole seconds since 1970 UTC.

    >>> seconds(pd.Timestamp("1970-01-02", tz="UTC"))
    86400
    """
    return int(time.timestamp())


def utc(ts: npt.ArrayLike) -> pd.Series:
    """Return whole seconds since 1970 as UTC times."""
    stamps = np.asarray(ts, np.int64).astype("datetime64[s]").astype("datetime64[us]")
    return pd.Series(stamps).dt.tz_localize("UTC")


def _coded(words: object, known: tuple[str, ...]) -> object:
    if words is None:
        return -1
    if isinstance(words, str):
        return known.index(words)
    codes = {word: code for code, word in enumerate(known)}
    return np.array([codes[word] for word in np.asarray(words, dtype=object).tolist()], dtype=np.int16)


@dataclass(frozen=True, eq=False)
class EventRows:
    """Events as rows of a table that is made when asked for: a large town has many.

    columns: as the log keeps them. order: which of them are rows, in the order of the table. first:
    the number of the first row.
    """

    columns: Columns
    order: Int64Array
    ids: ObjectArray
    model_version: str
    first: int = 0

    def __len__(self) -> int:
        return len(self.order)

    def are(self, *kinds: str) -> Int64Array:
        """Return the rows of some types, `(n_found,)`."""
        codes = [TYPES.index(kind) for kind in kinds]
        return np.flatnonzero(np.isin(self.columns["type"][self.order], codes))

    def frame(self, rows: Int64Array | None = None) -> pd.DataFrame:
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
    log: EventLog, ids: ObjectArray, *, model_version: str, first: int = 0, until: int | None = None
) -> EventRows:
    """Return the events of a log up to and including `until` (seconds), by time, numbered from `first`."""
    whole = log.columns()
    return_freed_memory()  # of the parts that the columns were put together from
    order = np.argsort(whole["ts"], kind="stable")
    if until is not None:
        order = order[: np.count_nonzero(whole["ts"] <= until)]
    return EventRows(whole, order, ids, model_version, first)


def _numbered(numbers: Int64Array) -> pd.Series:
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
