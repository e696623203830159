"""What a night tells the safety ledger: holds, bans and separations it read, and what was lifted since."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.build_population import latest_holds
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.data.tables import read_and_check
from recsys.errors import PublicationError
from recsys.pipeline.retention import run_folders
from recsys.safety.ledger import ACCOUNT, BAN, HOLD, TABLES, LedgerTag, SafetyLedger, Who
from recsys.storage.manifest import read_manifest
from recsys.storage.sources import table_readers
from recsys.types import BoolArray, Int32Array

_FOR_GOOD: Final = ("block", "report", "unsafe", "end")
"""Reasons of a separation that no night forgets by itself; passes and hides end."""
_ACCOUNT_STOPS: Final = {"banned": LedgerTag(BAN, TABLES), "hold": LedgerTag(HOLD, ACCOUNT)}
"""States of an account that stop its person until its own row says another one."""


@dataclass(frozen=True)
class HoldStates:
    """The latest word of the holds table on each account it names.

    Somebody held because a row could not be read is in neither: that ends when the row is put right.
    """

    held: frozenset[str]
    lifted: frozenset[str]

    @classmethod
    def of_source(cls, source: str, as_of: pd.Timestamp) -> "HoldStates":
        """Read the holds of a night; a source without the table lifts nobody."""
        readers = table_readers(source)
        if T.HOLDS not in readers:
            return cls(frozenset(), frozenset())
        rows = latest_holds(read_and_check(T.HOLDS, readers[T.HOLDS], as_of=as_of).accepted, as_of)
        active = rows[C.STATE].eq("active")
        held = frozenset(rows.loc[active, C.USER])
        return cls(held, frozenset(rows.loc[~active, C.USER]) - held)


def note_night(ledger: SafetyLedger, people: Population, holds: HoldStates | None = None) -> None:
    """Tell the ledger whom the tables of a night stop, separate and free again.

    holds: what the holds table says; None takes whoever of `people` is held, and lifts nothing.

    A ban, or the state `hold`, ends when the account's own row says another state; a hold of the holds table
    when its latest row says `lifted`.
    A block ends when whoever made it took it back by an event and no other stands between the two.
    Nothing ends because a row, or a table, is missing.
    """
    ids, tokens = people.ids.ids(np.arange(len(people))), people.person_tokens
    held = people.held if holds is None else pd.Index(ids).isin(sorted(holds.held))
    lifted = np.zeros(len(people), bool) if holds is None else pd.Index(ids).isin(sorted(holds.lifted))

    def whom(mask: BoolArray) -> list[Who]:
        return [Who(str(ids[row]), tokens[row]) for row in np.flatnonzero(mask)]

    for state, tag in _ACCOUNT_STOPS.items():
        ledger.stop(whom(people.is_word(C.ACCOUNT_STATE, state)), tag)
    ledger.stop(whom(held), LedgerTag(HOLD, TABLES))
    for state, tag in _ACCOUNT_STOPS.items():  # after every stop: who goes from one to another is never free
        free = people.known(C.ACCOUNT_STATE) & ~people.is_word(C.ACCOUNT_STATE, state)
        ledger.lift(tag, people=whom(free))
    ledger.lift(LedgerTag(HOLD, TABLES), people=whom(lifted & ~held))
    relations = people.relations

    def named(pairs: Int32Array) -> list[tuple[Who, Who]]:
        return [
            (Who(str(ids[a]), tokens[a]), Who(str(ids[b]), tokens[b])) for a, b in pairs.tolist() if a != b
        ]

    for why in _FOR_GOOD:
        pairs = relations.excluded[relations.reason == EXCLUSION_REASONS.index(why)]
        ledger.separate(named(pairs), LedgerTag(why, TABLES))
    ledger.lift(LedgerTag("block", TABLES), pairs=named(relations.reopened))


def require_ledger(published: Path, ledger: SafetyLedger) -> None:
    """Raise SafetyUnavailable when the ledger is gone, replaced or older than a publication that is here."""
    for folder in run_folders(published):
        with suppress(PublicationError):  # a damaged run says nothing of the ledger
            ledger.require(read_manifest(folder).safety_watermark)
