"""Compile one more person against the vocabulary of a population that is compiled already.

Compiled words depend on the people they were compiled for: a language nobody speaks has no bit, a mandatory
question has a bit for each answer seen. A `ColdStartVocabulary` keeps what is needed to write a newcomer in
the same words, for the same mask kernel. What cannot be written in them is decided against the newcomer: an
answer nobody gave counts as none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.base import (
    CellLimit,
    Clause,
    Constraint,
    DirectedVisibility,
    Gate,
    Overlaps,
    Refusals,
    TokenGroups,
)
from recsys.constraints.compiled import Compiled, compile_clauses, kept_bits
from recsys.constraints.exclusions_and_tokens import SamePerson, Tokens
from recsys.constraints.mandatory_answers import MandatoryAnswers, public_answers
from recsys.constraints.plugin import is_own
from recsys.constraints.policy import Policy
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.types import BoolArray, Int32Array, UInt64Array

_PERSON = "person"


@dataclass(frozen=True, eq=False)
class ColdStartVocabulary:
    """What the words of a compiled population mean.

    cell_numbers: `(n_cells,)` uint64, as in `Compiled`. overlap_bits: for each overlap clause, which of its
    bits were kept, `(n_bits,)` bool. token: `(n_tokens,)` uint64, hashes of everybody's tokens, ascending,
    with token_row, whose it is, and token_is_own, whether owned or excluded. answers: each question somebody
    insists on, with its public answers in the order of their bits.
    """

    cell_numbers: UInt64Array
    overlap_bits: tuple[BoolArray, ...]
    token: UInt64Array
    token_row: Int32Array
    token_is_own: BoolArray
    answers: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, policy: Policy, people: Population, compiled: Compiled) -> "ColdStartVocabulary":
        """Keep the vocabulary with which `policy` was compiled over `people`."""
        clauses = [clause for constraint in policy.constraints for clause in constraint.clauses(people)]
        token, row, own = _tokens(people)
        order = np.argsort(token, kind="stable")
        return cls(
            cell_numbers=compiled.cell_numbers,
            overlap_bits=tuple(kept_bits(clause) for clause in clauses if isinstance(clause, Overlaps)),
            token=token[order],
            token_row=row[order],
            token_is_own=own[order],
            answers=_answers_seen(people),
        )

    def compile(self, policy: Policy, newcomer: Population) -> Compiled:
        """Return the rules of the one person of `newcomer`, whose bits are numbered as those of the others.

        Row 0 of its `cell_reach` `(1, n_cells)` is the reach to each of `cell_numbers`. It holds no token
        groups and no separations, see `rows_met_by_token`; a mandatory question on which nobody else insists
        has no bit, see `unseen_questions`.

        Raises InputError when `newcomer` is not one person, or for a rule that newcomers cannot be held to.
        """
        if len(newcomer) != 1:
            raise InputError(explained("a newcomer is one person", got=f"{len(newcomer)} people"))
        clauses = [clause for one in policy.constraints for clause in self._clauses(one, newcomer)]
        _refuse_unknown(clauses)
        dense = [
            clause
            for clause in clauses
            if isinstance(clause, Gate | Refusals | Overlaps | CellLimit | DirectedVisibility)
        ]
        return compile_clauses(
            dense, newcomer, overlap_bits=self.overlap_bits, cell_numbers=self.cell_numbers
        )

    def rows_met_by_token(self, policy: Policy, newcomer: Population) -> Int32Array:
        """Return the rows of people one of whose tokens meets one of the newcomer's."""
        if not any(isinstance(constraint, Tokens | SamePerson) for constraint in policy.constraints):
            return np.zeros(0, np.int32)
        colleagues = all(c.same_employer for c in policy.constraints if isinstance(c, Tokens))
        spaces = [*newcomer.long.tokens[C.NAMESPACE], *[_PERSON] * len(newcomer)]
        found = [np.zeros(0, np.int32)]
        for token, own, space in zip(*_tokens(newcomer)[::2], spaces, strict=False):
            start, stop = np.searchsorted(self.token, [token, token + np.uint64(1)])
            theirs = self.token_is_own[start:stop]
            meets = (theirs | own) & (colleagues | (space != "employer") | ~(theirs & own))
            found.append(self.token_row[start:stop][meets])
        return np.concatenate(found)

    def rows_with_tokens(self, tokens: Iterable[tuple[str, str]]) -> tuple[Int32Array, Int32Array]:
        """Return the rows of people who have one of some contact tokens, and of who excludes one.

        tokens: each a namespace and its value.
        """
        hashes = hashed_strings([_token_text(*one) for one in tokens], salt="tokens")
        starts, ends = (self.token.searchsorted(hashes, side=side) for side in ("left", "right"))
        at = np.concatenate([np.zeros(0, np.int64), *map(np.arange, starts, ends)]).astype(np.int64)
        rows, are_own = self.token_row[at], self.token_is_own[at]
        return rows[are_own], rows[~are_own]

    def unseen_questions(self, newcomer: Population) -> list[tuple[str, tuple[str, ...]]]:
        """Return the newcomer's mandatory questions nobody else insists on, with what they accept."""
        answers = newcomer.long.answers
        mine = answers[answers[C.MANDATORY] == True]  # noqa: E712 - null is not True
        return [
            (question, accepted if isinstance(accepted, tuple) else ())
            for question, accepted in zip(mine[C.QUESTION], mine[C.ACCEPTED], strict=True)
            if question not in self.answers
        ]

    def _clauses(self, constraint: Constraint, newcomer: Population) -> Sequence[Clause]:
        if isinstance(constraint, MandatoryAnswers):
            return self._mandatory(newcomer)
        clauses = constraint.clauses(newcomer)
        if not is_own(constraint):  # how its words depend on the people is not known, but a gate has none
            for clause in clauses:
                if not isinstance(clause, Gate):
                    what = "a rule from outside that newcomers cannot be held against"
                    raise InputError(
                        explained(what, where=constraint.name, got=type(clause).__name__, remedy="use Gate")
                    )
        return clauses

    def _mandatory(self, newcomer: Population) -> list[Clause]:
        answers = newcomer.long.answers
        public = answers[answers[C.VISIBILITY] == "public"].set_index(C.QUESTION)[C.ANSWER].to_dict()
        mandatory = answers[answers[C.MANDATORY] == True]  # noqa: E712 - null is not True
        mine = mandatory.set_index(C.QUESTION)[C.ACCEPTED].to_dict()
        return [
            _question(list(seen), public.get(question), mine.get(question), insists=question in mine)
            for question, seen in self.answers.items()
        ]


