"""Rows about safety that name somebody in another spelling, and rows that name nobody at all.

A row about safety holds or separates whoever is meant, see `id_spellings`; where nobody is, it is counted.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ADULT, OLDEST, RANGES, UNDISCLOSED
from recsys.data.account_linkage import token_of_spelling
from recsys.data.events import CodedEvents, Events
from recsys.data.fail_closed import PROVES_AGE, STOPPED, Restrictions
from recsys.data.id_spellings import (
    Spellings,
    are_told_apart,
    as_spelled,
    is_canonical_id,
    plainest_spellings,
)
from recsys.data.quarantine import RowsAhead
from recsys.data.restriction_counts import (
    ERASED,
    KEPT,
    RESTRICTING_TYPES,
    answers_counted,
    restricting_events,
    tokens_counted,
    words_left_out,
)
from recsys.data.tables import read_and_check
from recsys.data.unknown_words import SAFETY_EVENTS, may_restrict

SAFETY_TABLES: Final = (T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS)
FACTS: Final = "facts"
"""How many rows of a table are left when those that say the same count once, whatever their times."""
AHEAD: Final = "ahead"
"""How many rows of a table are dated after the clock, in the same counts."""
FIRST_AHEAD: Final = "first_ahead"
"""The position of the first of these, from 0."""
UNKNOWN_TYPE: Final = "type:"
"""Before a type of events that is not of the table, in the same counts."""
_MOST_WORDS: Final = 20
TYPE_OF_ROW: Final = rf'"{C.TYPE}": "((?:[^"\\]|\\.)*)"'
"""What finds the type in the values of a refused event."""
_UNSAFE_ANSWERS: Final = ("unsafe", "pressured")
"""What keeps two people apart where somebody says how a meeting was, or how they feel."""


class NamesNobody(NamedTuple):
    """How many rows about safety name nobody.

    rows: all of them. misspelled: those in which an id is of a form that no known id has. by_actor: of both,
    how many a member may have written, who can name whom they like: by who acts, under an id of a form that
    members have, and whether the other id is of another form.
    """

    rows: int = 0
    misspelled: int = 0
    by_actor: Mapping[tuple[str, bool], int] = MappingProxyType({})

    def plus(self, other: "NamesNobody") -> "NamesNobody":
        """Return the sums."""
        by_actor = Counter(self.by_actor) + Counter(other.by_actor)
        return NamesNobody(self.rows + other.rows, self.misspelled + other.misspelled, by_actor)

    def counts(self) -> dict[str, int]:
        """Return what gates ask: rows, and of those that members may have written how many, and by how many.

        >>> NamesNobody(3, 2, {("u1", True): 2}).counts()["misspelled_by_members"]
        2
        """
        found = {"nobody": self.rows, "misspelled": self.misspelled}
        for name, rows in (
            ("nobody", self.by_actor),
            ("misspelled", [*filter(_is_misspelled, self.by_actor)]),
        ):
            if rows:
                found[f"{name}_by_members"] = sum(self.by_actor[one] for one in rows)
                found[f"{name}_members"] = len({actor for actor, _ in rows})
        return found


def _is_misspelled(row: tuple[str, bool]) -> bool:
    return row[1]


def nobody_in(given: Restrictions, spellings: Spellings) -> NamesNobody:
    """Return how many refused rows about safety name nobody, by what they restrict in their own words.

    A word for a ban that names two is not among them: one may be an operator.
    """
    pairs = given.pairs - {(min(pair), max(pair)) for pair in given.banned_by}
    named = [*((one,) for one in given.people), *pairs, *((one,) for one in given.erased)]
    unknown = [[one for one in ids if spellings.is_nobody(one)] for ids in named]
    odd = sum(any(map(spellings.is_odd, ids)) for ids in unknown)
    by_actor = Counter[tuple[str, bool]]()
    for a, b in pairs:  # in the order of their ids: either may have written the row
        strange = {one: spellings.is_odd(one) for one in (a, b) if spellings.is_nobody(one)}
        actor = next((one for one in (a, b) if one not in strange), b if strange.get(a) else a)
        if strange and not strange.get(actor):
            by_actor[actor, any(strange.values())] += 1
    return NamesNobody(sum(map(bool, unknown)), odd, by_actor)


def of_known_people(given: Restrictions, spellings: Spellings) -> Restrictions:
    """Return the same restrictions of the known people who are meant, and of the ids as given of others."""

    def meant(one: str) -> str:
        return spellings.whom(one) or one

    def account(one: str) -> str | None:
        known = spellings.whom(one)
        return known or next((form for form in reversed(as_spelled(one)) if is_canonical_id(form)), None)

    def pairs_meant(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        named = ((meant(a), meant(b)) for a, b in pairs)
        return frozenset((min(pair), max(pair)) for pair in named if pair[0] != pair[1])

    respelled = {spellings.whom(one) for one in given.respelled | given.erased if one not in spellings.users}
    return Restrictions(
        people=frozenset(map(meant, given.people)) | frozenset(one for one in respelled if one),
        pairs=pairs_meant(given.pairs),
        erased=given.erased,
        later_people=frozenset(map(meant, given.later_people)),
        later_pairs=pairs_meant(given.later_pairs),
        unproved=frozenset((meant(one), at) for one, at in given.unproved),
        tokens=frozenset((meant(one), token) for one, token in given.tokens),
        stopped=given.stopped,
        states=frozenset((meant(one), word) for one, word in given.states),
        passed=pairs_meant(given.passed),
        banned_by=given.banned_by,
        circles=frozenset((one, circle) for given_id, circle in given.circles if (one := account(given_id))),
        hidden=frozenset((meant(one), question) for one, question in given.hidden),
        later_hidden=frozenset((meant(one), question) for one, question in given.later_hidden),
    )


def bans_of_operators(given: Restrictions, spellings: Spellings, acting: Collection[str]) -> Restrictions:
    """Return the bans among refused events of two people: those by somebody who is no member.

    A member could not ban another with a word of their own. Whoever has no profile, and acts in no event that
    was accepted, is an operator, or a process of the service.

    acting: who acts in the events that were accepted.

    >>> given = Restrictions(banned_by=frozenset({("staff-7", "u1"), ("u2", "u3"), ("left", "u4")}))
    >>> sorted(bans_of_operators(given, Spellings(["u1", "u2", "u3", "u4"]), {"left"}).people)
    ['u1']
    """
    told = [(a, b) for a, b in given.banned_by if spellings.is_nobody(a) and a not in acting]
    banned = frozenset(spellings.whom(one) or one for _, one in told)
    return Restrictions(people=banned, states=frozenset((one, STOPPED[0]) for one in banned))


def settled_by_events(given: Restrictions, events: pd.DataFrame, spellings: Spellings) -> Restrictions:
    """Return restrictions with what accepted events say of refused ones: proofs, and who is a member."""
    found = given.settled(events)
    if not found.banned_by:
        return found
    return found | bans_of_operators(found, spellings, set(events[C.ACTOR].unique()))


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
    of_one = rows[columns[0]].iloc[:0].astype(object)
    about, unproved, passed = rows, frozenset[tuple[str, pd.Timestamp]](), frozenset[tuple[str, str]]()
    if table == T.EVENTS:
        passed = _passes_respelled(rows[rows[C.TYPE].eq("pass")], spellings, users)
        about = rows[rows[C.TYPE].isin({*SAFETY_EVENTS, "erase"}) | rows[C.DETAIL].isin(_UNSAFE_ANSWERS)]
        taken = rows[rows[C.TYPE].eq("verified") & ~rows[C.DETAIL].isin(PROVES_AGE)]
        meant_by = (
            (spellings.whom(one), one, at) for one, at in zip(taken[C.ACTOR], taken[C.TS], strict=True)
        )
        unproved = frozenset((one, at) for one, given, at in meant_by if one is not None and one != given)
        of_one = taken[C.ACTOR].astype(object)
    elif table == T.HOLDS:
        about = rows[rows[C.STATE].eq("active")]
    named = about[columns]
    known = np.logical_and.reduce(
        [(named[column].isin(users) | named[column].isna()).to_numpy(bool) for column in columns]
    )
    strange = named[~known]
    people, pairs, nobody, odd = set[str](), set[tuple[str, str]](), 0, 0
    by_actor = Counter[tuple[str, bool]]()
    for one in of_one[~of_one.isin(users)].dropna():
        if spellings.is_nobody(one):
            nobody, odd = nobody + 1, odd + spellings.is_odd(one)
    for ids in strange.itertuples(index=False):
        given = [one for one in ids if isinstance(one, str)]
        meant = [spellings.whom(one) for one in given]
        if not all(meant):
            strangers = [one for one in given if spellings.is_nobody(one)]
            nobody += bool(strangers)
            odd += any(map(spellings.is_odd, strangers))
            if strangers and len(given) > 1 and not (given[0] in strangers and spellings.is_odd(given[0])):
                by_actor[given[0], any(map(spellings.is_odd, strangers))] += 1
        elif len(meant) == 1:
            people.add(str(meant[0]))
        elif meant[0] != meant[1]:
            pairs.add((min(map(str, meant)), max(map(str, meant))))
    found = Restrictions(frozenset(people), frozenset(pairs), unproved=unproved, passed=passed)
    return NamedInSafety(found, len(about), NamesNobody(nobody, odd, by_actor))


def _passes_respelled(
    rows: pd.DataFrame, spellings: Spellings, users: Collection[str]
) -> frozenset[tuple[str, str]]:
    """Return the pairs that passes mean in which somebody stands in another spelling."""
    strange = rows[~(rows[C.ACTOR].isin(users) & rows[C.TARGET].isin(users))]
    meant = {
        (spellings.whom(a), spellings.whom(b))
        for a, b in zip(strange[C.ACTOR], strange[C.TARGET], strict=True)
    }
    return frozenset((min(a, b), max(a, b)) for a, b in meant if a is not None and b is not None and a != b)


def restricted_by_twins(profiles: pd.DataFrame) -> Restrictions:
    """Return what profiles whose ids differ in spelling alone restrict: the two may be of one person.

    Whoever is active is held where the twin is not, and person tokens of each are tokens of the other too, or
    where neither has one, one in common; a ban or a hold is of both, and outlives the row. Where many ids
    have a twin, spelling tells people apart: tokens are of one account each, and who is held is so while the
    twin is there.

    profiles: accepted rows.

    >>> rows = pd.DataFrame({"user_id": ["u1", "U1", "u2"], "account_state": ["active", "banned", "active"]})
    >>> sorted(restricted_by_twins(rows).people)
    ['u1']
    >>> rows = pd.DataFrame({"user_id": ["u1", "U1", "u2"], "person_token": ["s", "t", "r"]})
    >>> sorted(restricted_by_twins(rows).tokens)
    [('U1', 's'), ('u1', 't')]
    """
    users = profiles[C.USER].unique()
    spelled = pd.Series(plainest_spellings(users), index=users)
    twins = spelled[spelled.duplicated(keep=False)]
    if twins.empty:
        return Restrictions()
    tokens, people, states = frozenset[tuple[str, str]](), frozenset[str](), frozenset[tuple[str, str]]()
    few = not are_told_apart(len(twins), len(users))
    if few:
        rows = profiles.reindex(columns=[C.USER, C.PERSON_TOKEN])[profiles[C.USER].isin(twins.index)].dropna()
        named = rows.assign(form=rows[C.USER].map(twins).astype(object)).drop_duplicates()
        both = named[["form", C.PERSON_TOKEN]].merge(twins.rename("form").rename_axis("twin").reset_index())
        known = set(zip(rows[C.USER], rows[C.PERSON_TOKEN], strict=True))
        tokens = frozenset(zip(both["twin"], both[C.PERSON_TOKEN], strict=True)) - known
        bare = twins[~twins.isin(named["form"])]
        tokens |= {(str(one), token_of_spelling(form)) for one, form in bare.items()}
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
    counts: pd.DataFrame,
    nobody: Mapping[str, NamesNobody],
    erased: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    accepted: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    quarantine: pd.DataFrame | None = None,
    *,
    events: CodedEvents | None = None,
    options: Mapping[str, Collection[str]] = MappingProxyType({}),
    ahead: Mapping[str, RowsAhead] = MappingProxyType({}),
) -> dict[str, dict[str, int]]:
    """Return by table how many rows came, were refused, and were about safety and named nobody or misspelled.

    erased: the same counts of rows that came and went before they were counted, since they named somebody
    erased; they are among the rows that came. accepted: the
    tables, of which the people are counted who have a value whose absence would keep fewer apart: tokens, by
    kind and namespace, and wishes that are open where nothing is said, sets of words also by each word left
    out. quarantine:
    refused rows, whose types that are not of the events table are counted by word. events: the accepted ones,
    of which those are counted that restrict somebody. options: the answers that each question has. ahead: by
    table, the rows dated after the clock.
    """
    found = {
        str(row["table"]): {
            "rows": int(row["rows_in"]),
            "refused": int(row["quarantined"]),
            **_counted(nobody.get(str(row["table"]), NamesNobody()), ahead.get(str(row["table"]))),
        }
        for row in counts.to_dict("records")
    }
    for table, values in _RESTRICTING.items():
        if table in found and (frame := accepted.get(table)) is not None:
            found[table] |= _restricting_values(frame, values)
            found[table]["accepted"] = len(frame)
    if T.TOKENS in found and (tokens := accepted.get(T.TOKENS)) is not None:
        found[T.TOKENS] |= tokens_counted(tokens)
    if T.ANSWERS in found and (answers := accepted.get(T.ANSWERS)) is not None:
        found[T.ANSWERS] |= answers_counted(answers, options)
    if quarantine is not None:
        for table, n in _without_person(quarantine).items():
            if table in found:
                found[table]["nobody"] += n
        repeated = quarantine.loc[
            quarantine["codes"].str.fullmatch(r"[a-z_]+\.(?:duplicate|conflict)"), "table"
        ].value_counts()
        for table in SAFETY_TABLES[:-1]:
            if table in found and (frame := accepted.get(table)) is not None:
                again = int(frame.duplicated(_said(frame)).sum()) + int(repeated.get(table, 0))
                found[table][FACTS] = found[table]["rows"] - again
    if T.EVENTS in found and quarantine is not None:
        found[T.EVENTS] |= {f"{UNKNOWN_TYPE}{word}": n for word, n in _unknown_types(quarantine).items()}
    if T.EVENTS in found and events is not None:
        found[T.EVENTS] |= restricting_events(events)
    for table in found.keys() & erased.keys():
        found[table] = _with_erased(found[table], erased[table])
    return found


def _with_erased(counts: Mapping[str, int], erased: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of a table with rows of erased people among them, and these by themselves."""
    sums = {name: counts.get(name, 0) + n for name, n in erased.items()}
    return {**counts, **sums, **{f"{ERASED}{name}": n for name, n in erased.items()}}


