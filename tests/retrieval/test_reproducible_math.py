"""One sigmoid beside its twin, and beside the library's."""

import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.retrieval.reproducible_math import sigmoid
from recsys.retrieval.score_bounds import sigmoids
from tests.retrieval.plain import plain_sigmoid


@settings(deadline=None, max_examples=500)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-800, 800))
@example(-0.0)
@example(-700.0)
@example(-700.0000001)
@example(-745.2)
def test_sigmoid_equals_its_twin(x: float) -> None:
    assert sigmoid(x) == plain_sigmoid(x)


@settings(deadline=None, max_examples=500)
@given(st.floats(-700, 800))
def test_sigmoid_is_within_two_units_of_the_last_place(x: float) -> None:
    small = math.exp(-abs(x))
    expected = (1.0 if x >= 0 else small) / (1.0 + small)
    assert abs(sigmoid(x) - expected) <= 2 * math.ulp(expected)


def test_what_underflows_ends_at_nothing() -> None:
    assert 0.0 < sigmoid(-745.0) < 1e-322
    assert sigmoid(-746.0) == sigmoid(-1e300) == 0.0


def test_many_at_once_are_the_same_as_one_at_a_time() -> None:
    x = np.random.default_rng(0).normal(size=1000) * 30
    for kind in (np.float64, np.float32):
        given_, found = x.astype(kind), np.empty(1000)
        sigmoids(given_, found)
        assert found.tolist() == plain_sigmoid(given_).tolist()
