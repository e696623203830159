"""A filter for the lists of a publication: whom the safety ledger stops or separates today leaves them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.data.account_linkage import connected_rows
from recsys.data.population import Population
from recsys.ranking.snapshot import SnapshotIds
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import LedgerState, LedgerTag
from recsys.safety.person_index import NO_INDEX, Accounts, NewcomerTokens, PersonIndex
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.dataclass_codec import dataclass_from_arrays
from recsys.storage.publication import LISTS, SERVING, Publication
from recsys.types import BoolArray, ObjectArray


def published_accounts(run: Path, keys: Keys) -> Accounts:
    """Return the accounts of each person of one run; nobody has two where it holds nothing to serve from."""
    return Accounts(*published_persons(run), NewcomerTokens(), keys, run.name)


def published_persons(run: Path) -> tuple[SnapshotIds, PersonIndex]:
    """Return the ids of one run and the index of their persons, nobody where there are none."""
    ids = published_ids(run)
    if not len(ids):
        return ids, NO_INDEX
    arrays, meta = load_arrays(run / SERVING, verify=False)
    return ids, dataclass_from_arrays(PersonIndex, arrays, meta.get("scalars", {}), "persons")


def published_ids(run: Path) -> SnapshotIds:
    """Return the ids of one run, also of an earlier version; none where it holds nothing to serve from."""
    arrays = load_arrays(run / SERVING, verify=False)[0] if (run / SERVING / INDEX).is_file() else {}
    return SnapshotIds(arrays.get("ids", np.zeros(0, "S1")))


def people_in_lists(publication: Publication) -> list[str]:
    """Return everybody the lists name, ascending."""
    columns = [C.VIEWER, C.CANDIDATE]
    path = publication.folder / LISTS
    table = pq.read_table(path, columns=columns, read_dictionary=columns, partitioning=None)
    parts = (part for column in columns for part in table[column].chunks)
    return sorted({name for part in parts for name in part.dictionary.to_pylist()})


@dataclass(frozen=True)
class ListFilter:
    """Who may stand in lists now: people who are stopped, and from whom each other person is separated.

    persons: of accounts that are one person's by any token they ever had, a number for the person. They are
    separated from one another: nobody is shown themselves.
    """

    stopped: frozenset[str]
    separated: dict[str, frozenset[str]]
    persons: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_publication(cls, publication: Publication, published: Path) -> Self:
        """Ask the ledger of `published` about everybody in one of its publications, listed or not.

        Whoever liked somebody stands in an inbox, and need not stand in any list.

        Raises SafetyUnavailable when the ledger is missing, replaced or older than the publication.
        """
        ledger = SafetyLedger.of(published)
        ledger.require(publication.manifest.safety_watermark)
        ids, persons = published_persons(publication.folder)
        accounts = Accounts(ids, persons, NewcomerTokens(), ledger.keys, publication.run_id)
        everybody = ids.at(list(range(len(ids))))
        return cls.of({*everybody, *people_in_lists(publication)}, accounts, ledger)

    @classmethod
    def of(cls, ids: Collection[str], accounts: Accounts, ledger: SafetyLedger) -> Self:
        """Ask the ledger about these people.

        Raises SafetyUnavailable when the ledger cannot be trusted.
        """
        state = accounts.holds_here(ledger.now())
        if not (state.restricts or state.links):
            return cls(frozenset(), {})
        named = accounts.fingerprints_of(accounts.asked_many(sorted(ids)), state)
        return cls.of_fingerprints(named, state)

    @classmethod
    def of_people(cls, people: Population, ledger: SafetyLedger, ended: Collection[LedgerTag] = ()) -> Self:
        """Ask the ledger about everybody of a night, whose tokens are known.

        ended: what is passed over, since the night says itself what holds.

        Raises SafetyUnavailable when the ledger cannot be trusted.
        """
        state = ledger.now().without(*ended) if ended else ledger.now()
        if not (state.restricts or state.links):
            return cls(frozenset(), {})
        return cls.of_fingerprints(known_fingerprints(people, state), state)

    @classmethod
    def of_fingerprints(cls, named: dict[str, set[int]], state: LedgerState) -> Self:
        """Return what the ledger says of people by every fingerprint under which each may stand in it."""
        persons = _persons(named, state)
        return cls(_stopped(named, state), _separated(named, state, persons), persons)

    @property
    def leaves_out(self) -> bool:
        """Whether anybody is left out at all."""
        return bool(self.stopped or self.separated)

    def keeps(self, viewers: ObjectArray, candidates: ObjectArray) -> BoolArray:
        """Say which aligned pairs may stand in a list."""
        viewer, candidate = pd.Series(viewers, dtype=object), pd.Series(candidates, dtype=object)
        kept = ~(viewer.isin(self.stopped) | candidate.isin(self.stopped)).to_numpy(bool)
        for at in np.flatnonzero(kept & viewer.isin(self.separated.keys()).to_numpy(bool)):
            kept[at] = candidates[at] not in self.separated[viewers[at]]
        return kept

    def keeps_of(self, viewer: str, candidates: Sequence[str]) -> BoolArray:
        """Say which candidates may stand in one viewer's list."""
        if viewer in self.stopped:
            return np.zeros(len(candidates), bool)
        apart = self.separated.get(viewer, frozenset())
        return np.array([one not in self.stopped and one not in apart for one in candidates], bool)

    def rows_of(self, table: Any) -> Any:
        """Return the rows of an Arrow table of lists that may stand in them."""
        if not self.leaves_out:
            return table
        viewers, candidates = (table[name].to_pandas().to_numpy(object) for name in (C.VIEWER, C.CANDIDATE))
        return table.filter(pa.array(self.keeps(viewers, candidates))).combine_chunks()


