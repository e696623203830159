"""Ids are texts or whole numbers, unique, in ascending order, and stay what they are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data import ids as module
from recsys.data.ids import IdIndex, as_ids, repeated
from recsys.errors import InputError, UnknownIdError


@given(st.sets(st.text(min_size=1), max_size=30))
def test_rows_and_ids_undo_each_other(ids):
    index = IdIndex(ids)
    assert list(index.ids(index.rows(list(ids)))) == list(ids)
    assert list(index.values) == sorted(ids)


def test_find_returns_minus_one_for_unknown_ids():
    assert IdIndex(["b", "a"]).find(["a", "z", "b"]).tolist() == [0, -1, 1]


def test_ids_as_categories_are_found_as_they_are():
    given = pd.Series(["b", None, "z", "b"], dtype=pd.CategoricalDtype(["z", "b", "never"]))
    assert IdIndex(["b", "a"]).find(given).tolist() == [1, -1, -1, 1]
    assert IdIndex(["b", "a"]).find(given).dtype == np.int32


def test_duplicate_ids_are_refused():
    with pytest.raises(InputError, match=r"duplicate id.*'a'"):
        IdIndex(["a", "b", "a"])


def test_an_unknown_id_error_names_the_nearest():
    with pytest.raises(UnknownIdError, match=r"unknown id.*'user_7O'; did you mean 'user_70'"):
        IdIndex(["user_70", "someone"]).rows(["someone", "user_7O"])


def test_an_unknown_id_error_lists_no_members():
    with pytest.raises(UnknownIdError) as caught:
        IdIndex(["user_70", "someone"]).rows(["completely different"])
    assert "user_70" not in str(caught.value)


def test_ids_cannot_be_changed():
    values = IdIndex(["a"]).values  # noqa: PD011 an attribute of the index, not of a table
    with pytest.raises(ValueError, match="read-only"):
        values[0] = "b"


def test_equality_is_by_ids():
    assert IdIndex(["a", "b"]) == IdIndex(["b", "a"])
    assert IdIndex(["a"]) != IdIndex(["b"])
    assert IdIndex([]).rows([]).dtype == np.int32


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, object, float])
def test_whole_numbers_are_ids_and_stay_whole(kind):
    index = IdIndex(as_ids(np.array([30, 4, 5], dtype=kind)))
    assert index.ids([0, 1, 2]).tolist() == [4, 5, 30]
    assert index.rows(np.array([30, 4])).tolist() == [2, 0]
    assert all(isinstance(one, int) for one in index.ids([0, 1]))


def test_ids_of_the_other_kind_are_unknown():
    with pytest.raises(UnknownIdError, match="got '4'; ids here are whole numbers, such as 4"):
        IdIndex([4, 5]).rows(["4"])
    with pytest.raises(UnknownIdError, match="ids here are texts, such as 'a'"):
        IdIndex(["a"]).rows([4])


@pytest.mark.parametrize("mixed", [["a", 1], [1.5, 2.0], [True, False], [("a", 1)], [b"a"]])
def test_mixed_or_fractional_ids_are_refused(mixed):
    with pytest.raises(InputError, match="all texts or all whole numbers"):
        as_ids(pd.Series(mixed, dtype=object))


def test_a_missing_id_leaves_the_others_as_they_were():
    assert as_ids(pd.Series([7, None, 9])).tolist() == [7, None, 9]
    assert as_ids(["a\ud800", "b\x00"]).tolist() == ["a\ud800", "b\x00"]
    assert as_ids(pd.Series(["a", None])).tolist() == ["a", None]
    assert as_ids(pd.Series(["b", "a"], dtype="category")).tolist() == ["b", "a"]


@pytest.mark.parametrize("dtype", ["str", object])
def test_repeated_agrees_with_pandas(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    numbers = np.random.default_rng(0).integers(0, 40, 100)
    values = pd.Series([f"e{number}" for number in numbers], dtype=dtype)
    assert repeated(values).tolist() == values.duplicated().tolist()


def test_hash_collisions_are_not_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd.util, "hash_array", lambda texts, **_: np.zeros(len(texts), np.uint64))
    assert repeated(pd.Series(["a", "b", "a"])).tolist() == [False, False, True]
