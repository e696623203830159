"""Likes that cross the borders of regions, summed up by who receives them and how welcome they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_LIMITS: Final = 1.0 / (1.0 + np.exp(-np.linspace(-4.0, 2.0, 127)))
"""Where the classes of q end, evenly spaced in logits."""
N_CLASSES: Final = len(_LIMITS) + 1
_LEAST_SHARE: Final = 0.1
"""Likes added to those a region sends when a budget is shared out, so that rounding has room everywhere."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Likes that arrive at people, summed up by person and class of q, `(n_entries,)` each.

    key:     int64, ascending: the row of the person times the number of classes, and the class.
    likes:   float64; welcome: float64, the sum of likes times q; worth: float64, the sum of likes times what
             one more match of who sends them adds to welfare.
    """

    key: Int64Array
    likes: Float64Array
    welcome: Float64Array
    worth: Float64Array

    @classmethod
    def of(cls, candidate: Int32Array, q: Float32Array, likes: Float64Array, marginal: Float64Array) -> Self:
        """Sum up likes along edges, `(n_edges,)` each; marginal: what one more match of the viewer adds."""
        keys = candidate.astype(np.int64) * N_CLASSES + np.searchsorted(_LIMITS, q)
        sent = likes > 0.0
        sums = likes[sent], likes[sent] * q[sent], likes[sent] * marginal[sent]
        return cls._summed(keys[sent], *sums)

    @classmethod
    def joined(cls, crowds: "Iterable[Crowd]") -> Self:
        """Return the likes of all together."""
        every = list(crowds)
        nothing = np.zeros(0)
        return cls._summed(
            np.concatenate([np.zeros(0, np.int64), *(crowd.key for crowd in every)]),
            np.concatenate([nothing, *(crowd.likes for crowd in every)]),
            np.concatenate([nothing, *(crowd.welcome for crowd in every)]),
            np.concatenate([nothing, *(crowd.worth for crowd in every)]),
        )

    @classmethod
    def _summed(cls, keys: Int64Array, *sums: Float64Array) -> Self:
        key, at = np.unique(keys, return_inverse=True)
        found = (np.bincount(at, weights=of, minlength=len(key)) for of in sums)
        return cls(key, *(of.astype(np.float64) for of in found))

    def of_people(self, wanted: BoolArray) -> "Crowd":
        """Return the likes that arrive at some people; wanted: `(n_people,)`."""
        kept = wanted[self.row]
        return Crowd(self.key[kept], self.likes[kept], self.welcome[kept], self.worth[kept])

    @property
    def row(self) -> Int64Array:
        """The person of every entry."""
        return self.key // N_CLASSES

    @property
    def number(self) -> Int64Array:
        """The class of every entry."""
        return self.key % N_CLASSES

    def marginal_by_class(self, unknown: float) -> Float64Array:
        """Return what one more match adds for who sends a like, on average by class, `(N_CLASSES,)`.

        unknown: of a class that nobody sends likes of.
        """
        likes, worth = (
            np.bincount(self.number, weights=of, minlength=N_CLASSES) for of in (self.likes, self.worth)
        )
        return np.asarray(np.where(likes > 0.0, worth / np.maximum(likes, 1e-300), unknown))

    def load(self, n_people: int) -> Float64Array:
        """Return the likes each person receives, `(n_people,)`."""
        return np.bincount(self.row, weights=self.likes, minlength=n_people).astype(np.float64)


def budget_shares(budget: float, crowds: Sequence[Crowd], region: Int32Array, number: int) -> Float64Array:
    """Return how many likes a region may send each person, `(n_people,)`; over all regions they are `budget`.

    A region that sends somebody likes gets a share in proportion to them, and a little more for the rounding
    to lists, which one region gets in any case.

    crowds: what each region sends; region: `(n_people,)`, by whose lists everybody is shown at least; number:
    of the region asked for.

    >>> sends = Crowd.of(np.array([0], np.int32), np.array([0.5], np.float32), np.array([0.1]), np.ones(1))
    >>> nothing = Crowd.joined([])
    >>> [budget_shares(3.0, [nothing, sends], np.array([0]), number).round(2).tolist() for number in (0, 1)]
    [[1.0], [2.0]]
    """
    claims = []
    for of, crowd in enumerate(crowds):
        load = crowd.load(len(region))
        claims.append(np.where((load > 0.0) | (region == of), load + _LEAST_SHARE, 0.0))
    total = np.sum(claims, axis=0)
    return np.asarray(budget * claims[number] / total)
