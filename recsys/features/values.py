"""Values: how far another's answers are answers one accepts."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from scipy.linalg import eigh
from scipy.sparse import csr_array

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import SEVERAL
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.base import (
    Block,
    BlockRows,
    FittedBlock,
    by_question,
    positions,
    sums_by_person,
)
from recsys.types import BoolArray, Float32Array, Float64Array, Int64Array

MOST_EXACT_COLUMNS: Final = 256
DIRECTIONS: Final = 128
_LEARNED_FROM: Final = 2_000
_PEOPLE_AT_ONCE: Final = 4_096
_SUMMED_AT_ONCE: Final = 65_536
"""People whose wishes are summed at a time: sums take several times the memory of the rows made of them."""


class Values(Block):
    """Answers one accepts, weighed by importance, against the other's answers.

    kappa:     evidence, in equally weighed questions, at which a looker's own wishes count as much as
               the prior; it keeps one heavy answer from being a full match.
    smoothing: answers added to each option when its share is counted.
    catalogue: the questions; those of the people when None. Sensitive and retired questions are left out.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Values().fit_transform(people).pair_scores([0], [1])
    array([0.5])
    """

    name = "values"

    def __init__(
        self,
        *,
        kappa: float = 3.0,
        smoothing: float = 1.0,
        catalogue: Catalogue | None = None,
        name: str = "values",
    ) -> None:
        self.name = name
        self.kappa = kappa
        self.smoothing = smoothing
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> "FittedValues":  # noqa: ARG002
        catalogue = self.catalogue or people.catalogue
        questions = [q for _, q in sorted(catalogue.questions.items()) if q.is_learned]
        options = tuple(question.answers for question in questions)
        state = FittedValues(
            questions=tuple(question.id for question in questions),
            options=options,
            shares=self._shares(people, [q.id for q in questions], options),
            prior=0.5,
            kappa=self.kappa,
        )
        state = replace(state, prior=self._prior(state, people))
        if len(state.columns) <= MOST_EXACT_COLUMNS:
            return state
        return replace(state, directions=self._directions(state, people))

    @staticmethod
    def _directions(state: "FittedValues", people: Population) -> Float32Array:
        """Return the strongest directions of answers, `(n_columns - 1, n_directions)`, signs fixed."""
        sample = people
        if len(people) > _LEARNED_FROM:
            rows = np.random.default_rng(0).choice(len(people), _LEARNED_FROM, replace=False)
            sample = people.take(np.sort(rows))
        answers = state.attributes(state.answers(sample), len(sample))[:, :-1].astype(np.float64)
        centred = answers - state.usual_attributes
        size, kept = len(sample), min(DIRECTIONS, len(sample))
        values, vectors = eigh(centred @ centred.T, subset_by_index=(size - kept, size - 1))
        strongest = np.argsort(-values, kind="stable")
        strongest = strongest[values[strongest] > 1e-9 * max(values.max(initial=0.0), 1e-300)]
        basis = centred.T @ vectors[:, strongest] / np.sqrt(values[strongest])
        if not basis.size:
            return np.zeros((centred.shape[1], 1), np.float32)
        peaks = basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])]
        return np.ascontiguousarray(basis * np.where(peaks < 0, -1.0, 1.0), np.float32)

    def _shares(
        self, people: Population, questions: list[str], options: tuple[tuple[str, ...], ...]
    ) -> Float64Array:
        answers = people.long.answers
        given = pd.MultiIndex.from_arrays(
            [answers[C.QUESTION].astype(object), answers[C.ANSWER].astype(object)]
        )
        counts: dict[tuple[str, str], float] = {}
        found = given.value_counts()
        for (asked, answer), times in zip(found.index.tolist(), found.to_numpy(np.float64), strict=True):
            parts = str(answer).split(SEVERAL)
            for part in parts:
                counts[asked, part] = counts.get((asked, part), 0.0) + float(times) / len(parts)
        shares = []
        for question, words in zip(questions, options, strict=True):
            count = np.array([counts.get((question, word), 0.0) for word in words]) + self.smoothing
            shares.append(count / count.sum() if count.sum() > 0 else np.full(len(words), 1.0 / len(words)))
        return np.concatenate(shares) if shares else np.empty(0)

    @staticmethod
    def _prior(state: "FittedValues", people: Population) -> float:
        """Return the mean satisfaction of lookers with an average person, 0.5 without lookers."""
        weighed = state.weighed_questions(state.answers(people), len(people))
        if len(weighed.person) == 0:
            return 0.5
        satisfied = weighed.weight * (weighed.sets @ state.shares)[weighed.accepts]
        return float(satisfied.sum() / len(np.unique(weighed.person)))


@dataclass(frozen=True, eq=False)
class WeighedQuestions:
    """The questions people weigh, one entry a person and question.

    person, question: `(n_entries,)` rows and question numbers.
    weight:           `(n_entries,)` importance, summing to 1 for each person.
    accepts:          `(n_entries,)` into `sets`.
    sets:             `(n_sets, n_options)` bool over the options of all questions.
    """

    person: Int64Array
    question: Int64Array
    weight: Float64Array
    accepts: Int64Array
    sets: BoolArray


@dataclass(frozen=True, eq=False)
class FittedValues(FittedBlock):
    """Accepted answers times importance, against one-hot answers with priors for the unanswered.

    With w the importance normalised over the looker's weighed questions, n_eff = 1 / sum(w^2) and
    lam = n_eff / (n_eff + kappa), the pair score is

        s_ij = prior + lam_i * sum_q w_iq * (satisfied - prior_iq if j answered q, else 0)

    where prior_iq is the chance that somebody's answer to q is one that i accepts: agreement that anybody
    would bring says nothing of j, and whoever accepts every answer wishes nothing.

    Each question needs one column fewer than it has options (its first option is the sum of the
    others taken from 1), and one column holds the rest, so the inner product is exactly s_ij.

    questions: question ids; sensitive ones are not among them.
    options:   the option ids of each question. Of several choices each counts its share: one is as satisfied
               as the share of the other's choices that one accepts.
    shares:    `(n_options,)` share of each option, of all questions one after another.
    prior:     the score of someone about whom nothing is known.
    directions: `(n_columns - 1, n_directions)`; None up to `MOST_EXACT_COLUMNS`, the score is exact. Beyond,
               what differs from the usual answers is kept along the strongest directions of people's answers,
               so that a catalogue of hundreds of questions costs a model no more than a small one.
    """

    name: ClassVar[str] = "values"

    questions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    shares: Float64Array
    prior: float
    kappa: float
    directions: Float32Array | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every option but the first of each question, or the directions of their answers; and the rest."""
        if self.directions is not None:
            return (*(f"direction {at}" for at in range(self.directions.shape[1])), "rest")
        return self._option_columns

    @property
    def _option_columns(self) -> tuple[str, ...]:
        pairs = zip(self.questions, self.options, strict=True)
        return (*(f"{question}={option}" for question, options in pairs for option in options[1:]), "rest")

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody."""
        answers = self.answers(people)
        if self.directions is None:
            preferences = self._preferences(self.weighed_questions(answers, len(people)), len(people))
            answers = answers[[C.ROW, C.ANSWER, "number"]]
            return BlockRows(preferences, self.attributes(answers, len(people)))
        ends = np.searchsorted(answers[C.ROW], np.arange(0, len(people) + _PEOPLE_AT_ONCE, _PEOPLE_AT_ONCE))
        parts = [np.zeros((2, 0, len(self.columns)), np.float32)]
        for at, start in enumerate(range(0, len(people), _PEOPLE_AT_ONCE)):
            own = answers.iloc[ends[at] : ends[at + 1]]
            own = own.assign(**{C.ROW: own[C.ROW] - start}).reset_index(drop=True)
            parts.append(self._along_directions(own, min(_PEOPLE_AT_ONCE, len(people) - start)))
        preferences, attributes = np.concatenate(parts, axis=1)
        return BlockRows(preferences, attributes)

    @property
    def usual_attributes(self) -> Float64Array:
        """The share of each option but the first of each question, `(n_columns - 1,)`."""
        return self.shares[np.setdiff1d(np.arange(len(self.shares)), self._starts[:-1])]

    def _along_directions(self, answers: pd.DataFrame, n_people: int) -> Float32Array:
        """Return both rows of some people along the directions, `(2, n_people, n_directions + 1)`."""
        preferences = self._preferences(self.weighed_questions(answers, n_people), n_people)
        attributes = self.attributes(answers, n_people)
        moved = attributes[:, :-1] - self.usual_attributes.astype(np.float32)
        ones = np.ones((n_people, 1), np.float32)
        directions = np.zeros((moved.shape[1], 0), np.float32) if self.directions is None else self.directions
        return np.stack([preferences, np.hstack([moved @ directions, ones])])

    @property
    def _starts(self) -> Int64Array:
        """Position of each question's first option among all options, and the end."""
        return np.cumsum([0, *(len(options) for options in self.options)])

    def answers(self, people: Population) -> pd.DataFrame:
        """Return the answers to this block's questions, with the question's number."""
        answers = people.long.answers
        number = positions(answers[C.QUESTION], self.questions)
        known = answers[[C.ROW, C.ANSWER, C.ACCEPTED, C.IMPORTANCE]].assign(number=number)[number >= 0]
        again = known.duplicated([C.ROW, "number"]).to_numpy(bool)
        return (known[~again] if again.any() else known).reset_index(drop=True)

    def weighed_questions(self, answers: pd.DataFrame, n_people: int) -> "WeighedQuestions":
        """Return who weighs which question how much, and what they accept."""
        importance = pd.to_numeric(answers[C.IMPORTANCE], errors="coerce").fillna(0.0).to_numpy(np.float64)
        weighed = (importance > 0) & answers[C.ACCEPTED].notna().to_numpy(bool)
        kept, importance = answers[weighed], importance[weighed]
        person, question = kept[C.ROW].to_numpy(np.int64), kept["number"].to_numpy(np.int64)
        total = np.bincount(person, importance, n_people)
        words, distinct = pd.factorize(kept[C.ACCEPTED].astype(object))
        codes, pairs = pd.factorize(question * max(len(distinct), 1) + words)
        sets, starts = np.zeros((len(pairs), len(self.shares)), bool), self._starts.tolist()
        for at, pair in enumerate(pairs):
            number, accepted = int(pair) // len(distinct), set(distinct[int(pair) % len(distinct)])
            for option, word in enumerate(self.options[number], start=starts[number]):
                sets[at, option] = word in accepted
        return WeighedQuestions(person, question, importance / total[person], codes.astype(np.int64), sets)

    def _preferences(self, weighed: WeighedQuestions, n_people: int) -> Float32Array:
        """Return what each person wishes by column, `(n_people, n_columns)`.

        What a set of accepted options asks of the columns is summed over a person's questions. Along
        directions each set is projected once, before the sum: work does not grow with the options of all.
        """
        squares = np.bincount(weighed.person, weighed.weight**2, n_people)
        effective = np.divide(1.0, squares, out=np.zeros(n_people), where=squares > 0)
        trust = effective / (effective + self.kappa) if self.kappa > 0 else (effective > 0).astype(float)
        starts = self._starts[:-1]
        first = np.repeat(starts, np.diff(self._starts))
        others = np.setdiff1d(np.arange(len(self.shares)), starts)
        gains = (weighed.sets.astype(np.int8) - weighed.sets[:, first].astype(np.int8))[:, others]
        base = weighed.sets[:, starts].any(axis=1).astype(np.float64)
        if self.directions is None:
            table = np.column_stack([gains.astype(np.float64), base])
        else:
            by_option = csr_array(gains, dtype=np.float64)
            along = np.asarray(by_option @ self.directions.astype(np.float64))
            rest = np.asarray(by_option @ self.usual_attributes)
            table = np.column_stack([along, base + rest])
        weight = weighed.weight * trust[weighed.person]
        usual = np.bincount(weighed.person, weight * (weighed.sets @ self.shares)[weighed.accepts], n_people)
        preferences = np.empty((n_people, table.shape[1]), np.float32)
        ends = np.searchsorted(weighed.person, np.arange(0, n_people + _SUMMED_AT_ONCE, _SUMMED_AT_ONCE))
        for at, start in enumerate(range(0, n_people, _SUMMED_AT_ONCE)):
            own, some = slice(ends[at], ends[at + 1]), slice(start, min(start + _SUMMED_AT_ONCE, n_people))
            person = weighed.person[own] - start
            sums = sums_by_person(person, weighed.accepts[own], weight[own], table, some.stop - start)
            sums[:, -1] += self.prior - usual[some]
            preferences[some] = sums
        return preferences

    def attributes(self, answers: pd.DataFrame, n_people: int) -> Float32Array:
        """Return what each person answered by option column, `(n_people, n_option_columns)`."""
        starts = self._starts
        attributes = np.empty((n_people, len(self._option_columns)), np.float32)
        attributes[:, :-1] = self.usual_attributes
        attributes[:, -1] = 1.0
        person, answer = answers[C.ROW].to_numpy(np.int64), answers[C.ANSWER]
        for at, entries, option in by_question(answers["number"].to_numpy(np.intp), answer, self.options):
            if not len(entries):
                continue
            options = self.options[at]
            columns = np.arange(1, len(options)) + starts[at] - at - 1
            answered = option >= 0
            one_hot = option[answered, None] == np.arange(1, len(options))[None, :]
            attributes[person[entries[answered], None], columns[None, :]] = one_hot
            for entry in entries[~answered]:
                chosen = positions(str(answer.iloc[entry]).split(SEVERAL), options)
                if (chosen >= 0).all():
                    attributes[person[entry], columns] = np.bincount(chosen, minlength=len(options))[
                        1:
                    ] / len(chosen)
        return attributes
