"""How often to be in touch: the two wishes lie at most one step apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.constraints.words import one_hot
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS

_STEPS = len(ENUMERATIONS[C.CONTACT_FREQUENCY].words)


@dataclass(frozen=True)
class ContactFrequency(Constraint):
    """Both said how often, and the two are neighbours or the same; unknown is no."""

    name = "contact_frequency"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether the steps differ by at most one."""
        step = people.codes(C.CONTACT_FREQUENCY).astype(np.int64)
        return (step[i] >= 0) & (step[j] >= 0) & (np.abs(step[i] - step[j]) <= 1)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and the steps each refuses."""
        step = people.codes(C.CONTACT_FREQUENCY)
        too_far = np.abs(np.arange(_STEPS)[:, None] - np.arange(_STEPS)) > 1
        return [Gate(step >= 0), Refuses.of(one_hot(step, _STEPS), too_far[step] & (step >= 0)[:, None])]
