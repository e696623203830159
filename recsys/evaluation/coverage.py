"""Coverage: the share of people who are on at least one list."""

import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained


def coverage(listed: npt.ArrayLike, n_people: int) -> float:
    """Return (distinct people in `listed`) / `n_people`, in [0, 1].

    M. Ge, C. Delgado-Battenfeld and D. Jannach, "Beyond accuracy: evaluating recommender systems by
    coverage and serendipity", RecSys 2010, 257-260.
    Raises InputError when more people are listed than there are.

    >>> coverage(["a", "b", "a"], 4)
    0.5
    """
    distinct = pd.Series(listed, dtype=object).nunique()
    if distinct > n_people or n_people < 1:
        raise InputError(
            explained(
                "fewer people than are listed",
                got=f"{n_people} people, {distinct} listed",
                remedy="count everybody who may be listed",
            )
        )
    return float(distinct / n_people)