def _tokens(people: Population) -> tuple[UInt64Array, Int32Array, BoolArray]:
    """Return a hash of every contact token and person token, whose it is, and whether it is their own."""
    table = people.long.tokens
    known = np.flatnonzero(pd.notna(people.person_tokens))
    texts = [*map(_token_text, table[C.NAMESPACE], table[C.HMAC])]
    texts += [_token_text(_PERSON, value) for value in people.person_tokens[known]]
    row = np.r_[table[C.ROW].to_numpy(np.int64), known].astype(np.int32)
    own = np.r_[(table[C.KIND] == "self").to_numpy(bool), np.ones(len(known), bool)]
    return hashed_strings(texts, salt="tokens"), row, own


def _token_text(space: str, value: str) -> str:
    return f"{space}\0{value}"


def _answers_seen(people: Population) -> dict[str, tuple[str, ...]]:
    """Return the questions somebody insists on, each with its public answers, in the order of their bits."""
    return {question: tuple(given) for question, given in public_answers(people.long.answers).items()}


def _question(seen: list[str], answer: str | None, accepted: object, *, insists: bool) -> Refusals:
    given = np.zeros((1, len(seen) + 1), bool)
    given[0, seen.index(answer) if answer in seen else len(seen)] = True
    fits = accepted if isinstance(accepted, tuple) else ()
    refused: npt.NDArray[np.bool_] = np.array([[insists and word not in fits for word in seen] + [insists]])
    return Refusals.of(given, refused)


def _refuse_unknown(clauses: Sequence[Clause]) -> None:
    """Raise InputError for a kind of clause that is not looked at: pairs kept apart, where there are any."""
    for clause in clauses:
        if not isinstance(
            clause, Gate | Refusals | Overlaps | CellLimit | TokenGroups | DirectedVisibility
        ) and not (hasattr(clause, "pairs") and not len(clause.pairs)):
            raise InputError(
                explained("a rule that newcomers cannot be held against", got=type(clause).__name__)
            )
