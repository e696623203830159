"""Ids are texts or whole numbers, and stay what they are."""

import numpy as np
import pandas as pd
import pytest

from recsys.data.ids import IdIndex, as_ids
from recsys.errors import InputError, UnknownIdError


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, object, float])
def test_whole_numbers_are_ids_and_stay_whole(kind):
    index = IdIndex(as_ids(np.array([30, 4, 5], dtype=kind)))
    assert index.ids([0, 1, 2]).tolist() == [4, 5, 30]
    assert index.rows(np.array([30, 4])).tolist() == [2, 0]
    assert all(isinstance(one, int) for one in index.ids([0, 1]))


def test_ids_of_the_other_kind_are_told_apart():
    with pytest.raises(UnknownIdError, match="got '4'; ids here are whole numbers, such as 4"):
        IdIndex([4, 5]).rows(["4"])
    with pytest.raises(UnknownIdError, match="ids here are texts, such as 'a'"):
        IdIndex(["a"]).rows([4])


@pytest.mark.parametrize("mixed", [["a", 1], [1.5, 2.0], [True, False], [("a", 1)], [b"a"]])
def test_ids_of_no_kind_are_refused(mixed):
    with pytest.raises(InputError, match="all texts or all whole numbers"):
        as_ids(pd.Series(mixed, dtype=object))


def test_a_missing_id_leaves_the_others_as_they_were():
    assert as_ids(pd.Series([7, None, 9])).tolist() == [7, None, 9]
    assert as_ids(["a\ud800", "b\x00"]).tolist() == ["a\ud800", "b\x00"]
    assert as_ids(pd.Series(["a", None])).tolist() == ["a", None]
    assert as_ids(pd.Series(["b", "a"], dtype="category")).tolist() == ["b", "a"]
