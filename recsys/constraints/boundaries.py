"""Rules of the boundaries table: romance, body, money, how often and when, channels and places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints.base import (
    Clause,
    Constraint,
    Gate,
    Overlaps,
    Refusals,
    has_any_word,
    shares_a_word,
    wants_in_person,
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


_EVERY_BIT = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Channels(Constraint):
    """Both use a common channel; unknown is no."""

    name = "channels"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether some channel is used by both."""
        return shares_a_word(people, C.CHANNELS, i, j)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap."""
        return [Gate(has_any_word(people, C.CHANNELS)), Overlaps(people.sets(C.CHANNELS))]


@dataclass(frozen=True)
class MeetingSettings(Constraint):
    """Both said where they would meet; when both have an in-person intent, one place suits both."""

    name = "meeting_settings"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both stated; and either one is remote only, or some setting suits both."""
        stated = has_any_word(people, C.MEETING_SETTINGS)
        in_person = wants_in_person(people)
        remote = ~(in_person[i] & in_person[j])
        return stated[i] & stated[j] & (remote | shares_a_word(people, C.MEETING_SETTINGS, i, j))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap, every bit set for people without an in-person intent."""
        words = people.sets(C.MEETING_SETTINGS).copy()
        words[~wants_in_person(people)] = _EVERY_BIT
        return [Gate(has_any_word(people, C.MEETING_SETTINGS)), Overlaps(words)]
