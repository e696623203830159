"""What already stands between pairs of people, as of one time."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.types import Int32Array

EXCLUSION_REASONS: Final = ("block", "report", "unsafe", "end", "hide", "pass", "matched")
"""Why a pair is excluded, strongest first; `matched` pairs know each other already."""


def _as_pairs(pairs: npt.ArrayLike) -> Int32Array:
    array = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Relations:
    """Separations, likes and opt-ins between the rows of one population.

    excluded:   `(n_separated, 2)` int32, each unordered pair once with the smaller row first, sorted.
    reason:      `(n_separated,)` int8, position in EXCLUSION_REASONS.
    liked:       `(n_likes, 2)` int32, actor row then target row, unique, sorted.
    suggestible: `(n_people,)` bool, opted in to double-blind suggestions.
    """

    excluded: Int32Array
    reason: npt.NDArray[np.int8]
    liked: Int32Array
    suggestible: npt.NDArray[np.bool_]

    @classmethod
    def none(cls, n_people: int) -> "Relations":
        """Nothing between anybody.

        >>> len(Relations.none(3).excluded)
        0
        """
        return cls.of(n_people)

    @classmethod
    def of(
        cls,
        n_people: int,
        *,
        excluded: npt.ArrayLike = (),
        reason: npt.ArrayLike | None = None,
        liked: npt.ArrayLike = (),
        suggestible: npt.ArrayLike | None = None,
    ) -> "Relations":
        """Build relations from pairs in any order and either direction.

        A pair excluded for several reasons keeps the strongest one (the default is `block`).
        Raises InputError when a row is outside the population or a pair is one person twice.
        """
        pairs = np.sort(_as_pairs(excluded), axis=1)
        why = np.zeros(len(pairs), np.int8) if reason is None else np.asarray(reason, np.int8)
        likes = _as_pairs(liked)
        for name, given in (("excluded", pairs), ("liked", likes)):
            wrong = (given < 0).any(axis=1) | (given >= n_people).any(axis=1) | (given[:, 0] == given[:, 1])
            if wrong.any():
                got = given[wrong][0].tolist()
                raise InputError(explained(f"not a pair of two of {n_people} people", where=name, got=got))
        order = np.lexsort((why, pairs[:, 1], pairs[:, 0]))
        pairs, why = pairs[order], why[order]
        first = np.ones(len(pairs), bool)
        first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
        may = np.zeros(n_people, bool) if suggestible is None else np.asarray(suggestible, bool)
        return cls(
            excluded=_as_pairs(pairs[first]),
            reason=why[first],
            liked=_as_pairs(np.unique(likes, axis=0)),
            suggestible=may,
        )
