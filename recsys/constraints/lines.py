"""The lines people draw: romance, body and money."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class RomanceLine(Constraint):
    """Both drew the line; who ends at feelings does not meet who would talk them over; unknown is no."""

    name = "romance_line"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both stated, and not one `end_if_feelings` with one `talk_openly`."""
        stated = people.known(C.ROMANCE_LINE)
        ends, talks = self._ends_and_talks(people)
        return stated[i] & stated[j] & ~((ends[i] & talks[j]) | (talks[i] & ends[j]))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one refusal: who ends at feelings refuses who talks openly."""
        ends, talks = self._ends_and_talks(people)
        return [Gate(people.known(C.ROMANCE_LINE)), Refuses.of(talks[:, None], ends[:, None])]

    @staticmethod
    def _ends_and_talks(people: Population) -> tuple[Mask, Mask]:
        return (
            people.is_word(C.ROMANCE_LINE, "end_if_feelings"),
            people.is_word(C.ROMANCE_LINE, "talk_openly"),
        )


@dataclass(frozen=True)
class PhysicalLine(Constraint):
    """Both have stated the physical line, whose only value is none."""

    name = "physical_line"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both stated."""
        stated = people.is_word(C.PHYSICAL_LINE, "none")
        return np.logical_and(stated[i], stated[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.known(C.PHYSICAL_LINE))]


@dataclass(frozen=True)
class FinancialLine(Constraint):
    """Both have stated the financial line: no money, or the bill is split."""

    name = "financial_line"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both stated."""
        stated = people.is_word(C.FINANCIAL_LINE, "none") | people.is_word(C.FINANCIAL_LINE, "split_bill")
        return np.logical_and(stated[i], stated[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.known(C.FINANCIAL_LINE))]
