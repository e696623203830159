"""The rule of two-sided data: people of different kinds meet, those of one kind do not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.base import Clause, Constraint, Refusals
from recsys.data.ids import IdIndex, packed_strings
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.types import BoolArray, Int32Array

_MOST: Final = 63


@dataclass(frozen=True, eq=False)
class Sides(Constraint):
    """The rule of two-sided data: nobody meets their own side, nor anybody whose side is not known.

    For data in which one kind looks for another: men and women, people and jobs, users and films.

    ids, side: aligned, the side of each id; labels: the names of the sides; digest: of who is where.
    """

    name = "sides"

    ids: IdIndex
    side: npt.NDArray[np.int8] = field(repr=False)
    labels: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, ids: npt.ArrayLike, labels: npt.ArrayLike) -> Self:
        """Return the rule for ids with the label of each side.

        >>> people = Population.of_ids(["ann", "bob", "cy"], as_of="2026-01-05")
        >>> rule = Sides.of(["ann", "bob", "cy"], ["woman", "man", "man"])
        >>> rule.allows(people, np.array([0, 1]), np.array([1, 2])).tolist()
        [True, False]
        """
        code, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
        if len(names) > _MOST:
            remedy = "give the kind of each person, not a value of their own"
            raise InputError(explained("too many sides", got=len(names), remedy=remedy))
        index = IdIndex(np.asarray(ids, dtype=object).tolist())
        side = np.empty(len(index), np.int8)
        side[index.find(ids)] = code
        text, ends = packed_strings(index.values)
        digest = blake2b(text.tobytes() + ends.tobytes() + side.tobytes(), digest_size=8).hexdigest()
        return cls(index, side, tuple(str(name) for name in names), digest)

    def _codes(self, people: Population) -> npt.NDArray[np.int8]:
        """Return the side of each of `people`, -1 unknown."""
        return np.append(self.side, np.int8(-1))[self.ids.find(people.ids.values)].astype(np.int8)

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both sides are known and differ."""
        side = self._codes(people)
        return (side[i] >= 0) & (side[j] >= 0) & (side[i] != side[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return that each side refuses itself, and everybody refuses who has none."""
        side = self._codes(people)
        are = side[:, None] == np.arange(len(self.labels) + 1)
        are[side < 0, -1] = True
        refused = are.copy()
        refused[:, -1] = True
        return [Refusals.of(are, refused)]
