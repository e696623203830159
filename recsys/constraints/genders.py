"""Genders, where both consented to the filter: each is of a gender the other meets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.constraints.words import one_hot, unpack
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS

_GENDERS = ENUMERATIONS[C.GENDER]


@dataclass(frozen=True)
class Genders(Constraint):
    """Each meets the other's gender. An unknown gender is undisclosed; unknown wishes meet all.

    Somebody who ticked some genders and not `undisclosed` does not meet the undisclosed.
    """

    name = "genders"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether each ticked the other's gender, or ticked nothing."""
        return self._meets(people, i, j) & self._meets(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return the gender each is and the genders each refuses."""
        gender = people.codes(C.GENDER)
        disclosed = np.where(gender < 0, _GENDERS.code("undisclosed"), gender)
        ticked = unpack(people.sets(C.MEETS_GENDERS), len(_GENDERS.words))
        refused = ~ticked & people.known(C.MEETS_GENDERS)[:, None]
        return [Refuses.of(one_hot(disclosed, len(_GENDERS.words)), refused)]

    @staticmethod
    def _meets(people: Population, who: Rows, whom: Rows) -> Mask:
        meets = ~people.known(C.MEETS_GENDERS)[who]
        for gender in _GENDERS.words:
            is_gender = people.is_word(C.GENDER, gender)
            if gender == "undisclosed":
                is_gender = is_gender | ~people.known(C.GENDER)
            meets |= people.has_word(C.MEETS_GENDERS, gender)[who] & is_gender[whom]
        return meets
