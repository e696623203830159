"""Discretion: who wants to be seen only by people they liked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, ShownTo
from recsys.constraints.constraint import Constraint
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class Discretion(Constraint):
    """Both answered the question; a `liked_only` person is shown only to people they liked.

    Two `liked_only` people are also shown to each other when both opted in to double-blind
    suggestions.
    """

    name = "discretion"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both answered."""
        answered = people.is_word(C.DISCRETION, "open") | people.is_word(C.DISCRETION, "liked_only")
        return np.logical_and(answered[i], answered[j])

    def shows(self, people: Population, viewer: Rows, candidate: Rows) -> Mask:
        """Say whether the candidate is open, or liked the viewer, or both are hidden and both opted in."""
        hidden, opted_in = people.is_word(C.DISCRETION, "liked_only"), people.relations.suggestible
        n_people = len(people)
        likes = people.relations.liked.astype(np.int64) @ [n_people, 1]
        liked = np.isin(candidate.astype(np.int64) * n_people + viewer, likes)
        suggested = hidden[viewer] & hidden[candidate] & opted_in[viewer] & opted_in[candidate]
        return ~hidden[candidate] | liked | suggested

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and the directed rule."""
        return [
            Gate(people.known(C.DISCRETION)),
            ShownTo(
                liked_only=people.is_word(C.DISCRETION, "liked_only"),
                suggestible=people.relations.suggestible,
                liked=people.relations.liked,
            ),
        ]
