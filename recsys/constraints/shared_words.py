"""Sets that need a common word: intents, languages, channels and, in person, meeting settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.constraints.clauses import Clause, Gate, Mask, Overlaps
from recsys.constraints.constraint import Constraint
from recsys.constraints.said import said_any, shares_a_word, wants_in_person
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.vocabulary import ENUMERATIONS, IN_PERSON_INTENTS

_EVERY_BIT = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Intents(Constraint):
    """Both want one and the same thing. Without a cell an in-person intent counts as not said."""

    name = "intents"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether some intent is wanted by both; an in-person one needs both cells."""
        shared = np.zeros(len(i), bool)
        placed = people.known(C.CELL)
        for intent in ENUMERATIONS[C.INTENTS].words:
            wants = people.has_word(C.INTENTS, intent)
            if intent in IN_PERSON_INTENTS:
                wants = wants & placed
            shared |= wants[i] & wants[j]
        return shared

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one overlap; people with no intent left share nothing, and are not listed."""
        in_person = np.uint64(ENUMERATIONS[C.INTENTS].bits(*IN_PERSON_INTENTS))
        words = people.sets(C.INTENTS).copy()
        words[~people.known(C.CELL), 0] &= ~in_person
        wants_any = np.logical_or.reduce(words != 0, axis=1)
        return [Gate(wants_any), Overlaps(words)]


@dataclass(frozen=True)
class Languages(Constraint):
    """Both speak a common language; unknown is no."""

    name = "languages"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether some language is spoken by both."""
        return shares_a_word(people, C.LANGUAGES, i, j)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap."""
        return [Gate(said_any(people, C.LANGUAGES)), Overlaps(people.sets(C.LANGUAGES))]


@dataclass(frozen=True)
class Channels(Constraint):
    """Both use a common channel; unknown is no."""

    name = "channels"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether some channel is used by both."""
        return shares_a_word(people, C.CHANNELS, i, j)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap."""
        return [Gate(said_any(people, C.CHANNELS)), Overlaps(people.sets(C.CHANNELS))]


@dataclass(frozen=True)
class MeetingSettings(Constraint):
    """Both said where they would meet; when both have an in-person intent, one place suits both."""

    name = "meeting_settings"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both stated; and either one is remote only, or some setting suits both."""
        stated = said_any(people, C.MEETING_SETTINGS)
        in_person = wants_in_person(people)
        remote = ~(in_person[i] & in_person[j])
        return stated[i] & stated[j] & (remote | shares_a_word(people, C.MEETING_SETTINGS, i, j))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap, every bit set for people without an in-person intent."""
        words = people.sets(C.MEETING_SETTINGS).copy()
        words[~wants_in_person(people)] = _EVERY_BIT
        return [Gate(said_any(people, C.MEETING_SETTINGS)), Overlaps(words)]
