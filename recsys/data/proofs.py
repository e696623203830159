"""Proofs of age and identity by events `verified`: which tier stands, and what ends that one was taken back.

Nights and the day ask the same function: a proof that an event took back counts as taken back until a later
one of at least the tier that is asked for, also where the profile's own column says more.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import CodedEvents
from recsys.data.times import microseconds
from recsys.types import BoolArray, Int8Array, Int64Array

TIERS: Final = ENUMERATIONS[C.VERIFICATION].words
"""From no proof to the strongest."""
AGE: Final = TIERS.index("age")
"""The lowest tier that proves an age, as a position in `TIERS`."""
ANY_TIER: Final = len(TIERS) - 1
"""Enough for whatever is asked: of proofs of which none was taken back."""
NEVER: Final = np.iinfo(np.int64).min


class StandingProofs(NamedTuple):
    """Proofs of people, `(n_people,)` each.

    taken_back: int64 microseconds, when the latest was; `NEVER` for nobody's. tier: int8, the highest of
    those that are later, 0 for none.
    """

    taken_back: Int64Array
    tier: Int8Array

    @property
    def are_taken_back(self) -> BoolArray:
        """Whose proof was taken back at some time."""
        return self.taken_back != NEVER

    def enough_for(self) -> Int8Array:
        """Return up to which tier proofs count: `ANY_TIER` where none was taken back, also without any."""
        return np.where(self.are_taken_back, self.tier, ANY_TIER).astype(np.int8)


def standing_proofs(
    person: npt.NDArray[np.integer],
    at: Int64Array,
    tier: npt.NDArray[np.integer],
    n_people: int,
) -> StandingProofs:
    """Return which proofs stand, of events `verified` in any order.

    person: row of each; at: int64 microseconds; tier: position in `TIERS`; what is less than `AGE` takes
    back what came before, and what came at the same time. All `(n_events,)`.

    >>> found = standing_proofs(np.zeros(3, int), np.array([1, 2, 3]), np.array([2, 0, 1]), 1)
    >>> TIERS[found.enough_for()[0]]
    'age'
    """
    taken_back = np.full(n_people, NEVER)
    back = tier < AGE
    np.maximum.at(taken_back, person[back], at[back])
    later = ~back & (at > taken_back[person])
    highest = np.zeros(n_people, np.int8)
    np.maximum.at(highest, person[later], tier[later].astype(np.int8))
    return StandingProofs(taken_back, highest)


def standing_proof(said: Iterable[tuple[datetime, str | None]]) -> StandingProofs:
    """Return the same of one person: times, and details of which another word than a tier's proves nothing.

    >>> from datetime import UTC
    >>> day = datetime(2026, 3, 2, tzinfo=UTC)
    >>> standing_proof([(day, "none"), (day, "id")]).tier.tolist()
    [0]
    """
    rows = [(microseconds(pd.Timestamp(at)), tier_of(word)) for at, word in said]
    at, tier = np.array(rows, np.int64).reshape(-1, 2).T
    return standing_proofs(np.zeros(len(rows), np.int64), at, tier, 1)


def tier_of(word: object) -> int:
    """Return the tier of a detail as a position in `TIERS`; 0 for what is no tier.

    >>> tier_of("id"), tier_of(None), tier_of("ID")
    (2, 0, 0)
    """
    return TIERS.index(word) if isinstance(word, str) and word in TIERS else 0


def proofs_of(
    coded: CodedEvents, taken_back: frozenset[tuple[str, pd.Timestamp]] = frozenset()
) -> StandingProofs:
    """Return which proofs stand of `coded.people`.

    taken_back: people and times of rows that took a proof back and are no events, such as refused ones.
    """
    rows = np.flatnonzero(coded.detailed("verified", *TIERS) & (coded.target < 0))
    tier = np.fromiter(map(tier_of, coded.detail[rows]), np.int8, len(rows))
    person, at = coded.actor[rows], coded.ts[rows]
    if taken_back:
        row = dict(zip(coded.people.tolist(), range(len(coded.people)), strict=True))
        more = [(row[one], microseconds(then)) for one, then in taken_back if one in row]
        who, when = np.array(more, np.int64).reshape(-1, 2).T
        person, at = np.r_[person, who], np.r_[at, when]
        tier = np.r_[tier, np.zeros(len(more), np.int8)]
    return standing_proofs(person, at, tier, len(coded.people))


def tiers(coded: CodedEvents) -> Int8Array:
    """Return the tier each person was last verified at, `(n_people,)` int8; of two at one time the lower."""
    rows = np.flatnonzero(coded.detailed("verified", *TIERS) & (coded.target < 0))
    found = np.fromiter(map(tier_of, coded.detail[rows]), np.int8, len(rows))
    order = np.lexsort((-found, coded.ts[rows], coded.actor[rows]))
    rows, found = rows[order], found[order]
    last = np.ones(len(rows), bool)
    last[:-1] = coded.actor[rows[1:]] != coded.actor[rows[:-1]]
    tier = np.zeros(len(coded.people), np.int8)
    tier[coded.actor[rows[last]]] = found[last]
    return tier
