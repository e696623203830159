"""Expected matches: how many pairs would find each other if lists were read from the top."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import TableError
from recsys.evaluation.examination import inverse
from recsys.evaluation.measure import Floats
from recsys.schema.columns import Columns as C


def matches_by_person(
    lists: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: Callable[[npt.ArrayLike], Floats] = inverse,
) -> pd.Series:
    """Return the matches each person can expect from all lists, indexed by person; 0 for nobody else.

    A pair meets when at least one of the two looks at the place the other has in their list:
    m_ij = (1 - (1 - e_ij)(1 - e_ji)) c_ij with e = examination(rank), 0 where not listed, and c the
    column `chance`: what a model says of both saying yes, or 1 and 0 for what came of it. Everybody
    in a pair expects its m.

    lists: viewer_id, candidate_id, rank (from 1) and `chance`. Where both list each other and say
    different chances, their mean counts. Raises TableError when a column is missing.

    >>> rows = {"viewer_id": ["a", "b", "a"], "candidate_id": ["b", "a", "c"], "rank": [1, 2, 2]}
    >>> matches_by_person(pd.DataFrame({**rows, "p_mutual": [0.5, 0.5, 0.4]})).to_dict()
    {'a': 0.7, 'b': 0.5, 'c': 0.2}
    """
    needed = (C.VIEWER, C.CANDIDATE, C.RANK, chance)
    missing = [f"column '{column}' is missing" for column in needed if column not in lists]
    if missing:
        raise TableError("lists", missing)
    both = pd.concat([lists[C.VIEWER], lists[C.CANDIDATE]], ignore_index=True)
    code, people = pd.factorize(both, sort=True)
    i, j = code[: len(lists)].astype(np.int64), code[len(lists) :].astype(np.int64)
    pair, number = np.unique(np.minimum(i, j) * len(people) + np.maximum(i, j), return_inverse=True)
    missed = np.ones(len(pair))
    np.multiply.at(missed, number, 1.0 - examination(lists[C.RANK]))
    said = np.bincount(number, lists[chance].to_numpy(np.float64), len(pair)) / np.bincount(number)
    met = (1.0 - missed) * said
    first, second = pair // max(len(people), 1), pair % max(len(people), 1)
    total = np.bincount(first, met, len(people)) + np.bincount(second, met, len(people))
    return pd.Series(total, index=people)


def expected_matches(
    lists: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: Callable[[npt.ArrayLike], Floats] = inverse,
) -> float:
    """Return the number of pairs that would find each other, see `matches_by_person`.

    Y. Su, M. Bayoumi and T. Joachims, "Optimizing rankings for recommendation in matching markets",
    WWW 2022, count matches the same way with lists on both sides.

    >>> rows = {"viewer_id": ["a", "b", "a"], "candidate_id": ["b", "a", "c"], "rank": [1, 2, 2]}
    >>> expected_matches(pd.DataFrame({**rows, "p_mutual": [0.5, 0.5, 0.4]}))
    0.7
    """
    return float(matches_by_person(lists, chance=chance, examination=examination).sum() / 2.0)
