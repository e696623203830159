"""Bans and holds of profiles that are dated before what a published night knew, and were written after it.

A row of a ban under a later row of its account was over before, where both came since. Where a published
night that has the account is dated after the ban and did not read it, the ban was written later: it counts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.fail_closed import STOPPED
from recsys.data.population import Population
from recsys.data.tables import CONTRACTS, read_and_check
from recsys.errors import RecsysError
from recsys.pipeline.refused_night import ACCOUNT_STOPS
from recsys.pipeline.retention import run_ids
from recsys.ranking.publication_filter import published_ids
from recsys.safety.fingerprints import STOP_ROW
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import LedgerState, Who
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import RUNS
from recsys.storage.sources import Reader
from recsys.types import BoolArray

_ROW: Final = (C.USER, C.VALID_FROM, C.ACCOUNT_STATE)
_OTHERS: Final = frozenset(("active", "paused", "erasing"))


def no_stop_rows() -> pd.DataFrame:
    """Return no rows, where no table of profiles is at hand."""
    return pd.DataFrame(columns=[*_ROW])


def stop_rows(read: Reader, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return every dated row of profiles up to a time that says a state of `STOPPED`: user, time and state.

    >>> rows = pd.DataFrame({"user_id": ["a", "a"], "account_state": ["banned", "active"],
    ...                      "valid_from": ["2026-01-01T00:00Z", "2026-01-02T00:00Z"]})
    >>> stop_rows(lambda: rows, pd.Timestamp("2026-01-05", tz="UTC")).account_state.tolist()
    ['banned']
    """
    given = read()
    if C.VALID_FROM not in given or C.ACCOUNT_STATE not in given:
        return no_stop_rows()
    codes, words = pd.factorize(given[C.ACCOUNT_STATE])
    may_stop = np.array([*(str(word).strip().casefold() not in _OTHERS for word in words), False], bool)
    rows = given.loc[may_stop[codes], [*_ROW]].reset_index(drop=True)
    if rows.empty:
        return rows
    others = [one.name for one in CONTRACTS[T.PROFILES].fields if one.needed and one.name not in _ROW]
    rows = rows.assign(**dict.fromkeys(others))  # what else a row says decides nothing here
    found = read_and_check(T.PROFILES, lambda: rows, as_of=as_of).accepted
    stops = found[C.ACCOUNT_STATE].isin(STOPPED) & found[C.VALID_FROM].notna()
    return found.loc[stops, [*_ROW]].astype({C.USER: object, C.ACCOUNT_STATE: object}).reset_index(drop=True)


def note_backdated_stops(
    ledger: SafetyLedger, people: Population, rows: pd.DataFrame, published: Path
) -> int:
    """Tell the ledger whom such rows stop that came after the night of their date; return how many rows.

    The ledger remembers the rows that published nights read. The first night of a ledger without that memory
    takes what it reads as read before. What counts is remembered at once, so that it counts once; the rest
    once the night is served. To be called after `note_night`, which ends stops by later rows.

    rows: as `stop_rows` returns them; those of accounts without a row tonight wait. published: the folder of
    publications, whose kept runs say which accounts a night had, and of when it was.
    """
    state = ledger.begin()
    row_of = people.ids.find(rows[C.USER])
    rows, row_of = rows[row_of >= 0], row_of[row_of >= 0]
    new = ~_were_read(state, rows)
    rows, row_of = rows[new], row_of[new]
    late = np.zeros(len(rows), bool)
    if state.stop_rows is not None:
        for word in STOPPED:
            late |= (
                rows[C.ACCOUNT_STATE].eq(word) & ~people.is_word(C.ACCOUNT_STATE, word)[row_of]
            ).to_numpy()
        late[late] = _came_after(rows[late], published)
    for word, tag in ACCOUNT_STOPS.items():
        chosen = late & rows[C.ACCOUNT_STATE].eq(word).to_numpy(bool)
        named = zip(rows[C.USER][chosen], people.person_tokens[row_of[chosen]], strict=True)
        ledger.stop([Who(str(one), token) for one, token in named], tag, as_of=people.as_of.isoformat())
    newest = state.namings[-1]
    prints = newest.of_all(STOP_ROW, _texts(rows))
    if late.any():
        ledger.note_stop_rows(prints[late].tolist())
    ledger.note_stop_rows(prints[~late].tolist(), once_served=True)
    return int(late.sum())


def _texts(rows: pd.DataFrame) -> list[str]:
    seconds = rows[C.VALID_FROM].dt.floor("s") if len(rows) else rows[C.VALID_FROM]
    named = zip(rows[C.USER], rows[C.ACCOUNT_STATE], seconds, strict=True)
    return [f"{user}\0{state}\0{at.isoformat()}" for user, state, at in named]


def _were_read(state: LedgerState, rows: pd.DataFrame) -> BoolArray:
    """Say which rows a published night read, `(n_rows,)`, under whatever key it noted them."""
    found, known = np.zeros(len(rows), bool), state.stop_rows
    if known and len(rows):
        noted, texts = np.fromiter(known, np.uint64), _texts(rows)
        for naming in state.namings:
            found |= np.isin(naming.of_all(STOP_ROW, texts), noted)
    return found


def _came_after(rows: pd.DataFrame, published: Path) -> BoolArray:
    """Say which rows are dated no later than a kept publication that has their account, `(n_rows,)`.

    One that cannot be read may be of any time and have anybody.
    """
    found = np.zeros(len(rows), bool)
    for run in run_ids(published) if len(rows) else ():
        try:
            as_of = pd.Timestamp(read_manifest(published / RUNS / run).data_as_of)
            places = published_ids(published / RUNS / run).find(_ids(rows))
        except RecsysError:
            return np.ones(len(rows), bool)
        found |= (np.array(places, np.int64) >= 0) & (rows[C.VALID_FROM] <= as_of).to_numpy(bool)
    return found


def _ids(rows: pd.DataFrame) -> Sequence[str]:
    return [str(one) for one in rows[C.USER]]
