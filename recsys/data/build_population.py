"""Builds a `Population` from accepted tables: the values that were valid at a time, coded."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.absent_accounts import under_every_account
from recsys.data.account_linkage import person_tokens, token_rows, under_known_account
from recsys.data.as_of import latest_holds, present_answers, present_rows
from recsys.data.exclusions import Relations
from recsys.data.geography import cell_number, coarsen
from recsys.data.ids import IdIndex
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population, coded_set, coded_words
from recsys.data.shared_values import ordered
from recsys.data.times import as_utc
from recsys.errors import InputError, explained
from recsys.types import BoolArray, UInt64Array

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

LONG_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        T.INTERESTS: (C.TAG, C.LEVEL, C.SHARE_MODE),
        T.TALK_TOPICS: (C.TOPIC, C.ROLE, C.WEIGHT),
        T.ANSWERS: (C.QUESTION, C.ANSWER, C.ACCEPTED, C.IMPORTANCE, C.MANDATORY, C.VISIBILITY),
        T.COMMUNITIES: (C.COMMUNITY,),
        T.TOKENS: (C.NAMESPACE, C.KIND, C.HMAC),
    }
)


def build_population(
    tables: Mapping[str, pd.DataFrame],
    as_of: str | pd.Timestamp,
    source: str = "memory",
    *,
    catalogue: Catalogue | None = None,
    later: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    former_tokens: Collection[tuple[str, str]] = (),
    answers_last_read: bool = False,
) -> Population:
    """Build the population that was true at `as_of` from accepted tables.

    tables: accepted frames by table name (see `recsys.data.tables`); `profiles` says who exists, every other
    may be absent, which means unknown. Relations come from events and safety tables one layer up.
    catalogue: the one the tables were accepted under; that of the package when None.
    later: canonical rows yet to come, which tighten the present ones, see `tightened`. former_tokens: of
    refused rows, accounts and person tokens; they link accounts to one person. answers_last_read: nobody
    reads the answers afterwards; their columns go as they are read.

    Raises InputError when `profiles` is absent.
    """
    if T.PROFILES not in tables:
        raise InputError(
            explained("a population needs profiles", got=sorted(tables), remedy="add a 'profiles' table")
        )
    time = as_utc(as_of)
    profiles = present_rows(tables[T.PROFILES], time, later.get(T.PROFILES))
    ids = IdIndex(profiles[C.USER].tolist())
    profiles = profiles.set_index(C.USER).reindex(ids.values)
    boundaries, has_boundaries = _boundaries(tables, ids, time, later.get(T.BOUNDARIES), profiles)
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
    tokens = person_tokens(known, ids)
    if former_tokens and T.TOKENS in tables:
        tables = {**tables, T.TOKENS: under_known_account(tables[T.TOKENS], known, ids, tokens)}
    long = _long_tables(tables, ids, time, later.get(T.ANSWERS), last_read=answers_last_read)
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


def _boundaries(
    tables: Mapping[str, pd.DataFrame],
    ids: IdIndex,
    as_of: pd.Timestamp,
    later: pd.DataFrame | None,
    profiles: pd.DataFrame,
) -> tuple[pd.DataFrame, BoolArray]:
    if T.BOUNDARIES not in tables:
        return pd.DataFrame(index=pd.RangeIndex(len(ids))), np.zeros(len(ids), bool)
    tokens = _column(profiles, C.PERSON_TOKEN).set_axis(ids.values)
    rows = present_rows(tables[T.BOUNDARIES], as_of, later, tokens).set_index(C.USER)
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


def _long_tables(
    tables: Mapping[str, pd.DataFrame],
    ids: IdIndex,
    as_of: pd.Timestamp,
    required: pd.DataFrame | None,
    *,
    last_read: bool,
) -> LongTables:
    """Return the tables of several rows a person; required: answers of a later time."""
    return LongTables(
        **{name: _long(tables, name, ids, as_of, required, last_read=last_read) for name in LONG_COLUMNS}
    )


def _long(
    tables: Mapping[str, pd.DataFrame],
    name: str,
    ids: IdIndex,
    as_of: pd.Timestamp,
    required: pd.DataFrame | None,
    *,
    last_read: bool,
) -> pd.DataFrame:
    if name not in tables:
        return getattr(LongTables.empty(), name)
    table = given = tables[name]
    if name == T.ANSWERS:
        table = present_answers(given, as_of, required)
    last_read &= name == T.ANSWERS
    if last_read and table is not given:
        for column in tuple(given):
            del given[column]
    rows = ids.find(table[C.USER])
    present = rows >= 0
    if name != T.ANSWERS and C.VALID_FROM in table:
        present &= ~(table[C.VALID_FROM] > as_of).to_numpy(bool)
    order = np.flatnonzero(present)
    order = order[np.argsort(rows[order], kind="stable")]
    wanted = {}
    for column in LONG_COLUMNS[name]:
        wanted[column] = ordered(_column(table, column), order)
        if last_read and column in table:
            del table[column]
    return pd.DataFrame({C.ROW: rows[order]} | wanted)
