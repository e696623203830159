"""Mandatory answers: who insists on an answer meets only people who gave it in public."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.constraints.clauses import Clause, Mask, Refuses
from recsys.constraints.constraint import Constraint
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.population import Population


@dataclass(frozen=True)
class MandatoryAnswers(Constraint):
    """Every mandatory question of either is answered by the other, in public, as accepted.

    An unanswered question and an answer for matching only both fail.
    """

    name = "mandatory_answers"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether no mandatory question of the one is missed by the other, either way."""
        return ~(self._misses(people, i, j) | self._misses(people, j, i))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return for each question somebody insists on: the public answer given, and the ones refused.

        A question has one bit per answer seen and one for "no public answer".
        """
        public, insisted = _public(people.long.answers), _insisted(people.long.answers)
        return [
            _question_clause(
                public[public[C.QUESTION] == question],
                insisted[insisted[C.QUESTION] == question],
                len(people),
            )
            for question in sorted(insisted[C.QUESTION].unique())
        ]

    @staticmethod
    def _misses(people: Population, who: Rows, whom: Rows) -> Mask:
        """Say for aligned rows whether `whom` fails a mandatory question of `who`."""
        answers = people.long.answers
        pairs = pd.DataFrame({"pair": np.arange(len(who)), C.ROW: who, "whom": whom})
        asked = pairs.merge(_insisted(answers)[[C.ROW, C.QUESTION, C.ACCEPTED]], on=C.ROW)
        said = _public(answers)[[C.ROW, C.QUESTION, C.ANSWER]].rename(columns={C.ROW: "whom"})
        heard = asked.merge(said, on=["whom", C.QUESTION], how="left")
        fails = [
            answer not in _words(accepted)
            for answer, accepted in zip(heard[C.ANSWER], heard[C.ACCEPTED], strict=True)
        ]
        missed = np.zeros(len(who), bool)
        missed[heard.loc[np.array(fails, bool), "pair"].to_numpy(np.int64)] = True
        return missed


def _public(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[answers[C.VISIBILITY] == "public"]


def _insisted(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[answers[C.MANDATORY] == True]  # noqa: E712 - null is not True


def _question_clause(public: pd.DataFrame, insisted: pd.DataFrame, n_people: int) -> Refuses:
    codes, seen = pd.factorize(public[C.ANSWER])
    silent = len(seen)
    are = np.zeros((n_people, silent + 1), bool)
    are[:, silent] = True
    rows = public[C.ROW].to_numpy(np.int64)
    are[rows, silent] = False
    are[rows, codes] = True
    refused = np.zeros_like(are)
    for row, accepted in zip(insisted[C.ROW], insisted[C.ACCEPTED], strict=True):
        refused[row] = ~np.append(seen.isin(_words(accepted)), False)
    return Refuses.of(are, refused)


def _words(accepted: object) -> tuple[str, ...]:
    """Return the accepted answers; unknown is none of them."""
    return accepted if isinstance(accepted, tuple) else ()
