"""Corruption: broken rows among the good ones, as real sources have them, so that a quarantine has work.

Every broken row is one more row, of nobody real, with exactly one defect: what the good rows say
stays as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import h3
import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.simulation.event_log import EventRows
from recsys.types import Int64Array

Row = dict[str, Any]
Defect = Callable[[Row], Row]


def _set(column: str, value: Any) -> Defect:
    def defect(row: Row) -> Row:
        return row | {column: value}

    return defect


def _to_self(row: Row) -> Row:
    return row | {C.TARGET: row[C.ACTOR]}


_STREET: Final = h3.latlng_to_cell(35.681, 139.767, 9)

DEFECTS: Final[Mapping[str, tuple[Defect, ...]]] = MappingProxyType(
    {
        T.PROFILES: (
            _set(C.CELL, _STREET),
            _set(C.GENDER, "lady"),
            _set(C.MAX_DISTANCE_KM, 0),
            _set(C.INTENTS, ["romance"]),
            _set(C.TZ, "Tokyo"),
        ),
        T.BOUNDARIES: (
            _set(C.MEETING_SETTINGS, ["private_room"]),
            _set(C.CONTACT_FREQUENCY, "hourly"),
            _set(C.PHYSICAL_LINE, "maybe"),
        ),
        T.INTERESTS: (_set(C.LEVEL, 9), _set(C.TAG, "cinema\u202e"), _set(C.SHARE_MODE, "phone")),
        T.TALK_TOPICS: (_set(C.WEIGHT, 7), _set(C.ROLE, "shouts")),
        T.ANSWERS: (_set(C.IMPORTANCE, 5), _set(C.ANSWER, "perhaps"), _set(C.VISIBILITY, "friends")),
        T.COMMUNITIES: (_set(C.COMMUNITY, None), _set(C.COMMUNITY, "circle\x00")),
        T.TOKENS: (_set(C.HMAC, "5f4dcc3b5aa765d61d8327deb882cf99"),),
        T.EVENTS: (
            _set(C.TYPE, "wink"),
            _set(C.PROPENSITY, 1.7),
            _set(C.TARGET, None),
            _to_self,
        ),
        T.BLOCKS: (_to_self,),
        T.REPORTS: (_set(C.CATEGORY, "rude"),),
        T.HOLDS: (_set(C.STATE, "perhaps"),),
    }
)
"""What can be wrong with a row of each table, by turns."""

_OWNERS: Final = (C.USER, C.ACTOR)
COPIED_TYPE: Final = "impression"


@dataclass(frozen=True, eq=False)
class CorruptedRows:
    """Where broken rows go in a table of `n` rows.

    copied: `(count,)` rows they are broken copies of. order: `(n + count,)`; what is `n` or more is
    the broken row of that number less `n`.
    """

    copied: Int64Array
    order: Int64Array

    @classmethod
    def drawn(cls, n: int, copyable: Int64Array, share: float, rng: np.random.Generator) -> "CorruptedRows":
        """Draw `share` as many broken rows, anywhere between the good ones; none without a harmless row."""
        count = round(share * n) if len(copyable) else 0
        copied = copyable[np.sort(rng.integers(0, len(copyable), count))] if count else copyable[:0]
        after = rng.integers(0, max(n, 1), count)
        broken = np.argsort(after, kind="stable")
        order, good = np.empty(n + count, np.int64), np.ones(n + count, bool)
        place = after[broken] + 1 + np.arange(count)
        good[place], order[place] = False, n + broken
        order[good] = np.arange(n)
        return cls(copied, order)


def with_corruption(
    tables: Mapping[str, pd.DataFrame], share: float, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the tables with `share` as many broken rows added to each, anywhere between the good ones.

    >>> blocks = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "c"], "ts": ["2026-01-05T00:00Z"] * 2})
    >>> dirty = with_corruption({"blocks": blocks}, 0.5, np.random.default_rng(0))
    >>> len(dirty["blocks"]), int((dirty["blocks"].actor == dirty["blocks"].target).sum())
    (3, 1)
    """
    return {name: with_broken_rows(name, table, share, rng) for name, table in tables.items()}


def corrupted_events(events: EventRows, corruption: CorruptedRows, size: int) -> Iterator[pd.DataFrame]:
    """Yield the events `size` rows at a time, with broken rows as `with_corruption` adds them."""
    n = len(events)
    added = _broken(T.EVENTS, events.frame(corruption.copied))
    for start in range(0, max(len(corruption.order), 1), size):
        order = corruption.order[start : start + size]
        good, broken = order[order < n], order[order >= n] - n
        within = np.empty(len(order), np.int64)
        within[order < n] = np.arange(len(good))
        within[order >= n] = len(good) + np.arange(len(broken))
        yield _interleaved(events.frame(good), added.iloc[broken], within)


def with_broken_rows(name: str, table: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table with `share` as many broken rows; it is freed by columns where nothing else holds it."""
    if share <= 0.0:
        return table
    corruption = CorruptedRows.drawn(len(table), _copyable(name, table), share, rng)
    if not len(corruption.copied):
        return table
    broken, left = _broken(name, table.iloc[corruption.copied]), table.copy(deep=False)
    del table
    return _interleaved(left, broken, corruption.order)


def _broken(name: str, copied: pd.DataFrame) -> pd.DataFrame:
    """Return the rows, each as that of somebody who is not there, and with one defect."""
    defects = DEFECTS[name]
    broken = []
    for number, row in enumerate(copied.to_dict("records")):
        named = {str(column): value for column, value in row.items()}
        nobody: Row = {column: f"x{number:07d}" for column in _OWNERS if column in named}
        if C.EVENT in named:
            nobody[C.EVENT] = f"x{number:010d}"
        if C.CONSENT in named:
            nobody |= {C.MANDATORY: False}
        broken.append(defects[number % len(defects)](named | nobody))
    added = pd.DataFrame(broken, columns=copied.columns)
    for column, dtype in copied.dtypes.items():
        if added[str(column)].dtype != dtype:
            added[str(column)] = added[str(column)].astype(dtype)
    return added


def _interleaved(good: pd.DataFrame, broken: pd.DataFrame, order: Int64Array) -> pd.DataFrame:
    """Return both; the good rows are taken out of their frame a column at a time, and freed."""
    names = [str(name) for name in good]
    return pd.DataFrame({name: _taken([good.pop(name), broken[name]], order) for name in names})


def _taken(parts: list[pd.Series], order: Int64Array) -> pd.Series:
    return pd.concat(parts, ignore_index=True).take(order).reset_index(drop=True)


def _copyable(name: str, table: pd.DataFrame) -> Int64Array:
    """Return the rows to copy: of events only exposures, so that no broken row speaks of safety."""
    if name != T.EVENTS:
        return np.arange(len(table))
    return np.flatnonzero(table[C.TYPE] == COPIED_TYPE)
