"""What a constraint is: a rule in plain form and the same rule as clauses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from recsys.constraints.clauses import Clause, Mask
from recsys.schema.ids import Rows
from recsys.schema.population import Population


class Constraint(ABC):
    """One rule that says which pairs may meet; a subclass is a frozen dataclass of its settings.

    `allows` is the definition: read it beside the rule. `clauses` says the same in the forms that
    run fast over everybody. The two are written apart from each other and tests hold them equal,
    pair for pair. Both must be symmetric, and unknown safety or boundary data must say no.

    There is no "or" and no "not": an "or" could add pairs, a "not" would turn unknown into yes.

    >>> from dataclasses import dataclass
    >>> from recsys.constraints.clauses import Gate
    >>> @dataclass(frozen=True)
    ... class HasCell(Constraint):
    ...     name = "has_cell"
    ...     def allows(self, people, i, j):
    ...         return (people.cells[i] != 0) & (people.cells[j] != 0)
    ...     def clauses(self, people):
    ...         return [Gate(people.known("cell"))]
    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> HasCell().allows(people, np.array([0]), np.array([1])).tolist()
    [False]
    """

    name: ClassVar[str]

    @abstractmethod
    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say for aligned rows `(n_pairs,)` whether the two may meet, `(n_pairs,)` bool."""

    @abstractmethod
    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return the same rule as clauses over all of `people`."""

    def shows(self, people: Population, viewer: Rows, candidate: Rows) -> Mask:
        """Say for aligned rows whether the candidate may be shown to the viewer, `(n_pairs,)` bool.

        Directed, and only ever narrower than `allows`; most constraints leave it alone.
        """
        del people, candidate
        return np.ones(len(viewer), bool)
