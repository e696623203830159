"""The population of one person's tables, read value by value: what a page by a profile of today can wait for.

A night checks columns of a million rows, and for one row the frames cost more than the checking. Here the
same fields read each value, and the first that they would refuse ends it: what is wrong, what is set aside
and what that forbids is for `recsys.load_population` to say, of the same tables.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import AMOUNTS, years_of_band
from recsys.data.bitsets import pack
from recsys.data.build_population import (
    BOUNDARY_SETS,
    BOUNDARY_WORDS,
    LONG_COLUMNS,
    PROFILE_AMOUNTS,
    PROFILE_SETS,
    PROFILE_WORDS,
)
from recsys.data.contract import Contract
from recsys.data.exclusions import Relations
from recsys.data.fields.base import RefusedValue, objects
from recsys.data.geography import cell_number, coarsen
from recsys.data.ids import IdIndex
from recsys.data.no_answer_codes import is_no_consent
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population
from recsys.data.row_rules import MOST_INTERESTS, MOST_MANDATORY, answer_fits
from recsys.data.tables import contracts_of
from recsys.types import ObjectArray

Columns = Mapping[str, Sequence[object]]
"""The values of a table by column, all of one length, None where one is unknown."""
Row = Mapping[str, Any]

_RULES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        T.PROFILES: frozenset({"proved_age", "ages_agree", "newest_or_none"}),
        T.BOUNDARIES: frozenset({"newest_or_none", "has_profile"}),
        T.INTERESTS: frozenset({"once", "at_most", "has_profile"}),
        T.TALK_TOPICS: frozenset({"has_profile"}),
        T.ANSWERS: frozenset({"fits_question", "fair_to_ask", "at_most", "at_most_mandatory", "has_profile"}),
        T.COMMUNITIES: frozenset({"once", "has_profile"}),
        T.TOKENS: frozenset({"once", "has_profile"}),
    }
)
"""The rules over rows that are read here too, by table; a table with another is left to a night's reading."""
_OF_PAIRS: Final = (T.EVENTS, T.BLOCKS, T.REPORTS, T.HOLDS)
"""Tables that say who is out and who is apart: a night's reading says what that means."""
_ONE_ROW: Final = (T.PROFILES, T.BOUNDARIES)
_REPEATED_IN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        T.INTERESTS: (C.TAG,),
        T.TALK_TOPICS: (C.TOPIC, C.ROLE),
        T.ANSWERS: (C.QUESTION,),
        T.COMMUNITIES: (C.COMMUNITY,),
        T.TOKENS: (C.NAMESPACE, C.KIND, C.HMAC),
    }
)


def population_of_one(
    tables: Mapping[str, Columns], catalogue: Catalogue, tolerance: timedelta = timedelta(0)
) -> Population | None:
    """Return what `recsys.load_population` returns of one person's tables, None for any but plain ones.

    Tables without any time hold from the start, and are read as of now.

    Plain are tables of one person in which every value is sound, with one row of profile and of boundaries,
    no later row of anything, and neither events nor blocks, reports or holds.

    tables: the values of each table by column. catalogue: the one they are read with. tolerance: how far a
    row may be dated after the clock.
    """
    contracts = _contracts(catalogue)
    if contracts is None or not contracts.keys() >= tables.keys() or not tables.keys() >= set(_ONE_ROW):
        return None
    try:
        rows = {name: _rows(contracts[name], columns) for name, columns in tables.items()}
    except RefusedValue:
        return None
    if (
        any(rows.pop(name, ()) for name in _OF_PAIRS)
        or not _are_of_one(rows)
        or not _hold_together(rows, catalogue)
    ):
        return None
    times = [
        row[C.VALID_FROM] for table in rows.values() for row in table if row.get(C.VALID_FROM) is not None
    ]
    now = pd.Timestamp.now("UTC")
    if max(times, default=now) > now + tolerance:
        return None
    return _population(rows, max(times, default=now), catalogue)


@lru_cache(maxsize=8)
def _contracts(catalogue: Catalogue) -> Mapping[str, Contract] | None:
    """Return the contracts by table, None when one has a rule that is not read here."""
    contracts = contracts_of(catalogue)
    for name, known in _RULES.items():
        if not known >= {rule.__qualname__.partition(".")[0] for rule in contracts[name].rules}:
            return None
    return contracts


def _rows(contract: Contract, columns: Columns) -> list[Row]:
    """Return the rows of a table in canonical form.

    Raises RefusedValue for other columns than the contract's, and at the first value that does not fit.
    """
    fields = {field.name: field for field in contract.fields}
    needed = {name for name, field in fields.items() if field.needed}
    if not needed <= columns.keys() <= fields.keys():
        raise RefusedValue("columns", "other columns", "")
    if contract.prepare is not None:
        prepared, merged = contract.prepare(pd.DataFrame(columns, dtype=object))
        if any(len(one.rows) for one in merged):
            raise RefusedValue("merged", "an old and a new id", "")
        columns = {name: objects(prepared[name]).tolist() for name in columns}
    read = [list(map(fields[name].value, values)) for name, values in columns.items()]
    absent = dict.fromkeys(fields.keys() - columns.keys())
    return [absent | dict(zip(columns, row, strict=True)) for row in zip(*read, strict=True)]


