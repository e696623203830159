"""What the tables of a night restrict that ended before its gates: it counts in what is served all the same.

A night may end because one table cannot be used, because a stage failed, or before it began. Whom its tables
ban, hold, block or take away, as far as they can be read, is told to the safety ledger; nothing is lifted.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

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

_NEEDED: Final = (T.PROFILES, T.BOUNDARIES)
_TURNS: Final = 4
"""How many rows that repeat each other are looked at."""


def note_unfinished_night(settings: Settings, published: Path) -> bool:
    """Tell the safety ledger what tonight's tables restrict of people; say whether they could be read.

    A table that cannot be used is read without unknown columns, and with missing ones unknown, else passed
    over. Of rows that repeat each other it is read with each in turn, and what any of them restricts counts.
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
    turns = max((_rows_a_key(name, given[name]) for name in broken), default=1)
    each = [usable_tables(given, broken, at) for at in range(min(turns, _TURNS))]
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

    broken: tables that cannot be used as they are. at: which of several rows of one key of them is taken,
    the last where there are fewer.

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
    """Return a table with the columns it should have, and no other."""
    columns = [field.name for field in CONTRACTS[name].fields if field.needed or field.name in table]
    return table.reindex(columns=columns).astype(dict.fromkeys(set(columns) - set(table), object))


def _by_key(table: pd.DataFrame, name: str) -> Any:
    """Return the rows grouped by their key, None where the table has none."""
    key = [column for column in CONTRACTS[name].key if column in table]
    names = [table[column].map(lambda one: str(one).strip()) for column in key]
    return table.groupby(names, sort=False, dropna=False) if key else None


def _rows_a_key(name: str, table: pd.DataFrame) -> int:
    """Return how many rows there are of one key at most."""
    rows = _by_key(table, name)
    return 1 if rows is None or not len(table) else int(rows.size().max())


def _once(table: pd.DataFrame, name: str, at: int) -> pd.DataFrame:
    """Return one row of each key, the one at a place or the last; those whose state restricts come first."""
    state = next((column for column in (C.ACCOUNT_STATE, C.STATE) if column in table), None)
    if state is not None:
        opens = "lifted" if state == C.STATE else "active"
        table = table.iloc[table[state].eq(opens).to_numpy(bool).argsort(kind="stable")]
    rows = _by_key(table, name)
    if rows is None:
        return table
    is_wanted, is_last = rows.cumcount().eq(at), rows.cumcount(ascending=False).eq(0)
    return table[is_wanted | (is_last & rows.cumcount().lt(at))].reset_index(drop=True)
