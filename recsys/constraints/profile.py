"""Rules of the profiles table: ages, genders, households, intents, languages, discretion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import (
    ADULT,
    ENUMERATIONS,
    IN_PERSON_INTENTS,
    OLDEST,
    UNDISCLOSED,
    years_of_band,
)
from recsys.constraints.base import (
    Clause,
    Constraint,
    DirectedVisibility,
    Gate,
    Overlaps,
    Refusals,
    has_any_word,
    shares_a_word,
)
from recsys.data.bitsets import one_hot, unpack
from recsys.data.pair_keys import are_among
from recsys.data.population import Population
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class AgeBands(Constraint):
    """Both age bands are known and accepted by the other; accepting unknown bands is accepting all.

    Who wants ages from one year to another meets nobody outside: where only the band of the other is known,
    every year of it has to lie within.
    """

    name = "age_bands"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether each is in a band that the other accepts."""
        bands = self._accepts(people, i, j) & self._accepts(people, j, i)
        return bands & self._within(people, i, j) & self._within(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on the band, the bands each refuses, and the years."""
        n_bands = len(people.catalogue.vocabulary(C.AGE_BAND))
        accepted = unpack(people.sets(C.ACCEPTS_AGE_BANDS), n_bands)
        refused = ~accepted & people.known(C.ACCEPTS_AGE_BANDS)[:, None]
        return [
            Gate(people.known(C.AGE_BAND)),
            Refusals.of(one_hot(people.codes(C.AGE_BAND), n_bands), refused),
            self._years(people),
        ]

    @staticmethod
    def _years(people: Population) -> Refusals:
        """Return the years that each may be of, and those outside what each wants."""
        years = np.arange(ADULT, OLDEST + 1)
        ends = np.array([years_of_band(word) for word in people.catalogue.vocabulary(C.AGE_BAND)])
        band, age = people.codes(C.AGE_BAND), people.amounts(C.AGE_YEARS)
        first, last = (np.append(column, -1)[band] for column in ends.T)
        youngest, oldest = (np.where(age < 0, end, age)[:, None] for end in (first, last))
        least, most = (people.amounts(name)[:, None] for name in (C.MIN_AGE_YEARS, C.MAX_AGE_YEARS))
        refused = (years < least) | ((most >= 0) & (years > most))
        return Refusals.of((years >= youngest) & (years <= oldest), refused)

    @staticmethod
    def _within(people: Population, who: Int32Array, whom: Int32Array) -> BoolArray:
        """Say whether `whom` is surely within the years that `who` wants."""
        least, most = people.amounts(C.MIN_AGE_YEARS)[who], people.amounts(C.MAX_AGE_YEARS)[who]
        age = people.amounts(C.AGE_YEARS)[whom]
        inside = np.ones(len(who), bool)
        for word in people.catalogue.vocabulary(C.AGE_BAND):
            first, last = years_of_band(word)
            banded = people.is_word(C.AGE_BAND, word)[whom] & (age < 0)
            youngest, oldest = np.where(banded, first, age), np.where(banded, last, age)
            inside &= ~(banded | (age >= 0)) | ((youngest >= least) & ((most < 0) | (oldest <= most)))
        return inside

    @staticmethod
    def _accepts(people: Population, who: Int32Array, whom: Int32Array) -> BoolArray:
        anyone = ~people.known(C.ACCEPTS_AGE_BANDS)[who]
        accepts = np.zeros(len(who), bool)
        for band in people.catalogue.vocabulary(C.AGE_BAND):
            wanted = anyone | people.has_word(C.ACCEPTS_AGE_BANDS, band)[who]
            accepts |= wanted & people.is_word(C.AGE_BAND, band)[whom]
        return accepts


@dataclass(frozen=True)
class Genders(Constraint):
    """Each meets the other's gender. An unknown gender is undisclosed; unknown wishes meet all.

    Somebody who ticked some genders and not `undisclosed` does not meet the undisclosed.
    """

    name = "genders"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether each ticked the other's gender, or ticked nothing."""
        return self._meets(people, i, j) & self._meets(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return the gender each is and the genders each refuses."""
        gender, words = people.codes(C.GENDER), people.catalogue.vocabulary(C.GENDER)
        disclosed = np.where(gender < 0, words.index(UNDISCLOSED), gender)
        ticked = unpack(people.sets(C.MEETS_GENDERS), len(words))
        refused = ~ticked & people.known(C.MEETS_GENDERS)[:, None]
        return [Refusals.of(one_hot(disclosed, len(words)), refused)]

    @staticmethod
    def _meets(people: Population, who: Int32Array, whom: Int32Array) -> BoolArray:
        meets = ~people.known(C.MEETS_GENDERS)[who]
        for gender in people.catalogue.vocabulary(C.GENDER):
            is_gender = people.is_word(C.GENDER, gender)
            if gender == UNDISCLOSED:
                is_gender = is_gender | ~people.known(C.GENDER)
            meets |= people.has_word(C.MEETS_GENDERS, gender)[who] & is_gender[whom]
        return meets


@dataclass(frozen=True)
class HouseholdStatus(Constraint):
    """Both said how they live and whom they accept, and each accepts the other; unknown is no."""

    name = "household_status"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether each ticked the other's status."""
        return self._accepts(people, i, j) & self._accepts(people, j, i)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on both answers and the statuses each refuses."""
        n_words = len(people.catalogue.vocabulary(C.HOUSEHOLD_STATUS))
        accepted = unpack(people.sets(C.ACCEPTS_HOUSEHOLD_STATUS), n_words)
        return [
            Gate(people.known(C.HOUSEHOLD_STATUS) & has_any_word(people, C.ACCEPTS_HOUSEHOLD_STATUS)),
            Refusals.of(one_hot(people.codes(C.HOUSEHOLD_STATUS), n_words), ~accepted),
        ]

    @staticmethod
    def _accepts(people: Population, who: Int32Array, whom: Int32Array) -> BoolArray:
        accepts = np.zeros(len(who), bool)
        for status in people.catalogue.vocabulary(C.HOUSEHOLD_STATUS):
            ticked = people.has_word(C.ACCEPTS_HOUSEHOLD_STATUS, status)
            accepts |= ticked[who] & people.is_word(C.HOUSEHOLD_STATUS, status)[whom]
        return accepts


@dataclass(frozen=True)
class Intents(Constraint):
    """Both want one and the same thing.

    Without a cell an in-person intent counts online alone: between two who would both meet online.
    """

    name = "intents"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether some intent is wanted by both; an in-person one needs both cells, or both online."""
        shared = np.zeros(len(i), bool)
        placed, online = people.known(C.CELL), people.has_word(C.MEETING_SETTINGS, "online_only")
        for intent in ENUMERATIONS[C.INTENTS].words:
            wants = people.has_word(C.INTENTS, intent)
            both = wants[i] & wants[j]
            if intent in IN_PERSON_INTENTS:
                both &= (placed[i] & placed[j]) | (online[i] & online[j])
            shared |= both
        return shared

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one overlap, with more bits for in-person intents online; who has none is not listed."""
        in_person = np.uint64(ENUMERATIONS[C.INTENTS].bits(*IN_PERSON_INTENTS))
        words = people.sets(C.INTENTS).copy()
        online = (
            words[:, 0] & in_person & -people.has_word(C.MEETING_SETTINGS, "online_only").astype(np.uint64)
        )
        words[~people.known(C.CELL), 0] &= ~in_person
        words[:, 0] |= online.astype(np.uint64) << np.uint64(len(ENUMERATIONS[C.INTENTS].words))
        wants_any = np.logical_or.reduce(words != 0, axis=1)
        return [Gate(wants_any), Overlaps(words)]


@dataclass(frozen=True)
class Languages(Constraint):
    """Both speak a common language; unknown is no."""

    name = "languages"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether some language is spoken by both."""
        return shares_a_word(people, C.LANGUAGES, i, j)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate and one overlap."""
        return [Gate(has_any_word(people, C.LANGUAGES)), Overlaps(people.sets(C.LANGUAGES))]


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
        actor, target = people.relations.liked.astype(np.int64).T
        liked = are_among(candidate.astype(np.int64) * n_people + viewer, actor * n_people + target)
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
