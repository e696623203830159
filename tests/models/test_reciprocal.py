import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError, SettingsError
from recsys.models.reciprocal import COMBINERS, combine

PROBABILITY = st.floats(0.0, 1.0)
HOW = st.sampled_from(sorted(COMBINERS))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("product", 0.16),
        ("harmonic", 0.32),
        ("geometric", 0.4),
        ("min", 0.2),
        ("cross_ratio", 0.5),
    ],
)
def test_combiners_give_the_values_worked_by_hand(how, expected):
    assert combine(0.2, 0.8, how) == pytest.approx(expected)


@given(HOW, PROBABILITY, PROBABILITY)
def test_combiners_are_symmetric_and_give_probabilities(how, p, q):
    score = combine(p, q, how)
    assert score == combine(q, p, how)
    assert 0.0 <= score <= 1.0


@given(HOW, PROBABILITY, PROBABILITY, PROBABILITY)
def test_combiners_are_monotone(how, p, more, q):
    low, high = sorted((p, more))
    assert combine(low, q, how) <= combine(high, q, how) + 1e-12


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_combiners_are_finite_at_zero_and_one(how):
    assert combine([0.0, 0.0, 1.0, 5e-324], [0.0, 1.0, 1.0, 5e-324], how).tolist()[:3] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan, np.inf])
def test_combine_refuses_values_outside_zero_to_one(bad):
    with pytest.raises(InputError, match="probability"):
        combine([0.5, bad], 0.5)


def test_unknown_combiner_names_the_nearest():
    with pytest.raises(SettingsError, match="did you mean 'product'"):
        combine(0.5, 0.5, "produkt")


def test_combine_broadcasts():
    assert combine([[0.5], [1.0]], [0.5, 1.0]).tolist() == [[0.25, 0.5], [0.5, 1.0]]
