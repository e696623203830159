"""One person's accounts never meet each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.constraints.clauses import Clause, Groups, Mask
from recsys.constraints.constraint import Constraint
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class SamePerson(Constraint):
    """The two are two rows with different person tokens; an unknown token is nobody else's."""

    name = "same_person"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether the rows differ, and so do the tokens where both are known."""
        a, b = people.person_tokens[i], people.person_tokens[j]
        return (i != j) & (pd.isna(a) | pd.isna(b) | np.asarray(a != b, bool))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a group per token that two accounts share."""
        group, tokens = pd.factorize(people.person_tokens)
        rows = np.flatnonzero(group >= 0)
        own = np.column_stack([rows, group[rows]]).astype(np.int32)
        return [Groups(own=own, avoided=np.empty((0, 2), np.int32), n_groups=len(tokens))]
