"""Why a profile cannot be used: tables, columns and reasons are named, what it says is not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.errors import InputError
from recsys.ranking.cold_start import one_person
from recsys.ranking.profile_tables import ProfileTables
from recsys.testing.people import make_tables

Change = Callable[[pd.DataFrame], pd.DataFrame]


def without(column: str) -> Change:
    return lambda table: table.drop(columns=column)


def saying(column: str, value: object) -> Change:
    return lambda table: table.assign(**{column: [value] * len(table)})


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("profiles", without("meets_genders"), "profiles.meets_genders is missing"),
        ("boundaries", without("channels"), "boundaries.channels is missing"),
        ("profiles", saying("gender", "zebra-7"), "profiles.gender.unknown_word"),
        ("profiles", saying("max_distance_km", "far-7"), "profiles.max_distance_km"),
        ("boundaries", saying("romance_line", "zebra-7"), "boundaries.romance_line.unknown_word"),
    ],
)
def test_the_error_of_a_profile_names_its_columns_and_repeats_no_value(
    table: str, change: Change, told: str
) -> None:
    tables = make_tables(1, np.random.default_rng(1), unknown=0.0)
    user = str(tables["profiles"].loc[0, "user_id"])
    assert len(one_person(user, ProfileTables(tables), load_catalogue())) == 1
    with pytest.raises(InputError) as raised:
        one_person(user, ProfileTables(tables | {table: change(tables[table])}), load_catalogue())
    message = str(raised.value)
    assert told in message
    assert "-7" not in message
    assert user not in message
