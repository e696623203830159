"""Builds a `Population` from accepted tables: the values that were valid at a time, coded."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.absent_accounts import under_every_account
from recsys.data.exclusions import Relations
from recsys.data.future_rows import in_other_capitals, tightened, undated_beside_dated
from recsys.data.geography import cell_number, coarsen
from recsys.data.ids import IdIndex
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population, coded_set, coded_words
from recsys.data.times import as_utc
from recsys.errors import InputError, explained
from recsys.types import BoolArray, ObjectArray, UInt64Array

PROFILE_WORDS = (
    C.AGE_BAND,
    C.VERIFICATION,
    C.ACCOUNT_STATE,
    C.ACTIVITY,
    C.GENDER,
    C.HOUSEHOLD_STATUS,
    C.DISCRETION,
)
PROFILE_SETS = (C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS, C.ACCEPTS_HOUSEHOLD_STATUS, C.INTENTS, C.LANGUAGES)
PROFILE_AMOUNTS = (
    *(C.AGE_YEARS, C.MIN_AGE_YEARS, C.MAX_AGE_YEARS),
    *(C.MAX_DISTANCE_KM, C.MIN_DISTANCE_KM, C.MAX_COMPANIONS),
)
BOUNDARY_WORDS = (
    C.CONTACT_FREQUENCY,
    C.ROMANCE_LINE,
    C.PHYSICAL_LINE,
    C.FINANCIAL_LINE,
    C.DISCLOSURE,
)
BOUNDARY_SETS = (C.CHANNELS, C.CONTACT_WINDOWS, C.MEETING_SETTINGS, C.TOPICS_AVOID)

_LONG_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        T.INTERESTS: (C.TAG, C.LEVEL, C.SHARE_MODE),
        T.TALK_TOPICS: (C.TOPIC, C.ROLE, C.WEIGHT),
        T.ANSWERS: (C.QUESTION, C.ANSWER, C.ACCEPTED, C.IMPORTANCE, C.MANDATORY, C.VISIBILITY),
        T.COMMUNITIES: (C.COMMUNITY,),
        T.TOKENS: (C.NAMESPACE, C.KIND, C.HMAC),
    }
)


def token_rows(rows: pd.DataFrame, former: Collection[tuple[str, str]] = ()) -> pd.DataFrame:
    """Return the person tokens that each account ever had, the earliest first: `user_id`, `person_token`.

    former: accounts and tokens of rows that count for nothing else; they come last.
    """
    columns = [C.USER, C.PERSON_TOKEN]
    if C.PERSON_TOKEN not in rows:
        return pd.DataFrame(sorted(former), columns=columns, dtype=object)
    known = rows.loc[rows[C.PERSON_TOKEN].notna()]
    if C.VALID_FROM in known:
        known = known.sort_values(C.VALID_FROM, na_position="first", kind="stable")
    known = known[columns].astype(object)
    if former:
        known = pd.concat([known, pd.DataFrame(sorted(former), columns=columns, dtype=object)])
    return known.drop_duplicates(columns)


def tokens_of_persons(known: pd.DataFrame) -> dict[str, str]:
    """Return, for each token of `token_rows`, the one that stands for its person: the earliest.

    A token that changed names the same person still, so accounts that ever had a token in common are one
    person's.

    >>> rows = pd.DataFrame({"user_id": ["a", "a", "b"], "person_token": ["s", "t", "t"]})
    >>> tokens_of_persons(rows)
    {'s': 's', 't': 's'}
    """
    tokens, names = pd.factorize(known[C.PERSON_TOKEN])  # numbered from the earliest on
    users = pd.factorize(known[C.USER])[0]
    n_tokens = len(names)
    size = n_tokens + int(users.max(initial=-1)) + 1
    links = coo_array((np.ones(len(known), bool), (users + n_tokens, tokens)), (size, size))
    component = connected_components(links, directed=False)[1]
    earliest = np.full(component.max(initial=-1) + 1, n_tokens)
    np.minimum.at(earliest, component[:n_tokens], np.arange(n_tokens))
    return dict(zip(names, np.asarray(names, object)[earliest[component[:n_tokens]]], strict=True))


def _person_tokens(known: pd.DataFrame, ids: IdIndex) -> ObjectArray:
    """Return the token of each account's person, None where none is known."""
    first = known.drop_duplicates(C.USER).set_index(C.USER)[C.PERSON_TOKEN]
    if len(first) < len(known):  # somebody's token has changed
        first = first.map(tokens_of_persons(known))
    return _texts(first.reindex(ids.values))


