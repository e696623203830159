"""UTC hours of local contact windows."""

from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.bitsets import pack
from recsys.data.times import HOURS_A_WEEK, utc_hours, week_start
from recsys.testing.people import make_people

QUARTERS_A_WEEK = 4 * HOURS_A_WEEK
ZONES = sorted(available_timezones())

SUMMER = pd.Timestamp("2026-07-15T12:00", tz="UTC")
WINTER = pd.Timestamp("2026-01-14T12:00", tz="UTC")


def test_the_week_starts_on_monday_in_utc():
    assert week_start(pd.Timestamp("2026-03-01T23:59", tz="UTC")) == pd.Timestamp("2026-02-23", tz="UTC")
    assert week_start(pd.Timestamp("2026-03-02T08:00", tz="Asia/Tokyo")) == pd.Timestamp(
        "2026-02-23", tz="UTC"
    )


def test_an_evening_in_tokyo_is_the_morning_in_utc():
    assert utc_hours(["tue_evening"], "Asia/Tokyo", WINTER) == {24 + hour for hour in range(8, 13)}


def test_an_early_monday_east_of_greenwich_wraps_to_sunday():
    assert utc_hours(["mon_early"], "Asia/Tokyo", WINTER) == {164, 165, 166, 167}


@pytest.mark.parametrize(("when", "first"), [(SUMMER, 16), (WINTER, 17)])
def test_daylight_saving_counts_as_served(when, first):
    assert min(utc_hours(["mon_day"], "America/Los_Angeles", when)) == first


def test_a_half_hour_zone_counts_the_hour_it_starts_in():
    assert utc_hours(["mon_evening"], "Asia/Kolkata", WINTER) == {11, 12, 13, 14, 15}


def test_hours_fill_three_words():
    words = pack([{0, 63, 64, 167}], HOURS_A_WEEK)[0]
    assert words.dtype == np.uint64
    assert words.tolist() == [1 | 1 << 63, 1, 1 << 39]


def test_hours_of_everybody_are_those_of_each_person():
    people = make_people(120, np.random.default_rng(3), unknown=0.1)
    for row in range(len(people)):
        zone, windows = people.zones[row], people.words(C.CONTACT_WINDOWS, row)
        known = isinstance(zone, str) and windows is not None
        expected = utc_hours(windows, zone, people.as_of) if known else []
        assert np.array_equal(people.utc_hours[row], pack([expected], HOURS_A_WEEK)[0])


@pytest.mark.parametrize("when", [SUMMER, WINTER])
def test_a_common_hour_is_half_an_hour_in_common_and_a_whole_hour_in_common_is_one(
    when: pd.Timestamp,
) -> None:
    """Of every two offsets there are, and every two windows; planted: the nearest hour, half an hour up."""
    start = week_start(when)
    zone_of = {when.tz_convert(ZoneInfo(one)).utcoffset(): one for one in ZONES}
    zone_of = {
        offset: one
        for offset, one in zone_of.items()
        if start.tz_convert(ZoneInfo(one)).utcoffset() == offset and offset.seconds % 900 == 0
    }
    assert {offset.seconds // 60 % 60 for offset in zone_of} == {0, 30, 45}
    hours, quarters = [], []
    for offset, zone in zone_of.items():
        shift = int(offset.total_seconds()) // 900
        for window in ENUMERATIONS[C.CONTACT_WINDOWS].words:
            as_utc = sorted(utc_hours([window], zone, when))
            local = sorted(utc_hours([window], "UTC", when))
            hours.append(np.isin(np.arange(HOURS_A_WEEK), as_utc))
            open_then = [(4 * hour + at - shift) % QUARTERS_A_WEEK for hour in local for at in range(4)]
            quarters.append(np.isin(np.arange(QUARTERS_A_WEEK), open_then))
    h, q = np.array(hours, np.float32), np.array(quarters, np.float32)
    is_common, together = h @ h.T > 0, q @ q.T
    assert together[is_common].min() == 2
    assert is_common[together >= 4].all()
