"""Household status: each lives in a way the other has said yes to; nothing is inferred."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.constraints.said import said_any
from recsys.constraints.words import one_hot, unpack
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS

_STATUSES = ENUMERATIONS[C.HOUSEHOLD_STATUS].words


@dataclass(frozen=True)
class HouseholdStatus(Constraint):
    """Both said how they live and whom they accept, and each accepts the other; unknown is no."""

    name = "household_status"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether each ticked the other's status."""
        return self._accepts(people, i, j) & self._accepts(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on both answers and the statuses each refuses."""
        accepted = unpack(people.sets(C.ACCEPTS_HOUSEHOLD_STATUS), len(_STATUSES))
        return [
            Gate(people.known(C.HOUSEHOLD_STATUS) & said_any(people, C.ACCEPTS_HOUSEHOLD_STATUS)),
            Refuses.of(one_hot(people.codes(C.HOUSEHOLD_STATUS), len(_STATUSES)), ~accepted),
        ]

    @staticmethod
    def _accepts(people: Population, who: Rows, whom: Rows) -> Mask:
        accepts = np.zeros(len(who), bool)
        for status in _STATUSES:
            ticked = people.has_word(C.ACCEPTS_HOUSEHOLD_STATUS, status)
            accepts |= ticked[who] & people.is_word(C.HOUSEHOLD_STATUS, status)[whom]
        return accepts
