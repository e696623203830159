"""Times of logs as people and programs write them."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.times import as_utc
from recsys.interactions.time_formats import utc_times


@given(
    st.integers(-12, 14),
    st.sampled_from(["00", "30", "45"]),
    st.sampled_from(
        ["UTC{}:{}", "GMT{}:{}", "utc{}{}", "GMT{}{}", " UTC {}:{}", " GMT{}{} (Japan Standard Time)"]
    ),
    st.sampled_from(
        ["2007-03-05 10:00", "2007-03-05T10:00:00", "Mon, 05 Mar 2007 10:00:00 ", "Mon Mar 05 2007 10:00:00 "]
    ),
)
def test_an_offset_behind_utc_or_gmt_is_east_where_it_is_positive(
    hours: int, minutes: str, form: str, clock: str
) -> None:
    """Seen to fail: `UTC+09:00` was read as nine hours west, eighteen hours off."""
    offset = form.format(f"{hours:+03}", minutes)
    wanted = pd.Timestamp(f"2007-03-05T10:00:00{hours:+03}:{minutes}").tz_convert("UTC")
    times, _ = utc_times(pd.Series(["2006-01-01 10:00+00:00", f"{clock}{offset}"]))
    assert times[1] == wanted
    assert as_utc(f"{clock}{offset}") == wanted
