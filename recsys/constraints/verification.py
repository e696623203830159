"""Proof of identity and age: nobody meets anybody before being proved adult."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.constraints.clauses import Clause, Gate, Mask
from recsys.constraints.constraint import Constraint
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS

_TIERS = ENUMERATIONS[C.VERIFICATION]


@dataclass(frozen=True)
class Verified(Constraint):
    """Both reach the verification `tier`: age (proved 18 or older), id or id_liveness.

    Raises SettingsError for a tier that proves no age.
    """

    tier: str = "age"
    name = "verification"

    def __post_init__(self) -> None:
        if self.tier not in _TIERS.words[1:]:
            remedy = did_you_mean(self.tier, _TIERS.words[1:])
            raise SettingsError(explained("not a tier that proves an age", got=self.tier, remedy=remedy))

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both hold one of the tiers from `tier` up."""
        proved = people.codes(C.VERIFICATION) < -1
        for tier in _TIERS.words[_TIERS.code(self.tier) :]:
            proved |= people.is_word(C.VERIFICATION, tier)
        return proved[i] & proved[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.codes(C.VERIFICATION) >= _TIERS.code(self.tier))]
