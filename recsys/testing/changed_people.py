"""Populations changed in one respect, for tests that compare before and after."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.data.population import CodedColumn, CodedSetColumn, LongTables, Population


def reordered(people: Population, order: np.ndarray) -> Population:
    """Return the same people under other ids: the one at row r of the result was at `order[r]`."""
    return people.arranged(order, people.ids)


def with_one_account_each(people: Population) -> Population:
    """Return the people as if each account were of somebody else.

    Which of two accounts takes part follows what is known of both, and at last their ids; so laws of one
    person's data and of names hold where everybody has one.
    """
    tokens = people.person_tokens.copy()
    tokens[pd.Series(tokens, dtype=object).duplicated().to_numpy(bool)] = None
    return replace(people, person_tokens=tokens)


def with_unknown(people: Population, column: str, row: int) -> Population:
    """Return the people with one person's value of `column` unknown."""
    if column == C.CELL:
        return replace(people, cells=_set(people.cells, row, 0))
    if column == C.TZ:
        return replace(people, zones=_set(people.zones, row, None))
    if column in people.counted:
        return replace(people, counted={**people.counted, column: _set(people.counted[column], row, -1)})
    if column in people.coded_sets:
        old = people.coded_sets[column]
        unknown = CodedSetColumn(old.words, _set(old.bits, row, 0), _set(old.known, row, False))
        return replace(people, coded_sets={**people.coded_sets, column: unknown})
    return with_word(people, column, row, None)


def with_word(people: Population, column: str, row: int, word: str | None) -> Population:
    """Return the people with another single word for one person."""
    old = people.coded[column]
    code = -1 if word is None else old.words.index(word)
    return replace(people, coded={**people.coded, column: CodedColumn(old.words, _set(old.codes, row, code))})


def with_amount(people: Population, column: str, row: int, amount: int) -> Population:
    """Return the people with another amount for one person."""
    return replace(people, counted={**people.counted, column: _set(people.counted[column], row, amount)})


def with_set(people: Population, column: str, row: int, *words: str) -> Population:
    """Return the people with another set for one person."""
    old = people.coded_sets[column]
    bits = np.zeros(old.bits.shape[1], np.uint64)
    for bit in map(old.words.index, words):
        bits[bit // 64] |= np.uint64(1 << (bit % 64))
    changed = CodedSetColumn(old.words, _set(old.bits, row, bits), _set(old.known, row, True))
    return replace(people, coded_sets={**people.coded_sets, column: changed})


def narrowed(people: Population, column: str, row: int, *words: str) -> Population:
    """Return the people with one person's set cut down to `words`; unknown wishes are all words."""
    now = people.words(column, row)
    if now is None:
        now = frozenset(words) if column in (C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS) else None
    return people if now is None else with_set(people, column, row, *(now & set(words)))


def nearer(people: Population, row: int) -> Population:
    """Return the people with one person willing to go at most 10 km."""
    most = int(people.amounts(C.MAX_DISTANCE_KM)[row])
    return with_amount(people, C.MAX_DISTANCE_KM, row, min(most, 10))


def held(people: Population, row: int) -> Population:
    """Return the people with one person under a hold."""
    return replace(people, held=_set(people.held, row, True))


def separated(people: Population, a: int, b: int, why: str = "block") -> Population:
    """Return the people with one more separated pair."""
    old = people.relations
    return people.with_relations(
        Relations.of(
            len(people),
            excluded=np.vstack([old.excluded, [[a, b]]]),
            reason=np.append(old.reason, EXCLUSION_REASONS.index(why)),
            liked=old.liked,
            suggestible=old.suggestible,
            accepted=old.accepted,
            proved=old.proved,
        )
    )


def with_rows(people: Population, name: str, rows: list[dict[str, Any]]) -> Population:
    """Return the people with these rows and no others in one long table."""
    empty = getattr(LongTables.empty(), name)
    table = pd.DataFrame(rows, columns=list(empty.columns)).sort_values(C.ROW, kind="stable")
    return replace(people, long=replace(people.long, **{name: table.reset_index(drop=True)}))


def _set(values: np.ndarray, row: int, value: Any) -> np.ndarray:
    changed = values.copy()
    changed[row] = value
    return changed
