"""What the tables of a night restrict that ended before its gates: it counts in what is served all the same.

A night may end because one table cannot be used, because a stage failed, or before it began. Whom its tables
ban, hold, block or take away, as far as they can be read, is told to the safety ledger; nothing is lifted.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.id_spellings import as_id_text
from recsys.data.population import Population
from recsys.errors import RecsysError
from recsys.pipeline.backdated_stops import note_backdated_stops
from recsys.pipeline.closed_pairs import listed_ids
from recsys.pipeline.from_settings import catalogue_from_settings
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night import policy_from_settings
from recsys.pipeline.night_safety import HoldStates, note_night, require_ledger
from recsys.pipeline.token_changes import TokenChanges, note_refused, pending_ledger, write_names_for_now
from recsys.pipeline.usable_tables import (
    MOST_ROWS,
    NEEDED,
    can_be_used,
    places_of_rows,
    readable_columns,
    usable_tables,
    with_columns,
)
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.settings import TOWN, Settings
from recsys.storage.damaged_tables import readable_tables
from recsys.storage.load import load_come, population_of
from recsys.storage.publication import current_run, read_publication
from recsys.storage.sources import source_catalogue

_APART: Final = frozenset((T.PROFILES, T.BOUNDARIES, T.ANSWERS))


def note_unfinished_night(settings: Settings, published: Path) -> bool:
    """Tell the safety ledger what tonight's tables restrict of people; say whether they could be read.

    A table that cannot be used is read without unknown columns, and with missing ones, and those of which
    nothing can be read, unknown; one of which no column can be read is passed over. Of whom profiles have no
    row that can be read, all is unknown but what other tables say. Of rows that repeat each other it is read
    with each in turn that says something else, and what any of them restricts counts; of whom there are more
    than a few such rows, these cannot be read. Rows are judged as of now, or the time of the settings.

    Raises what asking the ledger raises, BusyError when another writer is at work.
    """
    if settings.source == TOWN or current_run(published) is None:
        return False
    given = readable_tables(settings.source)
    if not given:
        return False
    broken = {name for name, table in given.items() if not can_be_used(name, table)}
    given |= {name: readable_columns(given[name], name) for name in broken}
    places = {name: places_of_rows(given[name], name) for name in broken}
    turns = 1 + max((int(place.max(initial=0)) for place in places.values()), default=0)
    each = [usable_tables(given, broken, at) for at in range(min(turns, MOST_ROWS))]
    beyond = [
        given[name][C.USER][places[name] >= MOST_ROWS] for name in _APART & broken if C.USER in given[name]
    ]
    if unread := {as_id_text(one).strip() for users in beyond for one in users}:
        profiles = each[0][T.PROFILES]
        each.append(
            each[0]
            | {T.PROFILES: profiles[~profiles[C.USER].map(lambda one: as_id_text(one).strip()).isin(unread)]}
        )
    noted = [_note_tables(settings, published, tables, unread) for tables in each]
    return any(noted)


def _note_tables(
    settings: Settings, published: Path, tables: Mapping[str, pd.DataFrame], unread: Collection[str]
) -> bool:
    """Tell the safety ledger what tables restrict; say whether they could be read.

    unread: people of whom the tables have rows, which cannot be read.
    """
    try:
        catalogue = catalogue_from_settings(settings) or source_catalogue(settings.source)
        served = read_publication(published)
    except RecsysError:
        return False
    snapshot = served_snapshot(served)
    shown = {one for column in (C.VIEWER, C.CANDIDATE) for one in served.lists[column].unique()}
    with writer_lock(published):
        ledger = SafetyLedger.of(published)
        require_ledger(published, ledger)
        named = sorted(shown if snapshot is None else shown.union(filter(None, listed_ids(snapshot))))
        gone = ErasureList.of(published).now(ledger.now()).among(named)
        here = [one for one, is_gone in zip(named, gone, strict=True) if not is_gone]
        told, without_row = _with_row_for_each(tables, here, unread)
        try:
            people = _people(told, settings.as_of, catalogue)
        except RecsysError:
            return False
        changes = _without_rows(TokenChanges.of_published(published, people), without_row)
        ledger = pending_ledger(published, people, changes)
        holds = _holds(told, people.as_of)
        note_night(ledger, people, holds, shown)  # what it lifts is never written
        note_backdated_stops(ledger, people, holds.stop_rows(), published)
        write_names_for_now(ledger, changes)
        policy = policy_from_settings(settings.policy)
        note_refused(published, people, policy, snapshot, shown=shown, changes=changes)
    return True


def _with_row_for_each(
    tables: Mapping[str, pd.DataFrame], served: Collection[str], unread: Collection[str]
) -> tuple[dict[str, pd.DataFrame], frozenset[str]]:
    """Return tables in which each of those who are served has a profile, and whose is new: all unknown in it.

    Else a block between two whom the profiles of tonight lack would name nobody.
    """
    profiles = tables[T.PROFILES]
    known = {as_id_text(one) for one in profiles[C.USER]} | set(unread)
    new = [one for one in served if one not in known]
    rows = pd.DataFrame({C.USER: new}, dtype=object).reindex(columns=profiles.columns)
    rows = rows.astype(dict.fromkeys(profiles.columns, object))
    every = rows if profiles.empty else pd.concat([profiles.astype(object), rows], ignore_index=True)
    return {**tables, T.PROFILES: every if new else profiles}, frozenset(new)


def _without_rows(changes: TokenChanges, people: Collection[str]) -> TokenChanges:
    """Return the changes of tokens, where some people have no row of their own."""
    changed = [one._replace(has_row=one.has_row and one.user_id not in people) for one in changes.changed]
    return replace(changes, changed=tuple(changed))


def _people(
    tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp | str | None, catalogue: Catalogue | None
) -> Population:
    """Return the people of tables as of a time, else of the latest in them, else of now.

    Where that ends in an error that nobody foresaw, a table counts that does not lead to it.
    """

    def loaded(some: Mapping[str, pd.DataFrame]) -> Population:
        found = load_come(some, as_of, catalogue=catalogue)
        return population_of(found if found.as_of else replace(found, as_of=pd.Timestamp.now("UTC")))

    with suppress(Exception):
        return loaded(tables)
    some = {name: tables[name].reindex(columns=[C.USER]) for name in NEEDED}
    some = {name: with_columns(table, name) for name, table in some.items()}
    for name, table in tables.items():
        columns = [[*table.columns], *([[one] for one in table.columns] if name in NEEDED else [])]
        for chosen in columns:  # all at once, else one after the other
            more = some.get(name, table).assign(**{one: table[one] for one in chosen})
            with suppress(Exception):
                loaded(some | {name: more})
                some[name] = more
                if chosen == [*table.columns]:
                    break
    return loaded(some)


def _holds(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> HoldStates:
    with suppress(Exception):
        return HoldStates.of_source(tables, as_of)
    return HoldStates.of_source({name: table for name, table in tables.items() if name != T.HOLDS}, as_of)
