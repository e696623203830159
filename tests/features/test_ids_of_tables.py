"""Tables brought to a block by id: ids that are nobody's are refused, a few others are not."""

import warnings

import numpy as np
import pandas as pd
import pytest

from recsys.data.population import Population
from recsys.errors import InputError
from recsys.features import Numeric, Questionnaire, SharedItems

N = 60
TABLES = {
    "Numeric": lambda ids: Numeric(pd.DataFrame({"user_id": ids, "walks": np.arange(len(ids)) % 5 + 0.5})),
    "Questionnaire": lambda ids: Questionnaire(
        pd.DataFrame({"user_id": ids, "walks": np.arange(len(ids)) % 5 + 1, "jazz": np.arange(len(ids)) % 5})
    ),
    "SharedItems": lambda ids: SharedItems(pd.DataFrame({"user_id": ids, "item": np.arange(len(ids)) % 7})),
}
OTHERS = {
    "texts for numbers": lambda ids: [str(one) for one in ids],
    "with a prefix": lambda ids: [f"u{one}" for one in ids],
    "other numbers": lambda ids: [one + 1000 for one in ids],
}


def people():
    return Population.of_ids(range(N), as_of="2026-01-05")


@pytest.mark.parametrize("block", TABLES)
@pytest.mark.parametrize("named", OTHERS)
def test_a_table_whose_ids_are_nobodys_is_refused(block, named):
    table = TABLES[block](OTHERS[named](range(N)))
    match = rf"no id of the .* in {block}.fit: got .*such as 0 \(0 of 60 match\)"
    with pytest.raises(InputError, match=match):
        table.fit(people())


@pytest.mark.parametrize("block", TABLES)
def test_many_ids_that_are_nobodys_are_counted_and_few_are_not(block):
    half = [one if one % 2 else one + 1000 for one in range(N)]
    with pytest.warns(UserWarning, match="30 of 60 ids of the .* are of none of the people.*30 of 60 people"):
        TABLES[block](half).fit(people())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TABLES[block](list(range(N + 3))).fit(people())
        TABLES[block](list(range(0, N, 2))).fit(people())


def test_a_table_of_nobody_or_people_of_nobody_is_no_mistake():
    nobody = Population.of_ids(np.empty(0, dtype=object), as_of="2026-01-05")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TABLES["Numeric"](range(N)).fit(nobody)