def counted_erased(table: str, rows: pd.DataFrame) -> dict[str, int]:
    """Return what `row_counts` counts of rows that name somebody erased: all, facts, events that restrict.

    rows: as they came.

    >>> twice = pd.DataFrame({"actor": ["a", "a"], "target": ["b", "b"]})
    >>> counted_erased("blocks", twice)
    {'rows': 2, 'facts': 1}
    """
    found = {"rows": len(rows)}
    if table in SAFETY_TABLES[:-1]:
        return found | {FACTS: len(rows) - int(rows.duplicated(_said(rows)).sum())}
    if table == T.EVENTS:
        found |= restricting_events(Events.of(read_and_check(table, lambda: rows).accepted).coded)
    return found


def _said(rows: pd.DataFrame) -> list[str]:
    """Return the columns in which two rows of blocks, reports or holds that say the same are alike."""
    return [name for name in (C.USER, C.OWNER, C.STATE, C.ACTOR, C.TARGET, C.CATEGORY) if name in rows]


def _restricting_values(
    frame: pd.DataFrame, values: Mapping[str, Callable[[pd.DataFrame, str], pd.Series]]
) -> dict[str, int]:
    """Return how many people have a value that keeps some apart, by column, and of words by each left out."""
    kept = {column: holds(frame, column) for column, holds in values.items() if column in frame}
    found = {f"{KEPT}{column}": int(frame.loc[rows, C.USER].nunique()) for column, rows in kept.items()}
    for column in kept:
        if column in _WISHED:
            found |= words_left_out(frame, column, _held(frame, column))
    return found