def _under_known_account(
    contacts: pd.DataFrame, known: pd.DataFrame, ids: IdIndex, person_tokens: ObjectArray
) -> pd.DataFrame:
    """Return contact tokens, those of accounts without a row under one of their person that has one.

    known: see `token_rows`. person_tokens: `(n_people,)`, of each account's person.
    """
    person = tokens_of_persons(known)
    rows = np.flatnonzero(pd.notna(person_tokens))
    account = dict(zip(person_tokens[rows], ids.ids(rows), strict=True))
    absent = known[ids.find(known[C.USER]) < 0]
    meant = {user: account.get(person[token]) for user, token in absent.to_numpy(object)}
    users = contacts[C.USER].astype(object)
    return contacts.assign(**{C.USER: users.map(meant).where(users.isin(list(meant)), users)}).dropna(
        subset=[C.USER]
    )


def latest(
    table: pd.DataFrame, keys: list[str], as_of: pd.Timestamp, time: str = C.VALID_FROM
) -> pd.DataFrame:
    """Return, for each key, the last row known at `as_of`; a row without a time holds from the start.

    >>> rows = pd.DataFrame({"user_id": ["a", "a"], "gender": ["man", "woman"],
    ...                      "valid_from": pd.to_datetime(["2026-01-01", "2026-02-01"], utc=True)})
    >>> latest(rows, ["user_id"], as_utc("2026-01-15")).gender.tolist()
    ['man']
    """
    if time not in table or table.empty:
        return table
    known = table[~(table[time] > as_of)]
    ordered = known.sort_values(time, na_position="first", kind="stable")
    return ordered.drop_duplicates(keys, keep="last")


