"""Broken rows among the good ones, as real sources have them, so that a quarantine has work.

Every broken row is one more row, of nobody real, with exactly one defect: what the good rows say
stays as it is.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import h3
import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T

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
            _set(C.MAX_DISTANCE_KM, 42),
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


def with_dirt(
    tables: Mapping[str, pd.DataFrame], share: float, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the tables with `share` as many broken rows added to each, anywhere between the good ones.

    >>> blocks = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "c"], "ts": ["2026-01-05T00:00Z"] * 2})
    >>> dirty = with_dirt({"blocks": blocks}, 0.5, np.random.default_rng(0))
    >>> len(dirty["blocks"]), int((dirty["blocks"].actor == dirty["blocks"].target).sum())
    (3, 1)
    """
    if share <= 0.0:
        return dict(tables)
    return {name: _dirty(name, table, share, rng) for name, table in tables.items()}


def _dirty(name: str, table: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    harmless = _harmless(name, table)
    count = round(share * len(table)) if len(harmless) else 0
    if not count:
        return table
    copied = table.iloc[harmless[np.sort(rng.integers(0, len(harmless), count))]].to_dict("records")
    defects = DEFECTS[name]
    broken = []
    for number, row in enumerate(copied):
        named = {str(column): value for column, value in row.items()}
        nobody: Row = {column: f"x{number:07d}" for column in _OWNERS if column in named}
        if C.EVENT in named:
            nobody[C.EVENT] = f"x{number:010d}"
        if C.CONSENT in named:
            nobody |= {C.MANDATORY: False}
        broken.append(defects[number % len(defects)](named | nobody))
    added = pd.DataFrame(broken, columns=table.columns)
    for column, dtype in table.dtypes.items():
        if added[str(column)].dtype != dtype:
            added[str(column)] = added[str(column)].astype(dtype)
    place = np.concatenate([np.arange(len(table)), rng.integers(0, len(table), count) + 0.5])
    order = np.argsort(place, kind="stable")
    return pd.DataFrame(  # one column at a time: a large town has many events
        {name: _taken([table[name], added[name]], order) for name in table}
    )


def _taken(parts: list[pd.Series], order: npt.NDArray[np.intp]) -> pd.Series:
    return pd.concat(parts, ignore_index=True).take(order).reset_index(drop=True)


def _harmless(name: str, table: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return the rows to copy: of events only exposures, so that no broken row speaks of safety."""
    if name != T.EVENTS:
        return np.arange(len(table))
    return np.flatnonzero(table[C.TYPE] == "impression")
