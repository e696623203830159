"""Circles of each member as a publication keeps them, and which of them may be named at this moment."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.ranking.recommend import Scorer
from recsys.ranking.recommend_circles import LEAST_MEMBERS, recommend_circles
from recsys.types import BoolArray, Int32Array

KEPT: Final = 10
"""Circles kept of each member, so that a few are left when somebody is blocked by day."""


@dataclass(frozen=True, eq=False)
class CircleLists:
    """The best circles of each member, and who is in which.

    names: ids of circles, ascending. best: `(n_people, 10)` int32 numbers of circles, best first, -1 for
    none. members: rows of people of each circle.
    """

    names: tuple[str, ...]
    best: Int32Array
    members: SparseRows

    @classmethod
    def of(cls, model: Scorer, people: Population, policy: Policy) -> Self:
        """Recommend circles to everybody who is listed."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        names = tuple(sorted(set(table[C.COMMUNITY].astype(str))))
        best = np.full((len(people), KEPT), -1, np.int32)
        number = {name: at for at, name in enumerate(names)}
        circle = np.array([number[str(one)] for one in table[C.COMMUNITY]], np.int64)
        members = SparseRows.of(circle, table[C.ROW].to_numpy(np.int64), len(names))
        if names:
            found = recommend_circles(model, people, policy, k=KEPT)
            rows = people.ids.rows(found[C.VIEWER].to_numpy(object))
            best[rows, found[C.RANK].to_numpy(np.int64) - 1] = [
                number[str(one)] for one in found[C.COMMUNITY]
            ]
        return cls(names, best, members)

    @classmethod
    def none(cls, n_people: int) -> Self:
        """Return the circles of people who are in none."""
        nothing = np.zeros(0, np.int64)
        return cls((), np.full((n_people, KEPT), -1, np.int32), SparseRows.of(nothing, nothing, 0))

    def without(self, gone: BoolArray) -> Self:
        """Return the same without some people."""
        circle = np.repeat(np.arange(len(self.names)), np.diff(self.members.indptr))
        kept = ~gone[self.members.indices]
        members = SparseRows.of(circle[kept], self.members.indices[kept], len(self.names))
        return replace(self, best=np.where(gone[:, None], np.int32(-1), self.best), members=members)

    def open_to(self, row: int, apart: Collection[int], k: int) -> list[str]:
        """Return the best `k` circles of a member, of five or more people and without anybody of `apart`."""
        found = list[str]()
        for circle in self.best[row].tolist():
            members = self.members.row(circle) if circle >= 0 else ()
            if len(members) >= LEAST_MEMBERS and not np.isin(members, list(apart)).any():
                found.append(self.names[circle])
        return found[:k]
