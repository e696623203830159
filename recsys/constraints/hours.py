"""Hours of contact: both can be reached in a common hour of the served week."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.constraints.clauses import Clause, Gate, Mask, Overlaps
from recsys.constraints.constraint import Constraint
from recsys.constraints.said import said_any
from recsys.schema.bits import common
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class ContactHours(Constraint):
    """At least one common UTC hour; an unknown time zone or unknown windows are no."""

    name = "contact_hours"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether the count of common hours is at least one."""
        hours = people.utc_hours
        return common(hours[i], hours[j]) >= 1

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap over the 168 hours."""
        reachable = people.known(C.TZ) & said_any(people, C.CONTACT_WINDOWS)
        return [Gate(reachable), Overlaps(people.utc_hours)]
