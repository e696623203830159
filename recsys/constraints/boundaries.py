"""The lines people draw: romance, body and money."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints.base import (
    Clause,
    Constraint,
    DirectedVisibility,
    Gate,
    Overlaps,
    Refusals,
    has_any_word,
)
from recsys.data.bitsets import common, one_hot
from recsys.data.population import Population
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class RomanceLine(Constraint):
    """Both drew the line; who ends at feelings does not meet who would talk them over; unknown is no."""

    name = "romance_line"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both stated, and not one `end_if_feelings` with one `talk_openly`."""
        stated = people.known(C.ROMANCE_LINE)
        ends, talks = self._ends_and_talks(people)
        return stated[i] & stated[j] & ~((ends[i] & talks[j]) | (talks[i] & ends[j]))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one refusal: who ends at feelings refuses who talks openly."""
        ends, talks = self._ends_and_talks(people)
        return [Gate(people.known(C.ROMANCE_LINE)), Refusals.of(talks[:, None], ends[:, None])]

    @staticmethod
    def _ends_and_talks(people: Population) -> tuple[BoolArray, BoolArray]:
        return (
            people.is_word(C.ROMANCE_LINE, "end_if_feelings"),
            people.is_word(C.ROMANCE_LINE, "talk_openly"),
        )


@dataclass(frozen=True)
class PhysicalLine(Constraint):
    """Both have stated the physical line, whose only value is none."""

    name = "physical_line"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
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

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both stated."""
        stated = people.is_word(C.FINANCIAL_LINE, "none") | people.is_word(C.FINANCIAL_LINE, "split_bill")
        return np.logical_and(stated[i], stated[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one gate."""
        return [Gate(people.known(C.FINANCIAL_LINE))]


@dataclass(frozen=True)
class Discretion(Constraint):
    """Both answered the question; a `liked_only` person is shown only to people they liked.

    Two `liked_only` people are also shown to each other when both opted in to double-blind
    suggestions.
    """

    name = "discretion"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both answered."""
        answered = people.is_word(C.DISCRETION, "open") | people.is_word(C.DISCRETION, "liked_only")
        return np.logical_and(answered[i], answered[j])

    def shows(self, people: Population, viewer: Int32Array, candidate: Int32Array) -> BoolArray:
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
            DirectedVisibility(
                liked_only=people.is_word(C.DISCRETION, "liked_only"),
                suggestible=people.relations.suggestible,
                liked=people.relations.liked,
            ),
        ]


_STEPS = len(ENUMERATIONS[C.CONTACT_FREQUENCY].words)


@dataclass(frozen=True)
class ContactFrequency(Constraint):
    """Both said how often, and the two are neighbours or the same; unknown is no."""

    name = "contact_frequency"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether the steps differ by at most one."""
        step = people.codes(C.CONTACT_FREQUENCY).astype(np.int64)
        return (step[i] >= 0) & (step[j] >= 0) & (np.abs(step[i] - step[j]) <= 1)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and the steps each refuses."""
        step = people.codes(C.CONTACT_FREQUENCY)
        too_far = np.abs(np.arange(_STEPS)[:, None] - np.arange(_STEPS)) > 1
        return [Gate(step >= 0), Refusals.of(one_hot(step, _STEPS), too_far[step] & (step >= 0)[:, None])]


@dataclass(frozen=True)
class ContactHours(Constraint):
    """At least one common UTC hour; an unknown time zone or unknown windows are no."""

    name = "contact_hours"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether the count of common hours is at least one."""
        hours = people.utc_hours
        return common(hours[i], hours[j]) >= 1

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap over the 168 hours."""
        reachable = people.known(C.TZ) & has_any_word(people, C.CONTACT_WINDOWS)
        return [Gate(reachable), Overlaps(people.utc_hours)]
