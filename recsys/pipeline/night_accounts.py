"""The accounts of a night as the safety ledger names them, each named and fingerprinted once."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.data.population import Population
from recsys.safety.fingerprints import ID, Naming
from recsys.safety.ledger_state import LedgerState, LedgerTag, Who
from recsys.types import BoolArray, UInt64Array


class NightAccounts:
    """Everybody of a night by row, for questions to the ledger about many at once."""

    def __init__(self, people: Population) -> None:
        self._people = people
        self._fingerprints: dict[Naming, UInt64Array] = {}

    @cached_property
    def everybody(self) -> list[Who]:
        """The account of each row, with its person token."""
        ids = self._people.ids.values.tolist()
        return [Who(str(one), token) for one, token in zip(ids, self._people.person_tokens, strict=True)]

    def whom(self, mask: BoolArray) -> list[Who]:
        """Return the accounts of a mask, `(n_people,)`."""
        return [self.everybody[row] for row in np.flatnonzero(mask).tolist()]

    def stopped(self, mask: BoolArray, state: LedgerState, tag: LedgerTag) -> list[tuple[Who, str]]:
        """Return those of a mask who are stopped under a tag, and since when, see `stop_of_account`.

        Everybody's fingerprint is looked up at once; only who may be stopped is asked about alone.
        """
        near = np.fromiter(state.near_stops(tag), np.uint64)
        if not len(near):
            return []
        rows = np.flatnonzero(mask & self._are_among(near, state))
        asked = [self.everybody[row] for row in rows.tolist()]
        found = [(who, state.stop_of_account(who.user_id, tag)) for who in asked]
        return [(who, since) for who, since in found if since is not None]

    def _are_among(self, fingerprints: UInt64Array, state: LedgerState) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(self._people), bool)
        for naming in state.namings:
            if naming.naming not in self._fingerprints:
                ids = (who.user_id for who in self.everybody)
                self._fingerprints[naming.naming] = naming.of_all(ID, ids)
            found |= np.isin(self._fingerprints[naming.naming], fingerprints)
        return found
