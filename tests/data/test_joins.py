"""Joins of whole numbers find what comparing each with each finds, however large the numbers are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.csr import equal_keys
from recsys.data.pair_keys import are_among

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
