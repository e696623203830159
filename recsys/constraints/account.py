"""Only people who are here now: active, not dormant, not held, and nobody banned under another account."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask
from recsys.constraints.constraint import Constraint
from recsys.constraints.person import persons
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class Account(Constraint):
    """Both accounts are active; unknown is not.

    A person who is held or banned stays so under every account with the same person token.
    """

    name = "account"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both states are `active` and neither person is held or banned anywhere."""
        active = people.is_word(C.ACCOUNT_STATE, "active")
        stopped = people.held | people.is_word(C.ACCOUNT_STATE, "banned")
        stopped_tokens = {token for token in people.person_tokens[stopped] if token is not None}
        known_under_another = np.array([token in stopped_tokens for token in people.person_tokens], bool)
        free = active & ~stopped & ~known_under_another
        return free[i] & free[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        person = persons(people)
        stopped = people.held | people.is_word(C.ACCOUNT_STATE, "banned")
        stopped_person = np.zeros(len(people), bool)
        stopped_person[person[stopped]] = True
        return [Gate(people.is_word(C.ACCOUNT_STATE, "active") & ~stopped_person[person])]


@dataclass(frozen=True)
class Activity(Constraint):
    """Both have been seen lately: dormant people and people never seen are out."""

    name = "activity"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both were seen today, this week or this month."""
        here = (
            people.is_word(C.ACTIVITY, "today")
            | people.is_word(C.ACTIVITY, "week")
            | people.is_word(C.ACTIVITY, "month")
        )
        return here[i] & here[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.known(C.ACTIVITY) & ~people.is_word(C.ACTIVITY, "dormant"))]