EVERY_PAIR: Final = ListFilter(frozenset(), {})
"""Leaves nobody out."""


def stopped_people(people: Population, ledger: SafetyLedger) -> frozenset[str]:
    """Return who of a night is stopped; raises SafetyUnavailable when the ledger cannot be trusted."""
    state = ledger.now()
    return _stopped(known_fingerprints(people, state), state) if state.stops else frozenset()


def known_fingerprints(people: Population, state: LedgerState) -> dict[str, set[int]]:
    """Return the fingerprints of everybody of a night of whom a ledger says anything."""
    ids, tokens = people.ids.ids(np.arange(len(people))), people.person_tokens
    named = [(one.of_all(ID, ids), one.of_all(PERSON, tokens)) for one in state.namings]
    numbers = np.column_stack([column for both in named for column in both])
    known = np.fromiter({*state.stops, *state.pairs, *state.links}, np.uint64)
    rows = np.flatnonzero(np.isin(numbers, known).any(axis=1))
    mine = zip(ids[rows].tolist(), numbers[rows].tolist(), strict=True)
    return {str(one): {number for number in its if number} for one, its in mine}


def _stopped(named: dict[str, set[int]], state: LedgerState) -> frozenset[str]:
    return frozenset(user_id for user_id, mine in named.items() if state.is_stopped(mine))


def _persons(named: dict[str, set[int]], state: LedgerState) -> dict[str, int]:
    """Return a number for the person of each account of who has several, by what the ledger links."""
    linked = {one: state.linked(known) for one, mine in named.items() if (known := mine & state.links.keys())}
    rows = np.repeat(np.arange(len(linked)), [len(prints) for prints in linked.values()])
    prints = np.fromiter(chain.from_iterable(linked.values()), np.uint64)
    person = connected_rows(len(linked), (rows, prints))
    return {one: number for one, number in zip(linked, person.tolist(), strict=True) if number >= 0}


def _separated(
    named: dict[str, set[int]], state: LedgerState, persons: dict[str, int]
) -> dict[str, frozenset[str]]:
    whose: dict[int, list[str]] = {}
    for user_id, mine in named.items():
        for one in mine:
            whose.setdefault(one, []).append(user_id)
    same: dict[int, set[str]] = {}
    for user_id, person in persons.items():
        same.setdefault(person, set()).add(user_id)
    found = {}
    for user_id, mine in named.items():
        others = {other for one in state.separated_from(mine) for other in whose.get(one, ())}
        if user_id in persons:
            others |= same[persons[user_id]]
        if others - {user_id}:
            found[user_id] = frozenset(others - {user_id})
    return found
