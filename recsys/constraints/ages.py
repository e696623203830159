"""Age bands: each is in a band the other accepts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.constraints.words import one_hot, unpack
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS

_BANDS = ENUMERATIONS[C.AGE_BAND].words


@dataclass(frozen=True)
class AgeBands(Constraint):
    """Both age bands are known and accepted by the other; accepting unknown bands is accepting all."""

    name = "age_bands"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether each is in a band that the other accepts."""
        return self._accepts(people, i, j) & self._accepts(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on the band and the bands each refuses."""
        accepted = unpack(people.sets(C.ACCEPTS_AGE_BANDS), len(_BANDS))
        refused = ~accepted & people.known(C.ACCEPTS_AGE_BANDS)[:, None]
        return [
            Gate(people.known(C.AGE_BAND)),
            Refuses.of(one_hot(people.codes(C.AGE_BAND), len(_BANDS)), refused),
        ]

    @staticmethod
    def _accepts(people: Population, who: Rows, whom: Rows) -> Mask:
        anyone = ~people.known(C.ACCEPTS_AGE_BANDS)[who]
        accepts = np.zeros(len(who), bool)
        for band in _BANDS:
            wanted = anyone | people.has_word(C.ACCEPTS_AGE_BANDS, band)[who]
            accepts |= wanted & people.is_word(C.AGE_BAND, band)[whom]
        return accepts
