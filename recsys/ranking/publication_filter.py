"""A filter for the lists of a publication: whom the safety ledger stops or separates today leaves them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.ranking.snapshot import SnapshotIds
from recsys.safety.keys import Keys
from recsys.safety.ledger import LedgerState, SafetyLedger
from recsys.safety.persons import NO_INDEX, Accounts, NewcomerTokens, PersonIndex
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.dataclass_codec import dataclass_from_arrays
from recsys.storage.publication import LISTS, SERVING, Publication
from recsys.types import BoolArray, ObjectArray


def published_accounts(run: Path, keys: Keys) -> Accounts:
    """Return the accounts of each person of one run; nobody has two where it holds nothing to serve from."""
    if not (run / SERVING / INDEX).is_file():
        return Accounts(SnapshotIds(np.zeros(0, "S1")), NO_INDEX, NewcomerTokens(), keys)
    arrays, meta = load_arrays(run / SERVING, verify=False)
    if "ids" not in arrays:
        return Accounts(SnapshotIds(np.zeros(0, "S1")), NO_INDEX, NewcomerTokens(), keys)
    index = dataclass_from_arrays(PersonIndex, arrays, meta.get("scalars", {}), "persons")
    return Accounts(SnapshotIds(arrays["ids"]), index, NewcomerTokens(), keys)


def people_in_lists(publication: Publication) -> list[str]:
    """Return everybody the lists name, ascending."""
    columns = [C.VIEWER, C.CANDIDATE]
    path = publication.folder / LISTS
    table = pq.read_table(path, columns=columns, read_dictionary=columns, partitioning=None)
    parts = (part for column in columns for part in table[column].chunks)
    return sorted({name for part in parts for name in part.dictionary.to_pylist()})


@dataclass(frozen=True)
class ListFilter:
    """Who may stand in lists now: people who are stopped, and from whom each other person is separated."""

    stopped: frozenset[str]
    separated: dict[str, frozenset[str]]

    @classmethod
    def of_publication(cls, publication: Publication, published: Path) -> Self:
        """Ask the ledger of `published` about everybody in the lists of one of its publications.

        Raises SafetyUnavailable when the ledger is missing, replaced or older than the publication.
        """
        ledger = SafetyLedger.of(published)
        ledger.require(publication.manifest.safety_watermark)
        accounts = published_accounts(publication.folder, ledger.keys)
        return cls.of(people_in_lists(publication), accounts, ledger)

    @classmethod
    def of(cls, ids: Collection[str], accounts: Accounts, ledger: SafetyLedger) -> Self:
        """Ask the ledger about these people.

        Raises SafetyUnavailable when the ledger cannot be trusted.
        """
        state = ledger.now()
        if not state.restricts:
            return cls(frozenset(), {})
        named = {user_id: accounts.fingerprints(user_id, state) for user_id in ids}
        stopped = frozenset(user_id for user_id, mine in named.items() if state.is_stopped(mine))
        return cls(stopped, _separated(named, state))

    def keeps(self, viewers: ObjectArray, candidates: ObjectArray) -> BoolArray:
        """Say which aligned pairs may stand in a list."""
        none: frozenset[str] = frozenset()
        kept = (
            viewer not in self.stopped
            and candidate not in self.stopped
            and candidate not in self.separated.get(viewer, none)
            for viewer, candidate in zip(viewers, candidates, strict=True)
        )
        return np.fromiter(kept, bool, len(viewers))

    def rows_of(self, table: Any) -> Any:
        """Return the rows of an Arrow table of lists that may stand in them."""
        if not (self.stopped or self.separated):
            return table
        viewers, candidates = (table[name].to_pandas().to_numpy(object) for name in (C.VIEWER, C.CANDIDATE))
        return table.filter(pa.array(self.keeps(viewers, candidates))).combine_chunks()


EVERY_PAIR: Final = ListFilter(frozenset(), {})
"""Leaves nobody out."""


def _separated(named: dict[str, set[int]], state: LedgerState) -> dict[str, frozenset[str]]:
    whose: dict[int, list[str]] = {}
    for user_id, mine in named.items():
        for one in mine:
            whose.setdefault(one, []).append(user_id)
    found = {}
    for user_id, mine in named.items():
        others = {other for one in state.separated_from(mine) for other in whose.get(one, ())} - {user_id}
        if others:
            found[user_id] = frozenset(others)
    return found
