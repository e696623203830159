"""Cohort parity: whether people of every cohort are looked at alike."""

import pandas as pd

from recsys.errors import InputError, explained

COHORT = "cohort"


def cohort_parity(looked_at: pd.Series, cohort: pd.Series) -> pd.DataFrame:
    """Return one row a cohort: cohort, people, exposure (mean a person) and ratio to the mean of all.

    looked_at: attention by person, as `exposure` returns it. cohort: label by person, missing where
    it is not known (then the person is in no row, but counts in the mean of all).
    A ratio of 1 everywhere is demographic parity of exposure (A. Singh and T. Joachims, "Fairness of
    exposure in rankings", KDD 2018). It says that lists treat cohorts alike, not that they should.
    Raises InputError when nobody of `cohort` is in `looked_at`.

    >>> looked_at = pd.Series({"a": 3.0, "b": 1.0, "c": 2.0})
    >>> cohort_parity(looked_at, pd.Series({"a": "young", "b": "old", "c": "old"}))
      cohort  people  exposure  ratio
    0    old       2       1.5   0.75
    1  young       1       3.0   1.50
    """
    known = cohort.reindex(looked_at.index)
    if known.notna().sum() == 0:
        raise InputError(explained("nobody has a cohort", remedy="index both by the same people"))
    by = looked_at.groupby(known.astype(object), sort=True)
    table = pd.DataFrame({"people": by.size(), "exposure": by.mean()})
    mean = float(looked_at.mean())
    table["ratio"] = table["exposure"] / mean if mean else float("nan")
    return table.rename_axis(COHORT).reset_index()


def least_parity(table: pd.DataFrame) -> float:
    """Return the least ratio over the greatest, in [0, 1]; 1 is parity.

    >>> least_parity(pd.DataFrame({"ratio": [0.75, 1.5]}))
    0.5
    """
    most = float(table["ratio"].max())
    return float(table["ratio"].min()) / most if most else float("nan")
