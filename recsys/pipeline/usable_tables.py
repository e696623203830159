"""The tables of a night that cannot be used, as far as each can: by columns, and by rows of one key."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.id_spellings import as_id_text
from recsys.data.tables import CONTRACTS, read_and_check
from recsys.types import Int64Array

NEEDED: Final = (T.PROFILES, T.BOUNDARIES)
"""Without these two there are no people to load."""
MOST_ROWS: Final = 4
"""How many rows that repeat each other and say something else are looked at."""
_IDS: Final = (C.USER, C.ACTOR, C.TARGET)
_AS_TEXTS: Final = (*_IDS, C.PERSON_TOKEN, C.ACCOUNT_STATE, C.STATE, C.TYPE)
_NOT_DECODED: Final = "\ufffd"


def usable_tables(
    given: Mapping[str, pd.DataFrame], broken: Collection[str], at: int = 0
) -> dict[str, pd.DataFrame]:
    """Return each table as far as it can be used; the tables of people are empty where they cannot.

    broken: tables that cannot be used as they are. at: which of several rows of one key of them is taken, see
    `places_of_rows`, the last where there are fewer.

    >>> rows = pd.DataFrame({"actor": ["a", "a"], "target": ["b", "b"], "colour": ["red", "red"]})
    >>> usable_tables({"blocks": rows}, {"blocks"})["blocks"].columns.tolist()
    ['actor', 'target', 'ts']
    >>> len(usable_tables({}, ())["profiles"])
    0
    """
    once = {name: _once(readable_columns(given[name], name), name, at) for name in broken}
    mended = {name: table for name, table in once.items() if can_be_used(name, table)}
    sound = {name: table for name, table in given.items() if name not in once}
    return {name: with_columns(pd.DataFrame(), name) for name in NEEDED} | sound | mended


def can_be_used(name: str, table: pd.DataFrame) -> bool:
    """Say whether a table holds to its contract as a whole; any error says that it does not."""
    try:
        read_and_check(name, partial(table.copy))
    except Exception:
        return False
    return True


def readable_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with the columns it should have, all unknown where nothing in one can be read.

    Ids and words that restrict count as the texts they mean, of whatever type the column is.

    >>> rows = pd.DataFrame({"actor": [1.0, 2.0], "target": [{"id": 3}, {"id": 4}], "ts": [True, True]})
    >>> readable_columns(rows, "blocks")[["actor", "target"]].to_numpy().tolist()
    [['1', '3'], ['2', '4']]
    """
    table = with_columns(table, name)
    for column in table.columns:
        if column in _AS_TEXTS and _is_unusable(table[column], name):
            table[column] = _unknown(table) if (texts := _texts(table[column])) is None else texts
        if _is_unusable(table[column], name):
            table[column] = _unknown(table)
    says_nothing = C.TYPE in table and table[C.TYPE].isna().all()  # else each event might mean a ban
    return table.iloc[:0] if says_nothing else table


def _is_unusable(values: pd.Series, name: str) -> bool:
    try:
        return CONTRACTS[name].is_unusable(str(values.name), values.reset_index(drop=True))
    except Exception:  # of whatever class: a value that nobody foresaw
        return True


def _texts(values: pd.Series) -> pd.Series | None:
    """Return the texts that values mean, None where they mean none; numbers are ids alone."""
    of_people = values.name in _IDS

    def text(one: object) -> str | None:
        while isinstance(one, list | tuple | np.ndarray) and len(one) == 1:
            (one,) = one
        if one is None or one is pd.NA or one is pd.NaT or (isinstance(one, float) and np.isnan(one)):
            return None
        if isinstance(one, float) and one.is_integer():
            one = int(one)
        if not of_people and not isinstance(one, str | bytes | Mapping):
            return None
        found = as_id_text(one)
        return None if _NOT_DECODED in found else found

    with suppress(Exception):
        return pd.Series([text(one) for one in values.to_numpy(object)], values.index, dtype=object)
    return None


def _unknown(table: pd.DataFrame) -> pd.Series:
    return pd.Series(None, table.index, dtype=object)


def with_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with the columns it should have, and no other; of two of one name, the rows of each.

    A name counts in whatever case and with blanks around it.
    """
    names = {str(one) for one in table.columns}
    meant = [(str(one).strip().casefold(), str(one)) for one in table.columns]
    known = CONTRACTS[name].columns
    table = table.set_axis([one if one in known and one not in names else own for one, own in meant], axis=1)
    if not table.columns.is_unique:
        place = pd.Series(table.columns).groupby(table.columns).cumcount()
        last = pd.Series(table.columns).groupby(table.columns).transform("size") - 1
        turns = range(min(int(place.max()) + 1, MOST_ROWS))
        each = [table.loc[:, (place == np.minimum(at, last)).to_numpy()] for at in turns]
        table = pd.concat(each, ignore_index=True)
    columns = [field.name for field in CONTRACTS[name].fields if field.needed or field.name in table]
    return table.reindex(columns=columns).astype(dict.fromkeys(set(columns) - set(table), object))


def places_of_rows(table: pd.DataFrame, name: str) -> Int64Array:
    """Return the place of each row among those of its key that say something else, -1 for the same again.

    The first are those whose state restricts, then comes the last, then the others as they stand.
    """
    place, key = np.zeros(len(table), np.int64), _key_columns(table, name)
    if not key or table.empty:
        return place
    table = table.reset_index(drop=True)
    number = table.groupby([table[column].map(_as_key) for column in key], sort=False).ngroup()
    rows = table[number.duplicated(keep=False)]
    said = rows.map(str).assign(key=number[rows.index], at=rows.index, opens=False)
    state = next((column for column in (C.ACCOUNT_STATE, C.STATE) if column in table), None)
    if state is not None:
        said["opens"] = rows[state].eq("lifted" if state == C.STATE else "active")
    said["is_earlier"] = said["key"].duplicated(keep="last")
    kept = said[~said.drop(columns=["at", "is_earlier"]).duplicated(keep="last")]
    ordered = kept.sort_values(["opens", "is_earlier", "at"]).groupby("key").cumcount()
    place[said.index] = -1
    place[ordered.index] = ordered
    return place


def _key_columns(table: pd.DataFrame, name: str) -> list[str]:
    return [column for column in CONTRACTS[name].key if column in table]


def _as_key(value: object) -> str:
    return str(value).strip()


def _once(table: pd.DataFrame, name: str, at: int) -> pd.DataFrame:
    """Return one row of each key: the one at a place, or the last of those there are."""
    place, key = places_of_rows(table, name), _key_columns(table, name)
    if not key:
        return table
    order = place.argsort(kind="stable")
    rows = table.iloc[order[(place[order] >= 0) & (place[order] <= at)]]
    return rows[~rows[key].map(_as_key).duplicated(keep="last")].reset_index(drop=True)
