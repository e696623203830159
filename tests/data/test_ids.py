import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ids import IdIndex
from recsys.errors import InputError, UnknownIdError


@given(st.sets(st.text(min_size=1), max_size=30))
def test_rows_and_ids_undo_each_other(ids):
    index = IdIndex(ids)
    assert list(index.ids(index.rows(list(ids)))) == list(ids)
    assert list(index.values) == sorted(ids)


def test_find_gives_minus_one_for_strangers():
    assert IdIndex(["b", "a"]).find(["a", "z", "b"]).tolist() == [0, -1, 1]


def test_ids_as_categories_are_found_as_they_are():
    given = pd.Series(["b", None, "z", "b"], dtype=pd.CategoricalDtype(["z", "b", "never"]))
    assert IdIndex(["b", "a"]).find(given).tolist() == [1, -1, -1, 1]
    assert IdIndex(["b", "a"]).find(given).dtype == np.int32


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(InputError, match=r"stands twice.*'a'"):
        IdIndex(["a", "b", "a"])


def test_an_unknown_id_is_named_with_what_was_perhaps_meant():
    with pytest.raises(UnknownIdError, match=r"unknown id.*'user_7O'; did you mean 'user_70'"):
        IdIndex(["user_70", "someone"]).rows(["someone", "user_7O"])


def test_a_stranger_gets_no_list_of_members():
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
