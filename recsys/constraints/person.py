"""Accounts of one person: they share a person token."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.population import Population


def persons(people: Population) -> npt.NDArray[np.int64]:
    """Return the first row of each account's person, `(n_people,)` int64; no token, no other account.

    >>> from dataclasses import replace
    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> people = replace(people, person_tokens=np.array(["t", None, "t"], dtype=object))
    >>> persons(people).tolist()
    [0, 1, 0]
    """
    own = np.arange(len(people))
    group, distinct = pd.factorize(people.person_tokens)
    first = np.full(len(distinct), len(people))
    np.minimum.at(first, group[group >= 0], own[group >= 0])
    return np.where(group >= 0, first[group] if len(distinct) else own, own)
