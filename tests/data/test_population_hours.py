import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.data.bitsets import pack
from recsys.data.times import HOURS_A_WEEK, utc_hours
from tests.people import make_people


def test_hours_of_everybody_are_those_of_each_person():
    people = make_people(120, np.random.default_rng(3), unknown=0.1)
    for row in range(len(people)):
        zone, windows = people.zones[row], people.words(C.CONTACT_WINDOWS, row)
        known = isinstance(zone, str) and windows is not None
        expected = utc_hours(windows, zone, people.as_of) if known else []
        assert np.array_equal(people.utc_hours[row], pack([expected], HOURS_A_WEEK)[0])