def _without_person(quarantine: pd.DataFrame) -> dict[str, int]:
    """Return by table how many refused rows restrict somebody and lack an id, so that nobody can be meant."""
    is_missing = quarantine["codes"].str.contains(rf"(?:{C.ACTOR}|{C.TARGET}|{C.USER})\.missing", regex=True)
    rows = quarantine[is_missing.fillna(False).astype(bool) & quarantine["table"].isin(SAFETY_TABLES)]
    types = rows["values"].str.extract(TYPE_OF_ROW, expand=False)
    said = types.isin(RESTRICTING_TYPES) | types.map(may_restrict, na_action="ignore").eq(True)
    restricting = rows["table"].ne(T.EVENTS) | said
    return {str(name): int(n) for name, n in rows.loc[restricting, "table"].value_counts().items()}


def _unknown_types(quarantine: pd.DataFrame) -> dict[str, int]:
    """Return how many refused events have each type that is not of the table, those that restrict first."""
    unknown = quarantine["codes"].str.contains(f"{C.TYPE}.unknown_word", regex=False).fillna(False)
    of_type = quarantine.loc[quarantine["table"].eq(T.EVENTS) & unknown.astype(bool), "values"]
    counts = of_type.str.extract(TYPE_OF_ROW, expand=False).dropna().value_counts()
    words = sorted(counts.index, key=lambda word: (not may_restrict(word), -counts[word], word))
    return {word: int(counts[word]) for word in words[:_MOST_WORDS]}


