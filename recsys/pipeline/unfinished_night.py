"""What the tables of a night restrict that ended before its gates: it counts in what is served all the same.

A night may end because one table cannot be used, because a stage failed, or before it began. Whom its tables
ban, hold, block or take away, as far as they can be read, is told to the safety ledger; nothing is lifted.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.tables import CONTRACTS, read_and_check
from recsys.errors import RecsysError, TableError
from recsys.pipeline.from_settings import catalogue_from_settings
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night import policy_from_settings
from recsys.pipeline.night_safety import HoldStates, note_night, require_ledger
from recsys.pipeline.token_changes import TokenChanges, note_refused, pending_ledger, write_names_for_now
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety.ledger import SafetyLedger
from recsys.settings import TOWN, Settings
from recsys.storage.load import load_population
from recsys.storage.publication import current_run, read_publication
from recsys.storage.sources import Reader, source_catalogue, usable_readers
from recsys.types import Int64Array

_NEEDED: Final = (T.PROFILES, T.BOUNDARIES)
_APART: Final = frozenset((T.PROFILES, T.BOUNDARIES, T.ANSWERS))
_TURNS: Final = 4
"""How many rows that repeat each other and say something else are looked at."""


def note_unfinished_night(settings: Settings, published: Path) -> bool:
    """Tell the safety ledger what tonight's tables restrict of people; say whether they could be read.

    A table that cannot be used is read without unknown columns, and with missing ones unknown, else passed
    over. Of rows that repeat each other it is read with each in turn that says something else, and what any
    of them restricts counts; of whom there are more than a few such rows, these cannot be read.
    Rows are judged as of now, or the time of the settings.

    Raises what asking the ledger raises, BusyError when another writer is at work.
    """
    if settings.source == TOWN or current_run(published) is None:
        return False
    try:
        readers = usable_readers(settings.source)
    except RecsysError:
        return False
    given = {name: table for name, read in readers.items() if (table := _given(read)) is not None}
    broken = {name for name, table in given.items() if name in CONTRACTS and not _can_be_used(name, table)}
    places = {name: _places(_with_columns(given[name], name), name) for name in broken}
    turns = 1 + max((int(place.max(initial=0)) for place in places.values()), default=0)
    each = [usable_tables(given, broken, at) for at in range(min(turns, _TURNS))]
    beyond = [
        given[name][C.USER][places[name] >= _TURNS] for name in _APART & broken if C.USER in given[name]
    ]
    if unread := {_as_key(one) for users in beyond for one in users}:
        profiles = each[0][T.PROFILES]
        each.append(each[0] | {T.PROFILES: profiles[~profiles[C.USER].map(_as_key).isin(unread)]})
    noted = [_note_tables(settings, published, tables) for tables in each]
    return any(noted)


def _note_tables(settings: Settings, published: Path, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Tell the safety ledger what tables restrict; say whether they could be read."""
    try:
        catalogue = catalogue_from_settings(settings) or source_catalogue(settings.source)
        people = load_population(tables, settings.as_of, catalogue=catalogue)
        holds = HoldStates.of_source(tables, people.as_of)
        served = read_publication(published)
    except RecsysError:
        return False
    snapshot = served_snapshot(served)
    shown = {one for column in (C.VIEWER, C.CANDIDATE) for one in served.lists[column].unique()}
    with writer_lock(published):
        require_ledger(published, SafetyLedger.of(published))
        changes = TokenChanges.of_published(published, people)
        ledger = pending_ledger(published, people, changes)
        note_night(ledger, people, holds, shown)  # what it lifts is never written
        write_names_for_now(ledger, changes)
        policy = policy_from_settings(settings.policy)
        note_refused(published, people, policy, snapshot, shown=shown, changes=changes)
    return True


def _given(read: Reader) -> pd.DataFrame | None:
    with suppress(RecsysError):
        return read()
    return None


def usable_tables(
    given: Mapping[str, pd.DataFrame], broken: Collection[str], at: int = 0
) -> dict[str, pd.DataFrame]:
    """Return each table as far as it can be used; the tables of people are empty where they cannot.

    broken: tables that cannot be used as they are. at: which of several rows of one key of them is taken, see
    `_places`, the last where there are fewer.

    >>> rows = pd.DataFrame({"actor": ["a", "a"], "target": ["b", "b"], "colour": ["red", "red"]})
    >>> usable_tables({"blocks": rows}, {"blocks"})["blocks"].columns.tolist()
    ['actor', 'target', 'ts']
    >>> len(usable_tables({}, ())["profiles"])
    0
    """
    once = {name: _once(_with_columns(given[name], name), name, at) for name in broken}
    mended = {name: table for name, table in once.items() if _can_be_used(name, table)}
    sound = {name: table for name, table in given.items() if name not in once}
    return {name: _with_columns(pd.DataFrame(), name) for name in _NEEDED} | sound | mended


def _can_be_used(name: str, table: pd.DataFrame) -> bool:
    try:
        read_and_check(name, partial(table.copy))
    except TableError:
        return False
    return True


def _with_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with the columns it should have, and no other; of two of one name, the rows of each."""
    if not table.columns.is_unique:
        place = pd.Series(table.columns).groupby(table.columns).cumcount()
        last = pd.Series(table.columns).groupby(table.columns).transform("size") - 1
        turns = range(min(int(place.max()) + 1, _TURNS))
        each = [table.loc[:, (place == np.minimum(at, last)).to_numpy()] for at in turns]
        table = pd.concat(each, ignore_index=True)
    columns = [field.name for field in CONTRACTS[name].fields if field.needed or field.name in table]
    return table.reindex(columns=columns).astype(dict.fromkeys(set(columns) - set(table), object))


def _places(table: pd.DataFrame, name: str) -> Int64Array:
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
    place, key = _places(table, name), _key_columns(table, name)
    if not key:
        return table
    order = place.argsort(kind="stable")
    rows = table.iloc[order[(place[order] >= 0) & (place[order] <= at)]]
    return rows[~rows[key].map(_as_key).duplicated(keep="last")].reset_index(drop=True)
