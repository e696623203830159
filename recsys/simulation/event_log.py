"""Events as they happen, kept small; see `event_rows` for the table they become."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS, EVENT_DETAILS

TYPES: Final = ENUMERATIONS[C.TYPE].words
DETAILS: Final = tuple(dict.fromkeys(word for words in EVENT_DETAILS.values() for word in words))
SURFACES: Final = ("list", "inbox", "talk")
NOBODY: Final = -1

Seconds = npt.NDArray[np.int64]
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
