"""A population as one table of columns, for scikit-learn's ColumnTransformer and for looking at."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.bitsets import unpack
from recsys.data.ids import id_column
from recsys.data.population import Population
from recsys.errors import InputError, did_you_mean, explained


@checked_arguments
def population_table(people: Population, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return what is known of everybody as a table: user_id as the index, one row a person.

    columns: names of profile and boundary columns, in their order; all that are known of anybody when None.
             A single word is an ordered category in the order of its vocabulary, an amount a float, and a
             set one column a word, `intents: hobby`, 1.0 or 0.0. Unknown is NaN.

    Answers, interests and topics are not among them: their feature blocks read them. Leave out what a model
    should not learn from: whether an account is verified or paused is no trait of a person.

    Raises InputError for a column a population does not have, with the nearest.

    >>> from recsys.testing.people import make_people
    >>> people = make_people(3, np.random.default_rng(7), unknown=0.0)
    >>> table = population_table(people, ["age_band", "max_distance_km"])
    >>> table.dtypes.astype(str).tolist()
    ['category', 'float64']
    """
    held = [*people.coded, *people.counted, *people.coded_sets]
    unknown = [name for name in columns or () if name not in held]
    if unknown:
        remedy = did_you_mean(unknown[0], held)
        raise InputError(explained("unknown column", where="population_table", got=unknown[0], remedy=remedy))
    parts: list[pd.Series] = []
    for name in held if columns is None else columns:
        if name in people.coded:
            coded = people.coded[name]
            values = pd.Categorical.from_codes(coded.codes, pd.Index(coded.words), ordered=True)
            parts.append(pd.Series(values, name=name))
        elif name in people.counted:
            amounts = people.counted[name].astype(np.float64)
            parts.append(pd.Series(np.where(amounts < 0, np.nan, amounts), name=name))
        else:
            parts.extend(_columns_of_set(people, name, every=columns is not None))
    table = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=range(len(people)))
    table = table if columns is not None else table.loc[:, table.notna().any()]
    return table.set_axis(pd.Index(id_column(people.ids.ids(np.arange(len(people)))), name=C.USER))


def _columns_of_set(people: Population, name: str, *, every: bool) -> list[pd.Series]:
    """Return a column a word of a set, of every word or of those that anybody holds."""
    held = people.coded_sets[name]
    bits = unpack(held.bits, len(held.words)).astype(np.float64)
    bits[~held.known] = np.nan
    return [
        pd.Series(bits[:, at], name=f"{name}: {word}")
        for at, word in enumerate(held.words)
        if every or np.nansum(bits[:, at]) > 0
    ]
