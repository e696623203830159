"""Joins of whole numbers, and of people with their rows, find what comparing each with each finds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.data.csr import EntriesOfRows, equal_keys
from recsys.data.ids import IdIndex
from recsys.data.pair_keys import are_among
from recsys.data.population import LongTables
from recsys.testing.people import make_people

_NUMBERS = st.lists(st.one_of(st.integers(0, 4), st.sampled_from([-1, 40, 2**40])), max_size=9)


@given(left=_NUMBERS, right=_NUMBERS)
def test_equal_keys_are_those_of_every_pair_of_places(left: list[int], right: list[int]) -> None:
    expected = [(a, b) for a, one in enumerate(left) for b, other in enumerate(right) if one == other]
    at, of = equal_keys(np.array(left, np.int64), np.array(right, np.int64))
    assert list(zip(at.tolist(), of.tolist(), strict=True)) == expected


@given(keys=_NUMBERS, known=_NUMBERS)
def test_keys_are_among_those_that_are_known(keys: list[int], known: list[int]) -> None:
    found = are_among(np.array(keys, np.int64), np.array(known, np.int64))
    assert found.tolist() == [key in known for key in keys]


@given(rows=st.lists(st.integers(0, 5), max_size=12), wanted=st.permutations(range(6)), n=st.integers(0, 6))
def test_entries_of_rows_are_those_of_comparing_each(rows: list[int], wanted: list[int], n: int) -> None:
    expected = [
        (at, place) for place, row in enumerate(wanted[:n]) for at, own in enumerate(rows) if own == row
    ]
    asked = np.array(wanted[:n], np.int64)
    entry, place = EntriesOfRows.of(np.array(rows, np.int32), 6).find(asked)
    assert list(zip(entry.tolist(), place.tolist(), strict=True)) == expected


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("n", [0, 1, 7, 20])
def test_some_people_hold_what_they_held_among_everybody(n: int, shuffled: bool) -> None:
    rng = np.random.default_rng(n)
    people = make_people(20, rng)
    if shuffled:  # rows of a person apart from each other
        mixed = people.long.mapped(
            lambda table: table.sample(frac=1.0, random_state=1).reset_index(drop=True)
        )
        people = replace(people, long=mixed)
    order = rng.permutation(20)[:n]
    position = np.full(20, -1, np.int32)
    position[order] = np.arange(n, dtype=np.int32)
    found = people.arranged(order, IdIndex([f"n{at:02d}" for at in range(n)]))
    for name in LongTables.__dataclass_fields__:
        table = getattr(people.long, name)
        rows = position[table[C.ROW].to_numpy()]
        own = table.assign(**{C.ROW: rows})[rows >= 0].sort_values(C.ROW, kind="stable")
        pd.testing.assert_frame_equal(getattr(found.long, name), own.reset_index(drop=True))
    liked = position[people.relations.liked]
    assert {*map(tuple, found.relations.liked.tolist())} == {
        tuple(pair) for pair in liked.tolist() if min(pair) >= 0
    }