def _counted(nobody: NamesNobody, ahead: RowsAhead | None) -> dict[str, int]:
    dated = {} if ahead is None else {AHEAD: ahead.rows, FIRST_AHEAD: ahead.first}
    return nobody.counts() | dated


def _has_items(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame[column].map(lambda value: hasattr(value, "__len__") and len(value) > 0).astype(bool)


def _narrows(frame: pd.DataFrame, column: str) -> pd.Series:
    """Say which wishes leave out a word that somebody has: one that names them all is as good as none.

    Who tells no gender is `undisclosed`; who is of no known age is in no list.
    """
    held = _held(frame, column)
    narrows = {words: not held <= set(words) for words in set(map(tuple, frame[column].dropna()))}
    return frame[column].map(lambda words: narrows.get(tuple(words), False), na_action="ignore").eq(True)


def _held(frame: pd.DataFrame, column: str) -> frozenset[str]:
    """Return the words that somebody has of those that a column wishes for."""
    told = frame.get(_WISHED[column], pd.Series(dtype=object))
    return frozenset(told.dropna() if column != C.MEETS_GENDERS else told.astype(object).fillna(UNDISCLOSED))


_WISHED: Final = {
    C.ACCEPTS_AGE_BANDS: C.AGE_BAND,
    C.MEETS_GENDERS: C.GENDER,
    C.ACCEPTS_HOUSEHOLD_STATUS: C.HOUSEHOLD_STATUS,
}
_EVERYWHERE: Final = RANGES[C.MAX_DISTANCE_KM][1]
_RESTRICTING: Final[Mapping[str, Mapping[str, Callable[[pd.DataFrame, str], pd.Series]]]] = {
    T.TOKENS: {
        C.KIND: lambda tokens, kind: tokens[kind].eq("exclude").fillna(False).astype(bool),
    },
    T.PROFILES: {
        **dict.fromkeys(_WISHED, _narrows),
        C.MIN_AGE_YEARS: lambda profiles, least: profiles[least].gt(ADULT).fillna(False).astype(bool),
        C.MAX_AGE_YEARS: lambda profiles, most: profiles[most].lt(OLDEST).fillna(False).astype(bool),
        C.MIN_DISTANCE_KM: lambda profiles, least: profiles[least].gt(0).fillna(False).astype(bool),
        C.MAX_DISTANCE_KM: lambda profiles, most: profiles[most].lt(_EVERYWHERE).fillna(False).astype(bool),
        C.DISCRETION: lambda profiles, who: profiles[who].eq("liked_only").fillna(False).astype(bool),
    },
    T.BOUNDARIES: {C.TOPICS_AVOID: _has_items},
}