def latest_holds(holds: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the last row known at `as_of` of each hold: of one person and owner."""
    named = [name for name in (C.USER, C.OWNER) if name in holds]
    return latest(holds, named, as_of, time=C.TS)


def build_population(
    tables: Mapping[str, pd.DataFrame],
    as_of: str | pd.Timestamp,
    source: str = "memory",
    *,
    catalogue: Catalogue | None = None,
    later: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    former_tokens: Collection[tuple[str, str]] = (),
) -> Population:
    """Build the population that was true at `as_of` from accepted tables.

    tables: accepted frames by table name (see `recsys.data.tables`); `profiles` is required and
    says who exists, every other table may be absent, which means unknown. Relations between people
    come from events and safety tables one layer up, so here there are none.
    catalogue: the one the tables were accepted under; that of the package when None.
    later: canonical rows that are yet to come, which tighten the present ones, see `tightened`.
    former_tokens: accounts and person tokens of rows that were refused; they link accounts to one person.

    Raises InputError when `profiles` is absent.
    """
    if T.PROFILES not in tables:
        raise InputError(
            explained("a population needs profiles", got=sorted(tables), remedy="add a 'profiles' table")
        )
    time = as_utc(as_of)
    profiles = _present(tables[T.PROFILES], time, later.get(T.PROFILES))
    ids = IdIndex(profiles[C.USER].tolist())
    profiles = profiles.set_index(C.USER).reindex(ids.values)
    boundaries, has_boundaries = _boundaries(tables, ids, time, later.get(T.BOUNDARIES))
    catalogue = load_catalogue() if catalogue is None else catalogue
    coded: dict[str, CodedColumn] = {}
    sets: dict[str, CodedSetColumn] = {}
    for frame, words, many in (
        (profiles, PROFILE_WORDS, PROFILE_SETS),
        (boundaries, BOUNDARY_WORDS, BOUNDARY_SETS),
    ):
        coded.update({c: coded_words(_column(frame, c), catalogue.vocabulary(c)) for c in words})
        sets.update({c: coded_set(_column(frame, c), catalogue.vocabulary(c)) for c in many})
    known = token_rows(tables[T.PROFILES], former_tokens)
    tokens = _person_tokens(known, ids)
    if former_tokens and T.TOKENS in tables:
        tables = {**tables, T.TOKENS: _under_known_account(tables[T.TOKENS], known, ids, tokens)}
    long = LongTables(**{name: _long(tables, name, ids, time) for name in _LONG_COLUMNS})
    return Population(
        ids=ids,
        as_of=time,
        coded=MappingProxyType(coded),
        coded_sets=MappingProxyType(sets),
        counted=MappingProxyType({c: _amounts(_column(profiles, c)) for c in PROFILE_AMOUNTS}),
        cells=_cells(_column(profiles, C.CELL)),
        zones=_texts(_column(profiles, C.TZ)),
        person_tokens=tokens,
        has_boundaries=has_boundaries,
        held=_held(tables, ids, time),
        long=replace(long, tokens=under_every_account(long.tokens, tokens)),
        relations=Relations.none(len(ids)),
        source=source,
        catalogue=catalogue,
    )


def _column(frame: pd.DataFrame, column: str) -> pd.Series:
    if column in frame:
        return frame[column].reset_index(drop=True)
    return pd.Series([None] * len(frame), dtype=object)


def _present(rows: pd.DataFrame, as_of: pd.Timestamp, later: pd.DataFrame | None) -> pd.DataFrame:
    """Return the row of each person that holds, tightened by whatever may be a later word of theirs."""
    present = tightened(latest(rows, [C.USER], as_of), later)
    present = tightened(present, undated_beside_dated(rows))
    return tightened(present, in_other_capitals(present))


def _boundaries(
    tables: Mapping[str, pd.DataFrame], ids: IdIndex, as_of: pd.Timestamp, later: pd.DataFrame | None
) -> tuple[pd.DataFrame, BoolArray]:
    if T.BOUNDARIES not in tables:
        return pd.DataFrame(index=pd.RangeIndex(len(ids))), np.zeros(len(ids), bool)
    rows = _present(tables[T.BOUNDARIES], as_of, later).set_index(C.USER)
    return rows.reindex(ids.values), pd.Index(ids.values).isin(rows.index)


def _amounts(values: pd.Series) -> npt.NDArray[np.int32]:
    return pd.to_numeric(values).fillna(-1).to_numpy(np.int32)


def _texts(values: pd.Series) -> npt.NDArray[np.object_]:
    return values.astype(object).where(values.notna(), None).to_numpy(object)


def _cells(values: pd.Series) -> UInt64Array:
    group, distinct = pd.factorize(values.astype(object))
    numbers = np.array([cell_number(text) for text in distinct] + [0], dtype=np.uint64)
    numbers[:-1] = coarsen(numbers[:-1])
    return numbers[group]


def _held(tables: Mapping[str, pd.DataFrame], ids: IdIndex, as_of: pd.Timestamp) -> BoolArray:
    held = np.zeros(len(ids), bool)
    if T.HOLDS in tables:
        holds = latest_holds(tables[T.HOLDS], as_of)
        rows = ids.find(holds.loc[holds[C.STATE] == "active", C.USER])
        held[rows[rows >= 0]] = True
    return held


def _long(tables: Mapping[str, pd.DataFrame], name: str, ids: IdIndex, as_of: pd.Timestamp) -> pd.DataFrame:
    if name not in tables:
        return getattr(LongTables.empty(), name)
    table = tables[name]
    if name == T.ANSWERS:
        table = latest(table, [C.USER, C.QUESTION], as_of)
    elif C.VALID_FROM in table:
        table = table[~(table[C.VALID_FROM] > as_of)]
    rows = ids.find(table[C.USER])
    wanted = {column: _column(table, column).to_numpy() for column in _LONG_COLUMNS[name]}
    long = pd.DataFrame({C.ROW: rows} | wanted)
    return long[rows >= 0].sort_values(C.ROW, kind="stable").reset_index(drop=True)
