"""Rows about safety that name somebody in another spelling, and rows that name nobody at all.

An id with blanks, capitals, full-width or invisible characters is no id of anybody. Where exactly one known
person has an id that is the same but for these, a row about safety holds or separates that person as well;
else the row is counted as naming nobody.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.fail_closed import PROVES_AGE, SAFETY_EVENTS, STOPPED, Restrictions
from recsys.data.ids import canonical_spelling
from recsys.errors import as_text

SAFETY_TABLES: Final = (T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS)
_UNSAFE_ANSWERS: Final = ("unsafe", "pressured")
"""What keeps two people apart where somebody says how a meeting was, or how they feel."""
_MARKS: Final = re.compile(r"[\s\"'`]")
_WHOLE: Final = re.compile(r"(.*\d)\.0+")
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_IN_NO_ID: Final = re.compile(r"[^a-z0-9_-]")
_HALVES: Final = re.compile("[\ud800-\udfff]")
_HEX_DIGITS: Final = 32
_UUID: Final = re.compile(
    "(?:urnuuid)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})"
)


def id_in_one_spelling(given: object) -> str | None:
    r"""Return the id that a value means, so that spellings of one id are equal; None for no value.

    >>> id_in_one_spelling("ｕ１\u200b "), id_in_one_spelling("U1"), id_in_one_spelling(12.0)
    ('u1', 'u1', '12')
    """
    if given is None or (isinstance(given, float) and math.isnan(given)):
        return None
    text = as_id_text(given)
    if isinstance(given, float) and (whole := _WHOLE.fullmatch(text)):
        text = whole.group(1)
    text = canonical_spelling(INVISIBLE.sub("", text))
    return _MARKS.sub("", text).casefold() or None


def as_id_text(given: object) -> str:
    r"""Return the text that a value means as an id: of bytes what they spell, of a list of one its one.

    Halves of surrogate pairs, which no text may hold, are left out.

    >>> as_id_text(b"u1"), as_id_text(["u1"]), as_id_text(7), as_id_text("u1\ud800")
    ('u1', 'u1', '7', 'u1')
    """
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.item()
    while isinstance(given, list | tuple | set | frozenset | np.ndarray) and len(given) == 1:
        (given,) = given
    text = given.decode("utf-8", "replace") if isinstance(given, bytes) else as_text(given)
    return _HALVES.sub("", text)


def id_forms(given: object) -> tuple[str, str, str]:
    r"""Return the texts under which an id is looked for, the nearest to the one given first; empty for none.

    First `id_in_one_spelling`; then without what no id of a profile holds, such as an accent, a `#` or the
    `.0` of a number that became a fraction; then a UUID with its hyphens and a number without leading zeros.

    >>> id_forms("#U1\u0301"), id_forms("0012.0")
    (('#u1\u0301', 'u1', 'u1'), ('0012.0', '0012', '12'))
    """
    if isinstance(given, str) and _ID.fullmatch(given):
        near = bare = given.lower()
    else:
        near = id_in_one_spelling(given) or ""
        whole = _WHOLE.fullmatch(near)
        bare = _IN_NO_ID.sub("", unicodedata.normalize("NFKD", whole.group(1) if whole else near))
    plain = (bare.lstrip("0") or "0") if bare.isdigit() else bare
    if len(bare) >= _HEX_DIGITS and (found := _UUID.fullmatch(bare)):
        plain = "-".join(found.groups())
    return near, bare, plain


class NamesNobody(NamedTuple):
    """How many rows about safety name nobody.

    rows: all of them. misspelled: those in which an id holds characters that no known id has.
    """

    rows: int = 0
    misspelled: int = 0

    def plus(self, other: "NamesNobody") -> "NamesNobody":
        """Return the sums."""
        return NamesNobody(self.rows + other.rows, self.misspelled + other.misspelled)


def _kind(character: str) -> str:
    """Return the kind of a character in an id: a letter, a capital, a digit, or itself."""
    if not character.isascii() or not character.isalnum():
        return character
    return "0" if character.isdigit() else "a" if character.islower() else "A"


class Spellings:
    """Who is meant by an id that is nobody's: the one known person whose id it is in another spelling."""

    def __init__(self, users: Collection[str], absent: Collection[str] = ()) -> None:
        self._users, self._absent = frozenset(users), frozenset(absent) - frozenset(users)
        self._kinds: frozenset[str] | None = None
        self._meant: dict[tuple[int, str], list[str]] | None = None

    def whom(self, given: object) -> str | None:
        """Return the known person, None for nobody and for more than one."""
        if isinstance(given, str) and given in self._users:
            return given
        if self._meant is None:
            self._meant = {}
            for user in self._users:
                for form in enumerate(id_forms(user)):
                    self._meant.setdefault(form, []).append(user)
        forms = [(level, form) for level, form in enumerate(id_forms(given)) if form]
        found = next((meant for form in forms if (meant := self._meant.get(form))), [])
        return found[0] if len(found) == 1 else None

    def is_nobody(self, given: object) -> bool:
        """Say whether no one known person is meant; accounts that are refused or yet to come are known."""
        return given not in self._absent and self.whom(given) is None

    def is_odd(self, given: str) -> bool:
        """Say whether no known id is made of such characters: it is no id of somebody who left either."""
        if self._kinds is None:
            self._kinds = frozenset(map(_kind, frozenset("".join(self._users))))
        return not self._kinds.issuperset(map(_kind, given))

    def count(self, given: Restrictions) -> "NamesNobody":
        """Return how many refused rows about safety name nobody, by what they restrict in their own words."""
        named = [*((one,) for one in given.people), *given.pairs, *((one,) for one in given.erased)]
        unknown = [[one for one in ids if self.is_nobody(one)] for ids in named]
        odd = sum(any(map(self.is_odd, ids)) for ids in unknown)
        return NamesNobody(sum(map(bool, unknown)), odd)

    def restrictions(self, given: Restrictions) -> Restrictions:
        """Return the same restrictions of the people who are meant."""
        other = (given.respelled | given.erased) - self._users
        meant = {self.whom(one) for one in other} - {None}
        return Restrictions(
            people=self._people(given.people) | frozenset(one for one in meant if one),
            pairs=self._pairs(given.pairs),
            erased=given.erased,
            later_people=self._people(given.later_people),
            later_pairs=self._pairs(given.later_pairs),
            unproved=frozenset((self.whom(one) or one, at) for one, at in given.unproved),
            tokens=frozenset((self.whom(one) or one, token) for one, token in given.tokens),
            stopped=given.stopped,
            states=frozenset((self.whom(one) or one, word) for one, word in given.states),
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
    nobody: NamesNobody


def named_in(table: str, rows: pd.DataFrame, spellings: Spellings, users: Collection[str]) -> NamedInSafety:
    """Look at the people that a table's accepted rows about safety name.

    rows: canonical; of events those in `SAFETY_EVENTS` count, and those that erase or take a
    proof of age back; these hold the person who is meant until a later proof, see `Restrictions.settled`.
    """
    columns = [C.USER] if table == T.HOLDS else [C.ACTOR, C.TARGET]
    about, unproved = rows, frozenset[tuple[str, pd.Timestamp]]()
    if table == T.EVENTS:
        about = rows[rows[C.TYPE].isin({*SAFETY_EVENTS, "erase"}) | rows[C.DETAIL].isin(_UNSAFE_ANSWERS)]
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
    people, pairs, nobody, odd = set[str](), set[tuple[str, str]](), 0, 0
    for ids in strange.itertuples(index=False):
        given = [one for one in ids if isinstance(one, str)]
        meant = [spellings.whom(one) for one in given]
        if not all(meant):
            strangers = [one for one in given if spellings.is_nobody(one)]
            nobody += bool(strangers)
            odd += any(map(spellings.is_odd, strangers))
        elif len(meant) == 1:
            people.add(str(meant[0]))
        elif meant[0] != meant[1]:
            pairs.add((min(map(str, meant)), max(map(str, meant))))
    found = Restrictions(frozenset(people), frozenset(pairs), unproved=unproved)
    return NamedInSafety(found, len(about), NamesNobody(nobody, odd))


_FEW_TWINS: Final = 20
_TWINS_SHARE: Final = 0.01


def restricted_by_twins(profiles: pd.DataFrame) -> Restrictions:
    """Return what profiles whose ids differ in capitals alone restrict: the two may be of one person.

    Whoever is active is held where the twin is not, and person tokens of each are tokens of the other too; a
    ban or a hold is of both, and outlives the row. Where many ids have a twin, capitals tell people apart:
    tokens are of one account each, and who is held is so while the twin is there.

    profiles: accepted rows.

    >>> rows = pd.DataFrame({"user_id": ["u1", "U1", "u2"], "account_state": ["active", "banned", "active"]})
    >>> sorted(restricted_by_twins(rows).people)
    ['u1']
    >>> rows = pd.DataFrame({"user_id": ["u1", "U1", "u2"], "person_token": ["s", "t", "r"]})
    >>> sorted(restricted_by_twins(rows).tokens)
    [('U1', 's'), ('u1', 't')]
    """
    users = profiles[C.USER].unique()
    spelled = pd.Series(users, index=users).str.casefold()  # accepted ids differ in nothing else
    twins = spelled[spelled.duplicated(keep=False)]
    if twins.empty:
        return Restrictions()
    tokens, people, states = frozenset[tuple[str, str]](), frozenset[str](), frozenset[tuple[str, str]]()
    few = len(twins) <= max(_FEW_TWINS, _TWINS_SHARE * len(users))
    if few and C.PERSON_TOKEN in profiles:
        rows = profiles.loc[profiles[C.USER].isin(twins.index), [C.USER, C.PERSON_TOKEN]].dropna()
        named = rows.assign(form=rows[C.USER].map(twins).astype(object)).drop_duplicates()
        both = named[["form", C.PERSON_TOKEN]].merge(twins.rename("form").rename_axis("twin").reset_index())
        known = set(zip(rows[C.USER], rows[C.PERSON_TOKEN], strict=True))
        tokens = frozenset(zip(both["twin"], both[C.PERSON_TOKEN], strict=True)) - known
    if C.ACCOUNT_STATE in profiles:
        state = profiles[C.ACCOUNT_STATE].astype(object)
        stopped = set(profiles.loc[state.notna() & state.ne("active"), C.USER])
        meant = set(twins[twins.index.isin(stopped)])
        people = frozenset(str(one) for one in twins.index[twins.isin(meant)] if one not in stopped)
        said = profiles.loc[state.isin(STOPPED) & profiles[C.USER].isin(twins.index), [C.USER]]
        words = dict(zip(said[C.USER].map(twins), state[said.index], strict=True))
        states = frozenset((one, words[twins[one]]) for one in people if few and twins[one] in words)
    return Restrictions(people=people, tokens=tokens, states=states)


def row_counts(
    counts: pd.DataFrame, nobody: Mapping[str, NamesNobody], erased: Mapping[str, int] = MappingProxyType({})
) -> dict[str, dict[str, int]]:
    """Return by table how many rows came, were refused, and were about safety and named nobody or misspelled.

    erased: rows that came and went before they were counted, since they named somebody erased.
    """
    return {
        str(row["table"]): {
            "rows": int(row["rows_in"]) + erased.get(str(row["table"]), 0),
            "refused": int(row["quarantined"]),
            **_counted(nobody.get(str(row["table"]), NamesNobody())),
        }
        for row in counts.to_dict("records")
    }


def _counted(nobody: NamesNobody) -> dict[str, int]:
    return {"nobody": nobody.rows, "misspelled": nobody.misspelled}
