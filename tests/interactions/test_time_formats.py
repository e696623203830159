"""Times of logs as people and programs write them."""

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.times import as_utc
from recsys.errors import InputError
from recsys.interactions import time_formats
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


def _nothing(texts: pd.Series) -> pd.Series:
    return pd.Series(pd.NaT, texts.index).dt.tz_localize("UTC")


_FORMS = {  # of a day first, and how much of the time of day is kept
    "%d/%m/%Y %H:%M": "min", "%d.%m.%Y, %H:%M:%S": "s", "%d-%m-%YT%H:%M:%S.%f": "us", "%d/%m/%Y": "D",
    "%-d/%-m/%Y %-H:%M": "min",
}  # fmt: skip


@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)), min_size=1, max_size=8),
    st.sampled_from(sorted(_FORMS)),
    st.sampled_from(["dmy", "mdy"]),
)
def test_dates_with_the_year_last_are_read_all_at_once(days: list[datetime], form: str, order: str) -> None:
    """Seen to fail: each was read by itself, fourteen times as slow as timestamps."""
    said = form if order == "dmy" else form.translate(str.maketrans("dm", "md"))
    column = pd.Series([f"{day:{said}}" for day in days])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_formats, "_parsed", lambda texts, **_: _nothing(texts))
        times, _ = utc_times(column, order)
    assert times.dt.tz_localize(None).tolist() == [pd.Timestamp(day).floor(_FORMS[form]) for day in days]


@pytest.mark.parametrize("sign", ["/", ".", "-"])
@pytest.mark.parametrize("clock", ["", " %H:%M", " %H:%M:%S", " %I:%M %p", ", %H:%M"])
@pytest.mark.parametrize("given", ["dmy", "mdy", None])
def test_years_of_two_digits_are_told_with_the_directives_that_read_them(
    sign: str, clock: str, given: str | None
) -> None:
    """Seen to fail: the error asked for a ts_format, which was given, and named none that would help."""
    form = {"dmy": "%d{0}%m{0}%y", "mdy": "%m{0}%d{0}%y", None: "%d{0}%m{0}%y"}[given].format(sign) + clock
    column = pd.Series(
        [f"{pd.Timestamp('2025-03-01 21:05:00') + pd.Timedelta(days=n):{form}}" for n in range(12)]
    )
    with pytest.raises(InputError) as caught:
        utc_times(column, given)
    assert f"ts_format='{form}'" in str(caught.value)
    assert utc_times(column, form)[0].dt.day.tolist() == list(range(1, 13))


@pytest.mark.parametrize("form", ["%Y%m%d%H%M%S", "%Y%m%d%H%M", "%G-W%V", "%GW%V", "%G-W%V-%u"])
@pytest.mark.parametrize("kind", [str, int, float])
@pytest.mark.parametrize("said", [False, True])
@given(st.lists(st.datetimes(datetime(1981, 1, 1), datetime(2090, 1, 1)), min_size=1, max_size=8))
def test_moments_in_digits_and_weeks_are_read_as_they_are(form, kind, said, times):
    """Seen to fail: digits were seconds since 1970 or no time, weeks could not be read at all."""
    if "W" in form and kind is not str:
        return
    written = [kind(one.strftime(form)) for one in times]
    read, how = utc_times(pd.Series(written), form if said else None)
    assert how == form
    day = form if "V" not in form or "%u" in form else f"{form} %u"
    ends = " 1" if day != form else ""
    wanted = [datetime.strptime(one.strftime(form) + ends, day) for one in times]
    assert read.dt.tz_localize(None).tolist() == wanted


def test_directives_that_do_not_go_together_are_an_error_of_ours():
    with pytest.raises(InputError, match="do not go together"):
        utc_times(pd.Series(["2025-3"]), "%G-%m")


@pytest.mark.parametrize("form", ["{y}-Q{q}", "{y}Q{q}", "{y} q{q}", "Q{q} {y}", "Q{q}/{y}", "period"])
def test_quarters_begin_with_their_first_month(form):
    quarters = [(year, quarter) for year in (2024, 2025) for quarter in (1, 2, 3, 4)]
    column = pd.Series([form.format(y=year, q=quarter) for year, quarter in quarters])
    if form == "period":
        column = pd.Series(pd.period_range("2024Q1", periods=8, freq="Q"))
    times, _ = utc_times(column)
    assert times.tolist() == [pd.Timestamp(year, 3 * n - 2, 1, tz="UTC") for year, n in quarters]


@pytest.mark.parametrize("kind", ["timedelta", "text", "iso"])
def test_durations_are_told_from_times_with_what_makes_times_of_them(kind):
    column = pd.Series(pd.to_timedelta([31.5, 2.0, 8.0], unit="D"), name="at")
    if kind != "timedelta":
        column = column.map(str if kind == "text" else pd.Timedelta.isoformat)
    with pytest.raises(InputError, match="durations are no times") as raised:
        utc_times(column)
    counted = eval(
        str(raised.value).partition("date: ")[2], {"pd": pd, "frame": pd.DataFrame({"at": column})}
    )
    assert utc_times(counted)[0].iloc[1] == pd.Timestamp("2024-01-03", tz="UTC")
