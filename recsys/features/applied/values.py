"""Values: how far another's answers are answers one accepts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows
from recsys.features.sums import sums_by_person
from recsys.types import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Looking:
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
    sets: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AppliedValues(AppliedBlock):
    """Accepted answers times importance, against one-hot answers with priors for the unanswered.

    With w the importance normalised over the looker's weighed questions, n_eff = 1 / sum(w^2) and
    lam = n_eff / (n_eff + kappa), the pair score is

        s_ij = lam_i * sum_q w_iq * (satisfied if j answered q, else prior_iq) + (1 - lam_i) * prior

    in [0, 1], where prior_iq is the chance that somebody's answer to q is one that i accepts.

    Each question needs one column fewer than it has options (its first option is the sum of the
    others taken from 1), and one column holds the rest, so the inner product is exactly s_ij.

    questions: question ids; sensitive ones are not among them.
    options:   the option ids of each question.
    shares:    `(n_options,)` share of each option, of all questions one after another.
    prior:     the score of someone about whom nothing is known.
    """

    name: ClassVar[str] = "values"

    questions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    shares: Float64Array
    prior: float
    kappa: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Every option but the first of each question, and the rest."""
        pairs = zip(self.questions, self.options, strict=True)
        return (*(f"{question}={option}" for question, options in pairs for option in options[1:]), "rest")

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody."""
        answers = self.known_answers(people)
        return BlockRows(
            self._looks(self.looking(answers, len(people)), len(people)), self._is(answers, len(people))
        )

    @property
    def _starts(self) -> Int64Array:
        """Position of each question's first option among all options, and the end."""
        return np.cumsum([0, *(len(options) for options in self.options)])

    def known_answers(self, people: Population) -> pd.DataFrame:
        """Return the answers to this block's questions, with the question's number."""
        answers = people.long.answers
        number = pd.Index(self.questions, dtype=object).get_indexer(
            pd.Index(answers[C.QUESTION], dtype=object)
        )
        known = answers[[C.ROW, C.ANSWER, C.ACCEPTED, C.IMPORTANCE]].assign(number=number)[number >= 0]
        again = known.duplicated([C.ROW, "number"]).to_numpy(bool)
        return (known[~again] if again.any() else known).reset_index(drop=True)

    def looking(self, answers: pd.DataFrame, n_people: int) -> Looking:
        """Return who weighs which question how much, and what they accept."""
        importance = pd.to_numeric(answers[C.IMPORTANCE], errors="coerce").fillna(0.0).to_numpy(np.float64)
        weighed = (importance > 0) & answers[C.ACCEPTED].notna().to_numpy(bool)
        kept, importance = answers[weighed], importance[weighed]
        person, question = kept[C.ROW].to_numpy(np.int64), kept["number"].to_numpy(np.int64)
        total = np.bincount(person, importance, n_people)
        words, distinct = pd.factorize(kept[C.ACCEPTED].astype(object))
        codes, pairs = pd.factorize(question * max(len(distinct), 1) + words)
        sets = np.zeros((len(pairs), len(self.shares)), bool)
        for at, pair in enumerate(pairs):
            number, accepted = int(pair) // len(distinct), set(distinct[int(pair) % len(distinct)])
            for option, word in enumerate(self.options[number], start=int(self._starts[number])):
                sets[at, option] = word in accepted
        return Looking(person, question, importance / total[person], codes.astype(np.int64), sets)

    def _looks(self, looking: Looking, n_people: int) -> npt.NDArray[np.float32]:
        squares = np.bincount(looking.person, looking.weight**2, n_people)
        effective = np.divide(1.0, squares, out=np.zeros(n_people), where=squares > 0)
        trust = effective / (effective + self.kappa) if self.kappa > 0 else (effective > 0).astype(float)
        starts = self._starts[:-1]
        first = np.repeat(starts, np.diff(self._starts))
        others = np.setdiff1d(np.arange(len(self.shares)), starts)
        gains = looking.sets.astype(np.float64) - looking.sets[:, first]
        base = looking.sets[:, starts].any(axis=1, keepdims=True)
        table = np.hstack([gains[:, others], base]).astype(np.float64)
        weight = looking.weight * trust[looking.person]
        looks = sums_by_person(looking.person, looking.accepts, weight, table, n_people)
        looks[:, -1] += (1.0 - trust) * self.prior
        return looks.astype(np.float32)

    def _is(self, answers: pd.DataFrame, n_people: int) -> npt.NDArray[np.float32]:
        starts = self._starts
        is_ = np.empty((n_people, len(self.columns)), np.float32)
        is_[:, :-1] = self.shares[np.setdiff1d(np.arange(len(self.shares)), starts[:-1])]
        is_[:, -1] = 1.0
        person, answer = answers[C.ROW].to_numpy(np.int64), answers[C.ANSWER].to_numpy(object)
        number = answers["number"].to_numpy(np.int64)
        order = np.argsort(number, kind="stable")
        ends = np.searchsorted(number[order], np.arange(len(self.questions) + 1))
        for at, options in enumerate(self.options):
            entries = order[ends[at] : ends[at + 1]]
            option = pd.Index(options, dtype=object).get_indexer(pd.Index(answer[entries], dtype=object))
            columns = np.arange(1, len(options)) + starts[at] - at - 1
            answered = option >= 0
            one_hot = option[answered, None] == np.arange(1, len(options))[None, :]
            is_[person[entries[answered], None], columns[None, :]] = one_hot
        return is_
