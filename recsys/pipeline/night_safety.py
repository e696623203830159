"""What a night tells the safety ledger: holds, bans and separations it read, and what was lifted since."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
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
from recsys.safety.ledger import ACCOUNT, BAN, HOLD, TABLES, LedgerState, LedgerTag, SafetyLedger, Who
from recsys.storage.manifest import read_manifest
from recsys.storage.sources import Reader, table_readers
from recsys.types import BoolArray, Int32Array

_FOR_GOOD: Final = ("block", "report", "unsafe", "end")
"""Reasons of a separation that no night forgets by itself; passes and hides end."""
_ACCOUNT_STOPS: Final = {"banned": LedgerTag(BAN, TABLES), "hold": LedgerTag(HOLD, ACCOUNT)}
"""States of an account that stop its person until its own row says another one."""


@dataclass(frozen=True)
class HoldStates:
    """The latest word of the holds table on each account it names.

    Somebody held because a row could not be read is in neither: that ends when the row is put right.
    profile_times: reads the time of the latest profile of each account; None when the source has no times.
    """

    held: frozenset[str]
    lifted: frozenset[str]
    profile_times: Callable[[], Mapping[str, pd.Timestamp] | None] = lambda: None

    @classmethod
    def of_source(cls, source: str, as_of: pd.Timestamp) -> "HoldStates":
        """Read the holds of a night; a source without the table lifts nobody."""
        readers = table_readers(source)
        times = partial(_profile_times, readers[T.PROFILES], as_of)
        if T.HOLDS not in readers:
            return cls(frozenset(), frozenset(), times)
        rows = latest_holds(read_and_check(T.HOLDS, readers[T.HOLDS], as_of=as_of).accepted, as_of)
        active = rows[C.STATE].eq("active")
        held = frozenset(rows.loc[active, C.USER])
        return cls(held, frozenset(rows.loc[~active, C.USER]) - held, times)


def _profile_times(read: Reader, as_of: pd.Timestamp) -> Mapping[str, pd.Timestamp] | None:
    """Return the time of each account's latest accepted profile; accounts with undated ones are lacking."""
    rows = read_and_check(T.PROFILES, read, as_of=as_of).accepted
    if C.VALID_FROM not in rows or rows[C.VALID_FROM].isna().all():
        return None
    dated = rows[rows[C.VALID_FROM].notna()]
    latest = dated.groupby(dated[C.USER].astype(object))[C.VALID_FROM].max()
    return {str(user): time for user, time in latest.items()}


def note_night(ledger: SafetyLedger, people: Population, holds: HoldStates | None = None) -> None:
    """Tell the ledger whom the tables of a night stop, separate and free again.

    holds: what the holds table says; None takes whoever of `people` is held, and lifts nothing.

    A ban, or the state `hold`, ends when the account's own row says another state and is dated after the
    night that first read the stop: an older row that is left when the row of the ban is gone ends nothing.
    Where a source dates no row, the state alone decides. A hold of the holds table ends when its latest row
    says `lifted`.
    A block ends when whoever made it took it back by an event and no other stands between the two.
    Nothing ends because a row, or a table, is missing.
    """
    ids, tokens = people.ids.ids(np.arange(len(people))), people.person_tokens
    held = people.held if holds is None else pd.Index(ids).isin(sorted(holds.held))
    lifted = np.zeros(len(people), bool) if holds is None else pd.Index(ids).isin(sorted(holds.lifted))

    def whom(mask: BoolArray) -> list[Who]:
        return [Who(str(ids[row]), tokens[row]) for row in np.flatnonzero(mask)]

    for state, tag in _ACCOUNT_STOPS.items():
        ledger.stop(whom(people.is_word(C.ACCOUNT_STATE, state)), tag, as_of=people.as_of.isoformat())
    ledger.stop(whom(held), LedgerTag(HOLD, TABLES))
    for state, tag in _ACCOUNT_STOPS.items():  # after every stop: who goes from one to another is never free
        free = people.known(C.ACCOUNT_STATE) & ~people.is_word(C.ACCOUNT_STATE, state)
        ledger.lift(tag, people=_since_stopped(ledger.now(), tag, whom(free), holds))
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


def _since_stopped(
    state: LedgerState, tag: LedgerTag, free: list[Who], holds: HoldStates | None
) -> list[Who]:
    """Return those of `free` who are stopped and whose own row is younger than that."""
    if not any(
        told.why == tag.why and told.owner == tag.owner for tags in state.stops.values() for told in tags
    ):
        return []
    stopped = [(who, state.stop_of_account(who.user_id, tag)) for who in free]
    stopped = [(who, since) for who, since in stopped if since is not None]
    times = holds.profile_times() if stopped and holds is not None else None
    return [
        who
        for who, since in stopped
        if not since or times is None or (who.user_id in times and times[who.user_id] > pd.Timestamp(since))
    ]


def require_ledger(published: Path, ledger: SafetyLedger) -> None:
    """Raise SafetyUnavailable when the ledger is gone, replaced or older than a publication that is here."""
    for folder in run_folders(published):
        with suppress(PublicationError):  # a damaged run says nothing of the ledger
            ledger.require(read_manifest(folder).safety_watermark)
