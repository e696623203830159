"""Mandatory questions: what somebody insists on, and who answered them in public as accepted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import SEVERAL
from recsys.constraints.base import Clause, Constraint, Refusals
from recsys.data.bitsets import words_needed
from recsys.data.csr import equal_keys
from recsys.data.population import Population
from recsys.types import BoolArray, IndexArray, Int32Array, Int64Array, UInt64Array


@dataclass(frozen=True)
class MandatoryAnswers(Constraint):
    """Every mandatory question of either is answered by the other, in public, as accepted.

    An unanswered question and an answer for matching only both fail.
    """

    name = "mandatory_answers"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether no mandatory question of the one is missed by the other, either way."""
        question = pd.factorize(people.long.answers[C.QUESTION])[0]
        return ~(self._misses(people, question, i, j) | self._misses(people, question, j, i))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return one clause for all questions somebody insists on: the public answer, and those refused.

        A question has one bit per answer seen and one for "no public answer", see `public_answers`.
        """
        given = public_answers(people.long.answers)
        wished = _wishes(_insisted(people.long.answers))
        n_bits = sum(len(own) + 1 for own in given.values())
        traits, refuses = np.zeros((2, words_needed(n_bits), len(people)), np.uint64)
        bit = 0
        for question, own in given.items():
            silent = bit + len(own)
            _set_bit(traits, silent, slice(None))
            for at, rows in enumerate(own.values(), start=bit):
                _set_bit(traits, at, rows)
                traits[silent // 64, rows] &= ~_mask(silent)
            for accepted, rows in wished[question]:
                for at, answer in enumerate(own, start=bit):
                    if not satisfies(answer, accepted):
                        _set_bit(refuses, at, rows)
                _set_bit(refuses, silent, rows)
            bit = silent + 1
        return [Refusals(traits.T, refuses.T, n_bits)] if given else []

    @staticmethod
    def _misses(people: Population, question: IndexArray, who: Int32Array, whom: Int32Array) -> BoolArray:
        """Say for aligned rows whether `whom` fails a mandatory question of `who`.

        question: the number of the question of each answer, the same for equal ones.
        """
        answers = people.long.answers
        row = answers[C.ROW].to_numpy(np.int64)
        insisted, public = (np.flatnonzero(one) for one in (_is_mandatory(answers), _is_public(answers)))
        pair, at = equal_keys(who, row[insisted])
        asked, n_questions = insisted[at], len(question)
        asked_of = whom[pair].astype(np.int64) * n_questions + question[asked]
        heard, said = equal_keys(asked_of, row[public] * n_questions + question[public])
        accepts = [
            satisfies(answer, accepted)
            for answer, accepted in zip(
                answers[C.ANSWER].iloc[public[said]].to_numpy(object),
                answers[C.ACCEPTED].iloc[asked[heard]].to_numpy(object),
                strict=True,
            )
        ]
        fits = np.zeros(len(pair), bool)  # a question without a public answer is missed
        fits[heard] = True
        fits[heard[~np.array(accepts, bool)]] = False
        missed = np.zeros(len(who), bool)
        missed[pair[~fits]] = True
        return missed


def _is_public(answers: pd.DataFrame) -> pd.Series:
    return answers[C.VISIBILITY] == "public"


def _is_mandatory(answers: pd.DataFrame) -> pd.Series:
    return answers[C.MANDATORY] == True  # noqa: E712 - null is not True


def _insisted(answers: pd.DataFrame) -> pd.DataFrame:
    return answers.loc[_is_mandatory(answers), [C.ROW, C.QUESTION, C.ACCEPTED]]


def public_answers(answers: pd.DataFrame) -> dict[str, dict[str, Int64Array]]:
    """Return each question somebody insists on, with its public answers and the rows of who gave each.

    Questions are in the order of their ids, answers in the order in which they are first seen. All answers
    are gone through once, however many questions there are.

    >>> given = {"row": [0, 1], "question_id": ["pets", "pets"], "answer": ["no", "yes"]}
    >>> rows = pd.DataFrame(given).assign(visibility="public", mandatory=[True, False])
    >>> {answer: rows.tolist() for answer, rows in public_answers(rows)["pets"].items()}
    {'no': [0], 'yes': [1]}
    """
    questions = sorted(answers.loc[_is_mandatory(answers), C.QUESTION].unique())
    public = answers.loc[_is_public(answers), [C.ROW, C.QUESTION, C.ANSWER]]
    asked, names = pd.factorize(public[C.QUESTION])
    place = pd.Index(questions, dtype=object).get_indexer(pd.Index(names, dtype=object))
    number = np.append(place, -1).astype(np.int32)[asked]
    del asked  # as all that is as long as the answers and not needed any more
    code, words = pd.factorize(public[C.ANSWER])
    own = np.flatnonzero((number >= 0) & (code >= 0))
    key = number[own].astype(np.int64) * max(len(words), 1) + code[own]
    del number, code
    order = np.argsort(key, kind="stable")
    key, rows = key[order], public[C.ROW].to_numpy(np.int64)[own[order]]
    del public, own
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    given: dict[str, dict[str, Int64Array]] = {question: {} for question in questions}
    ends = np.append(starts[1:], len(key))
    for at in np.argsort(order[starts], kind="stable"):  # by the place of the first of each
        question, answer = divmod(int(key[starts[at]]), max(len(words), 1))
        given[questions[question]][words[answer]] = rows[starts[at] : ends[at]]
    return given


def _wishes(insisted: pd.DataFrame) -> dict[str, list[tuple[object, Int64Array]]]:
    """Return for each question what is accepted, each once, and the rows of those who accept it."""
    rows: dict[str, dict[object, list[int]]] = {}
    columns = (insisted[name].to_numpy(object) for name in (C.ROW, C.QUESTION, C.ACCEPTED))
    for row, question, accepted in zip(*columns, strict=True):
        fits = accepted if isinstance(accepted, tuple) else None
        rows.setdefault(question, {}).setdefault(fits, []).append(row)
    return {
        question: [(accepted, np.array(whose, np.int64)) for accepted, whose in own.items()]
        for question, own in rows.items()
    }


def _mask(bit: int) -> np.uint64:
    return np.uint64(1 << (bit % 64))


def _set_bit(words: UInt64Array, bit: int, rows: Int64Array | slice) -> None:
    """Set one bit of the people at `rows` in words `(n_words, n_people)`."""
    words[bit // 64, rows] |= _mask(bit)


def satisfies(answer: object, accepted: object) -> bool:
    """Say whether an answer is accepted: of several choices at least one is; unknown is not.

    >>> satisfies("a|b", ("b",)), satisfies(None, ("b",)), satisfies("b", None)
    (True, False, False)
    """
    if not isinstance(answer, str) or not isinstance(accepted, tuple):
        return False
    return not set(answer.split(SEVERAL)).isdisjoint(accepted)
