"""Rows about safety that name somebody in another spelling, and rows that name nobody at all.

An id with blanks, capitals, full-width or invisible characters is no id of anybody. Where exactly one known
person has an id that is the same but for these, a row about safety holds or separates that person as well;
else the row is counted as naming nobody.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.fail_closed import PROVES_AGE, SAFETY_EVENTS, Restrictions
from recsys.data.ids import canonical_spelling

SAFETY_TABLES: Final = (T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS)
_MARKS: Final = re.compile(r"[\s\"'`]")
_WHOLE: Final = re.compile(r"(\d+)\.0+")


def id_in_one_spelling(given: object) -> str | None:
    r"""Return the id that a value means, so that spellings of one id are equal; None for no value.

    >>> id_in_one_spelling("ｕ１\u200b "), id_in_one_spelling("U1"), id_in_one_spelling(12.0)
    ('u1', 'u1', '12')
    """
    if given is None or (isinstance(given, float) and math.isnan(given)):
        return None
    text = given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
    if isinstance(given, float) and (whole := _WHOLE.fullmatch(text)):
        text = whole.group(1)
    text = canonical_spelling(INVISIBLE.sub("", text))
    return _MARKS.sub("", text).casefold() or None


class Spellings:
    """Who is meant by an id that is nobody's: the one known person whose id it is in another spelling."""

    def __init__(self, users: Collection[str]) -> None:
        self._users = frozenset(users)
        self._meant: dict[str, list[str]] | None = None

    def whom(self, given: object) -> str | None:
        """Return the known person, None for nobody and for more than one."""
        if isinstance(given, str) and given in self._users:
            return given
        if self._meant is None:
            self._meant = {}
            for user in self._users:
                self._meant.setdefault(id_in_one_spelling(user) or "", []).append(user)
        found = self._meant.get(id_in_one_spelling(given) or "", [])
        return found[0] if len(found) == 1 else None

    def restrictions(self, given: Restrictions) -> Restrictions:
        """Return the same restrictions of the people who are meant."""
        meant = {self.whom(one) for one in given.respelled - self._users} - {None}
        return Restrictions(
            people=self._people(given.people) | frozenset(one for one in meant if one),
            pairs=self._pairs(given.pairs),
            erased=given.erased,
            later_people=self._people(given.later_people),
            later_pairs=self._pairs(given.later_pairs),
            unproved=frozenset((self.whom(one) or one, at) for one, at in given.unproved),
            tokens=frozenset((self.whom(one) or one, token) for one, token in given.tokens),
            stopped=given.stopped,
        )

    def _people(self, ids: Iterable[str]) -> frozenset[str]:
        return frozenset(self.whom(one) or one for one in ids)

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        named = ((self.whom(a) or a, self.whom(b) or b) for a, b in pairs)
        return frozenset((min(pair), max(pair)) for pair in named if pair[0] != pair[1])


@dataclass(frozen=True)
class NamedInSafety:
    """What one safety table's accepted rows name: restrictions by another spelling, rows that name nobody."""

    restrictions: Restrictions
    rows: int
    nobody: int


def named_in(table: str, rows: pd.DataFrame, spellings: Spellings, users: Collection[str]) -> NamedInSafety:
    """Look at the people that a table's accepted rows about safety name.

    rows: canonical; of events those in `SAFETY_EVENTS` count, and those that erase or take a
    proof of age back; these hold the person who is meant until a later proof, see `Restrictions.settled`.
    """
    columns = [C.USER] if table == T.HOLDS else [C.ACTOR, C.TARGET]
    about, unproved = rows, frozenset[tuple[str, pd.Timestamp]]()
    if table == T.EVENTS:
        about = rows[rows[C.TYPE].isin({*SAFETY_EVENTS, "erase"})]
        taken = rows[rows[C.TYPE].eq("verified") & ~rows[C.DETAIL].isin(PROVES_AGE)]
        meant_by = (
            (spellings.whom(one), one, at) for one, at in zip(taken[C.ACTOR], taken[C.TS], strict=True)
        )
        unproved = frozenset((one, at) for one, given, at in meant_by if one is not None and one != given)
    elif table == T.HOLDS:
        about = rows[rows[C.STATE].eq("active")]
    named = about[columns]
    known = np.logical_and.reduce(
        [(named[column].isin(users) | named[column].isna()).to_numpy(bool) for column in columns]
    )
    strange = named[~known]
    people, pairs, nobody = set[str](), set[tuple[str, str]](), 0
    for ids in strange.itertuples(index=False):
        meant = [spellings.whom(one) for one in ids if isinstance(one, str)]
        if not all(meant):
            nobody += 1
        elif len(meant) == 1:
            people.add(str(meant[0]))
        elif meant[0] != meant[1]:
            pairs.add((min(map(str, meant)), max(map(str, meant))))
    found = Restrictions(frozenset(people), frozenset(pairs), unproved=unproved)
    return NamedInSafety(found, len(about), nobody)


def restricted_in_another_spelling(profiles: pd.DataFrame) -> frozenset[str]:
    """Return whose id stands in another spelling in a profile that is not active.

    profiles: accepted rows. Two ids that differ in capitals alone may be of one person.

    >>> rows = pd.DataFrame({"user_id": ["u1", "U1", "u2"], "account_state": ["active", "banned", "active"]})
    >>> sorted(restricted_in_another_spelling(rows))
    ['u1']
    """
    if C.ACCOUNT_STATE not in profiles:
        return frozenset()
    users = profiles[C.USER].unique()
    spelled = pd.Series(users, index=users).str.casefold()  # accepted ids differ in nothing else
    twins = spelled[spelled.duplicated(keep=False)]
    if twins.empty:
        return frozenset()
    state = profiles[C.ACCOUNT_STATE].astype(object)
    stopped = set(profiles.loc[state.notna() & state.ne("active"), C.USER])
    meant = set(twins[twins.index.isin(stopped)])
    return frozenset(str(one) for one in twins.index[twins.isin(meant)] if one not in stopped)


def row_counts(
    counts: pd.DataFrame, nobody: Mapping[str, int], erased: Mapping[str, int] = MappingProxyType({})
) -> dict[str, dict[str, int]]:
    """Return by table how many rows came, were refused, and were about safety and named nobody.

    erased: rows that came and went before they were counted, since they named somebody erased.
    """
    return {
        str(row["table"]): {
            "rows": int(row["rows_in"]) + erased.get(str(row["table"]), 0),
            "refused": int(row["quarantined"]),
            "nobody": nobody.get(str(row["table"]), 0),
        }
        for row in counts.to_dict("records")
    }
