import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from recsys.report.scale import Scale, ticks


@given(st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_cover_the_highest_value_in_few_even_steps(high, most):
    marks = ticks(high, most)
    assert marks[0] == 0
    assert marks[-1] >= high * (1 - 1e-6)
    assert 2 <= len(marks) <= most + 1
    steps = [b - a for a, b in itertools.pairwise(marks)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6, abs_tol=1e-11) for step in steps)


def test_nothing_to_show_still_has_an_axis():
    assert ticks(0.0) == [0.0, 1.0]
    assert ticks(float("nan")) == [0.0, 1.0]


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_larger_value_lies_further_along_and_stays_on_the_axis(a, b):
    place = Scale(-5, 5, 0, 100)
    low, high = sorted([a, b])
    assert 0 <= place(low) <= place(high) <= 100
    assert Scale(3, 3, 7, 9)(a) == 7
