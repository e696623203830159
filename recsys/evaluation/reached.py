"""Reached: the share of people who can expect a match."""

import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained


def reached(matches: pd.Series, everybody: npt.ArrayLike, *, least: float = 1.0) -> float:
    """Return the share of `everybody` who can expect `least` matches or more, in [0, 1].

    matches: expected matches by person, as `matches_by_person` returns them; nobody else expects any.
    Raises InputError without anybody.

    >>> reached(pd.Series({"a": 1.2, "b": 0.4}), ["a", "b", "c", "d"])
    0.25
    """
    people = pd.Index(pd.unique(pd.Series(everybody, dtype=object)))
    if not len(people):
        raise InputError(explained("nobody to reach", remedy="pass everybody who may be listed"))
    return float((matches.reindex(people).fillna(0.0) >= least).mean())
