"""What the tables of a night restrict that ended before its gates: it counts in what is served all the same.

A night may end because one table cannot be used, because a stage failed, or before it began. Whom its tables
ban, hold, block or take away, as far as they can be read, is told to the safety ledger; nothing is lifted.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

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


def note_unfinished_night(settings: Settings, published: Path) -> bool:
    """Tell the safety ledger what tonight's tables restrict of people; say whether they could be read.

    A table that cannot be used is read without its repeated rows and unknown columns, and with missing ones
    unknown, else passed over. Rows are judged as of now, or the time of the settings.

    Raises what asking the ledger raises, BusyError when another writer is at work.
    """
    if settings.source == TOWN or current_run(published) is None:
        return False
    try:
        tables = usable_tables(usable_readers(settings.source))
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


def usable_tables(readers: Mapping[str, Reader]) -> dict[str, pd.DataFrame]:
    """Return each table as far as it can be used; the tables of people are empty where they cannot.

    >>> rows = pd.DataFrame({"actor": ["a", "a"], "target": ["b", "b"], "colour": ["red", "red"]})
    >>> usable_tables({"blocks": lambda: rows})["blocks"].columns.tolist()
    ['actor', 'target', 'ts']
    >>> len(usable_tables({})["profiles"])
    0
    """
    found = {name: table for name, read in readers.items() if (table := _usable(name, read)) is not None}
    return {name: _with_columns(pd.DataFrame(), name) for name in _NEEDED} | found


def _usable(name: str, read: Reader) -> pd.DataFrame | None:
    with suppress(RecsysError):
        given = read()
        if name not in CONTRACTS:
            return given
        for table in (given, _once(_with_columns(given, name), CONTRACTS[name].key)):
            with suppress(TableError):
                read_and_check(name, partial(table.copy))
                return table
    return None


def _with_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with the columns it should have, and no other."""
    columns = [field.name for field in CONTRACTS[name].fields if field.needed or field.name in table]
    return table.reindex(columns=columns).astype(dict.fromkeys(set(columns) - set(table), object))


def _once(table: pd.DataFrame, key: Iterable[str]) -> pd.DataFrame:
    """Return the rows whose key stands once; of those that repeat it the one that restricts most."""
    key = [column for column in key if column in table]
    if not key:
        return table
    state = next((column for column in (C.ACCOUNT_STATE, C.STATE) if column in table), None)
    if state is not None:  # whatever opens stands before what does not, and the last is kept
        opens = "lifted" if state == C.STATE else "active"
        table = table.iloc[table[state].ne(opens).to_numpy(bool).argsort(kind="stable")]
    names = table[key].map(lambda one: str(one).strip())
    return table[~names.duplicated(keep="last").to_numpy(bool)].reset_index(drop=True)
