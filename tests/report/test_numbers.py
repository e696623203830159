import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.report.numbers import UNKNOWN, count, decimal, per_person, share


@pytest.mark.parametrize("write", [count, decimal, share, per_person])
@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_an_unknown_number_is_a_dash(write, unknown):
    assert write(unknown) == UNKNOWN


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_share_is_never_rounded_to_all_or_nothing(value):
    assert float(share(value).strip("<>%")) > 0
    assert share(value) not in {"0%", "100%", "100.0%"}


@given(st.floats(0, 1), st.floats(0, 1))
def test_larger_shares_are_not_written_smaller(a, b):
    low, high = sorted([a, b])
    assert float(share(low).strip("<>%")) <= float(share(high).strip("<>%"))
