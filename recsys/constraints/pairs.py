"""Separated pairs: blocks, reports, unsafe meetings, ends, passes and hides in force, existing pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.base import Clause, Constraint, Separated
from recsys.constraints.tokens import persons
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class Apart(Constraint):
    """Nothing separates the two, under any of their accounts.

    A separation holds between persons: an account opened anew with the same person token stays
    separated from everybody the earlier one was separated from.
    """

    name = "separations"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether the two persons are not among the separated pairs of persons."""
        person, n_people = persons(people), len(people)
        apart = np.sort(person[people.relations.excluded], axis=1)
        asked = np.sort(np.column_stack([person[i], person[j]]), axis=1)
        return ~np.isin(asked @ [n_people, 1], apart @ [n_people, 1])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return every separated pair, spread over all accounts of the two persons."""
        pairs = people.relations.excluded
        person = persons(people)
        accounts = SparseRows.of(person, np.arange(len(people)), len(people))
        size = np.diff(accounts.indptr)
        first, second = person[pairs[:, 0]], person[pairs[:, 1]]
        copies = size[first] * size[second]
        at = np.repeat(np.arange(len(pairs)), copies)
        turn = np.arange(len(at)) - np.repeat(np.cumsum(copies) - copies, copies)
        left = accounts.indices[accounts.indptr[first][at] + turn // size[second][at]]
        right = accounts.indices[accounts.indptr[second][at] + turn % size[second][at]]
        spread = np.column_stack([left, right]).astype(np.int32)
        return [Separated(spread[left != right])]
