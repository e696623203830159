"""Only people who are here now: active, not dormant, not held, and nobody banned under another account."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints.base import Clause, Constraint, Gate
from recsys.constraints.exclusions_and_tokens import persons
from recsys.data.account_linkage import is_given
from recsys.data.fail_closed import STOPPED
from recsys.data.population import Population
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class Account(Constraint):
    """Both accounts are active; unknown is not.

    A person who is banned or held, by a row of holds or by the state `hold`, stays so under every account
    with the same person token.
    """

    name = "account"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both states are `active` and neither person is on hold or banned anywhere."""
        active = people.is_word(C.ACCOUNT_STATE, "active")
        stopped = people.held | people.is_word(C.ACCOUNT_STATE, "banned")
        stopped |= people.is_word(C.ACCOUNT_STATE, "hold")
        stopped_tokens = {token for token in people.person_tokens[stopped] if token is not None}
        known_under_another = np.array([token in stopped_tokens for token in people.person_tokens], bool)
        free = active & ~stopped & ~known_under_another
        return free[i] & free[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        person = persons(people)
        stopped = people.held | np.any([people.is_word(C.ACCOUNT_STATE, one) for one in STOPPED], axis=0)
        stopped_person = np.zeros(len(people), bool)
        stopped_person[person[stopped]] = True
        return [Gate(people.is_word(C.ACCOUNT_STATE, "active") & ~stopped_person[person])]


@dataclass(frozen=True)
class Activity(Constraint):
    """Both have been seen lately: dormant people and people never seen are out."""

    name = "activity"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
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


_TIERS = ENUMERATIONS[C.VERIFICATION]
_AGE = "age"


@dataclass(frozen=True)
class Verified(Constraint):
    """Both reach the verification `tier`: age (proved 18 or older), id or id_liveness.

    A proof that an event took back counts again from a later one of at least the tier on.

    From tier id up a person token is asked for as well: whose identity was checked is known to be one person,
    so that a ban or a block reaches every account of theirs.

    Raises SettingsError for a tier that proves no age.
    """

    tier: str = "age"
    name = "verification"

    def __post_init__(self) -> None:
        if self.tier not in _TIERS.words[1:]:
            remedy = did_you_mean(self.tier, _TIERS.words[1:])
            raise SettingsError(explained("not a tier that proves an age", got=self.tier, remedy=remedy))

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both hold one of the tiers from `tier` up."""
        proved = people.codes(C.VERIFICATION) < -1
        for tier in _TIERS.words[_TIERS.code(self.tier) :]:
            proved |= people.is_word(C.VERIFICATION, tier)
        proved &= np.isin(people.relations.proved, np.arange(_TIERS.code(self.tier), len(_TIERS.words)))
        if self.tier != _AGE:
            proved &= np.array([is_given(token) for token in people.person_tokens], bool)
        return proved[i] & proved[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        tier = _TIERS.code(self.tier)
        proved = (people.codes(C.VERIFICATION) >= tier) & (people.relations.proved >= tier)
        named = np.fromiter(map(is_given, people.person_tokens), bool, len(people))
        return [Gate(proved if self.tier == _AGE else proved & named)]


@dataclass(frozen=True)
class Terms(Constraint):
    """Both accepted the terms and proved their age, by the events `terms_accepted` and `verified`.

    Serving asks for the same, so whoever is in a list can be on a page. A log in which nobody ever accepted
    any terms says nothing of them; the gate that asks for pages refuses to publish it.
    """

    name = "terms"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both did."""
        accepted = people.relations.accepted
        return np.logical_and(accepted[i], accepted[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.relations.accepted)]