def _are_of_one(rows: Mapping[str, Sequence[Row]]) -> bool:
    """Say whether all rows are one person's, who has one of each table that describes them."""
    if any(len(rows[name]) != 1 for name in _ONE_ROW):
        return False
    return len({row[C.USER] for table in rows.values() for row in table}) == 1


def _hold_together(rows: Mapping[str, Sequence[Row]], catalogue: Catalogue) -> bool:
    """Say whether values that are sound in themselves go together, as the rules of the contracts ask."""
    for name, columns in _REPEATED_IN.items():
        table = rows.get(name, ())
        if len({tuple(row[column] for column in columns) for row in table}) < len(table):
            return False
    answers = rows.get(T.ANSWERS, ())
    most = catalogue.most_answers
    few = len(rows.get(T.INTERESTS, ())) <= MOST_INTERESTS and len(answers) <= most
    few = few and sum(row[C.MANDATORY] for row in answers) <= MOST_MANDATORY
    fits = answer_fits(catalogue)
    return few and _ages_agree(rows[T.PROFILES][0]) and all(_is_fair(row, catalogue, fits) for row in answers)


def _ages_agree(profile: Row) -> bool:
    band, age = profile[C.AGE_BAND], profile[C.AGE_YEARS]
    least, most = profile[C.MIN_AGE_YEARS], profile[C.MAX_AGE_YEARS]
    if least is not None and most is not None and least > most:
        return False
    if band is None:
        return True
    first, last = years_of_band(band)
    return profile[C.VERIFICATION] not in {None, "none"} and (age is None or first <= age <= last)


def _is_fair(answer: Row, catalogue: Catalogue, fits: Callable[[str, object], bool]) -> bool:
    question = catalogue.questions[answer[C.QUESTION]]
    if not all(fits(question.id, answer[column]) for column in (C.ANSWER, C.ACCEPTED)):
        return False
    if question.sensitive and (is_no_consent(answer[C.CONSENT]) or answer[C.MANDATORY]):
        return False
    public = answer[C.VISIBILITY] == "public" and not question.match_only
    return not answer[C.MANDATORY] or (public and answer[C.ACCEPTED] is not None)


def _population(rows: Mapping[str, Sequence[Row]], as_of: pd.Timestamp, catalogue: Catalogue) -> Population:
    profile, boundaries = rows[T.PROFILES][0], rows[T.BOUNDARIES][0]
    described = ((profile, PROFILE_WORDS, PROFILE_SETS), (boundaries, BOUNDARY_WORDS, BOUNDARY_SETS))
    coded = {c: _word(row[c], catalogue.vocabulary(c)) for row, words, _ in described for c in words}
    sets = {c: _set(row[c], catalogue.vocabulary(c)) for row, _, many in described for c in many}
    amounts = {c: -1 if profile[c] is None else profile[c] for c in PROFILE_AMOUNTS}
    cell = 0 if profile[C.CELL] is None else cell_number(profile[C.CELL])
    return Population(
        ids=IdIndex([profile[C.USER]]),
        as_of=as_of,
        coded=MappingProxyType(coded),
        coded_sets=MappingProxyType(sets),
        counted=MappingProxyType({c: np.array([amount], np.int32) for c, amount in amounts.items()}),
        cells=coarsen(np.array([cell], np.uint64)),
        zones=_objects([profile[C.TZ]]),
        person_tokens=_objects([profile[C.PERSON_TOKEN]]),
        has_boundaries=np.ones(1, bool),
        held=np.zeros(1, bool),
        long=LongTables(**{name: _long(name, rows.get(name)) for name in LONG_COLUMNS}),
        relations=Relations.none(1),
        catalogue=catalogue,
    )


def _word(value: str | None, words: tuple[str, ...]) -> CodedColumn:
    return CodedColumn(words, np.array([words.index(value) if value in words else -1], np.int8))


def _set(value: tuple[str, ...] | None, words: tuple[str, ...]) -> CodedSetColumn:
    bits = pack([[words.index(one) for one in value or ()]], len(words))
    return CodedSetColumn(words, bits, np.array([value is not None]))


def _long(name: str, rows: Sequence[Row] | None) -> pd.DataFrame:
    """Return the rows of a table as a population holds them: the earlier answer first."""
    if rows is None:
        empty: pd.DataFrame = getattr(LongTables.empty(), name)
        return empty
    if name == T.ANSWERS:
        rows = sorted(rows, key=lambda row: (row[C.VALID_FROM] is not None, row[C.VALID_FROM]))
    columns = {c: _typed([row[c] for row in rows], c) for c in LONG_COLUMNS[name]}
    return pd.DataFrame({C.ROW: np.zeros(len(rows), np.int32)} | columns)


def _typed(values: Sequence[Any], column: str) -> Any:
    if column == C.MANDATORY:
        return np.array(values, bool)
    return np.array(values, np.int32) if column in AMOUNTS else _objects(values)


def _objects(values: Sequence[Any]) -> ObjectArray:
    return np.fromiter(values, object, len(values))
