"""Rules for somebody who was not there when they were compiled: one person against everybody else.

Compiled words depend on the people they were compiled for: languages nobody speaks have no bit, mandatory
questions have bits for the answers seen. A `Plan` keeps what is needed to write one more person in the same
words. What cannot be written in them is decided against the newcomer: an answer nobody gave counts as none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.base import CellLimit, Clause, Constraint, Gate, Groups, Overlaps, Refuses, ShownTo
from recsys.constraints.compiled import Compiled
from recsys.constraints.distance import between_cells
from recsys.constraints.plugin import is_own
from recsys.constraints.policy import Policy
from recsys.constraints.profile import MandatoryAnswers
from recsys.constraints.tokens import SamePerson, Tokens
from recsys.data.bitsets import end_to_end, pack_flags, unpack
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.types import BoolArray

Arrays = dict[str, npt.NDArray[Any]]
_PERSON = "person"


@dataclass(frozen=True, eq=False)
class Plan:
    """What one more person is compared with, by row.

    listed, liked_only, in_person, max_class, min_class: `(n,)`; traits, refuses `(n, w)`; overlaps `(n, v)`
    with starts, as in `Compiled`. cell: `(n,)` position in `cells`, the last is nowhere.
    used: for each overlap clause, which of its bits were kept, end to end; used_starts: where each begins.
    token: hashes of everybody's tokens, ascending, with token_row and token_self (owned, not excluded).
    """

    listed: BoolArray
    liked_only: BoolArray
    in_person: BoolArray
    max_class: npt.NDArray[np.uint8]
    min_class: npt.NDArray[np.uint8]
    traits: npt.NDArray[np.uint64]
    refuses: npt.NDArray[np.uint64]
    overlaps: npt.NDArray[np.uint64]
    overlap_starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    cells: npt.NDArray[np.uint64]
    used: BoolArray
    used_starts: npt.NDArray[np.int64]
    token: npt.NDArray[np.uint64]
    token_row: npt.NDArray[np.int32]
    token_self: BoolArray
    answers_seen: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, policy: Policy, people: Population, compiled: Compiled) -> "Plan":
        """Keep what `policy` made of `people`."""
        clauses = [clause for constraint in policy.constraints for clause in constraint.clauses(people)]
        sets = [_flags(clause.words) for clause in clauses if isinstance(clause, Overlaps)]
        kept = [np.asarray(flags.any(axis=0), bool) for flags in sets]
        token, row, own = _tokens(people)
        order = np.argsort(token, kind="stable")
        return cls(
            **{name: getattr(compiled, name) for name in _AS_COMPILED},
            cells=compiled.cell_numbers,
            used=np.concatenate([np.zeros(0, bool), *kept]),
            used_starts=np.cumsum([0, *(len(part) for part in kept)]),
            token=token[order],
            token_row=row[order],
            token_self=own[order],
            answers_seen=_answers_seen(people),
        )

    def arrays(self) -> Arrays:
        """Return everything but the answers seen, which are words."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "answers_seen"
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], seen: Mapping[str, Sequence[str]]) -> "Plan":
        """Take back what `arrays` and `answers_seen` gave."""
        names = [field.name for field in fields(cls) if field.name != "answers_seen"]
        return cls(**{name: arrays[name] for name in names}, answers_seen=seen)

    def may_show(self, policy: Policy, newcomer: Population) -> BoolArray:
        """Say who may be shown to the one person of `newcomer`, `(n,)` bool, by the rules of `policy`.

        Separations are not known here. A mandatory question of the newcomer on which nobody else insists is
        left to the caller, see `unseen_questions`.

        Raises InputError when `newcomer` is not one person.
        """
        if len(newcomer) != 1:
            raise InputError(explained("a newcomer is one person", got=f"{len(newcomer)} people"))
        clauses = [clause for one in policy.constraints for clause in self._clauses(one, newcomer)]
        allowed = self.listed & ~self.liked_only
        for gate in (clause for clause in clauses if isinstance(clause, Gate)):
            allowed &= gate.listed[0]
        allowed &= self._unrefused(clauses) & self._in_common(clauses) & self._in_reach(clauses)
        known = any(isinstance(constraint, Tokens | SamePerson) for constraint in policy.constraints)
        if known:
            allowed[self._met_by_token(policy, newcomer)] = False
        _only_known(clauses)
        return allowed

    def unseen_questions(self, newcomer: Population) -> list[tuple[str, tuple[str, ...]]]:
        """Return the newcomer's mandatory questions nobody else insists on, with what they accept."""
        said = newcomer.long.answers
        mine = said[said[C.MANDATORY] == True]  # noqa: E712 - null is not True
        return [
            (question, accepted if isinstance(accepted, tuple) else ())
            for question, accepted in zip(mine[C.QUESTION], mine[C.ACCEPTED], strict=True)
            if question not in self.answers_seen
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
        said = newcomer.long.answers
        public = said[said[C.VISIBILITY] == "public"].set_index(C.QUESTION)[C.ANSWER].to_dict()
        mine = said[said[C.MANDATORY] == True].set_index(C.QUESTION)[C.ACCEPTED].to_dict()  # noqa: E712
        return [
            _question(list(seen), public.get(question), mine.get(question), insists=question in mine)
            for question, seen in self.answers_seen.items()
        ]

    def _unrefused(self, clauses: Sequence[Clause]) -> BoolArray:
        refuses = [clause for clause in clauses if isinstance(clause, Refuses)]
        n_bits = [clause.n_bits for clause in refuses]
        traits = end_to_end([clause.traits for clause in refuses], n_bits, 1)[0]
        refused = end_to_end([clause.refuses for clause in refuses], n_bits, 1)[0]
        shut = np.zeros(len(self.listed), np.uint64)
        for word in range(self.traits.shape[1]):
            shut |= (self.traits[:, word] & refused[word]) | (self.refuses[:, word] & traits[word])
        return shut == 0

    def _in_common(self, clauses: Sequence[Clause]) -> BoolArray:
        shared = np.ones(len(self.listed), bool)
        sets = [clause for clause in clauses if isinstance(clause, Overlaps)]
        for number, (first, last) in enumerate(pairwise(self.overlap_starts.tolist())):
            used = self.used[self.used_starts[number] : self.used_starts[number + 1]]
            mine = pack_flags(_flags(sets[number].words)[:, used])[0]
            common = np.zeros(len(shared), bool)
            for word in range(first, last):
                common |= (self.overlaps[:, word] & mine[word - first]) != 0
            shared &= common
        return shared

    def _in_reach(self, clauses: Sequence[Clause]) -> BoolArray:
        limits = [clause for clause in clauses if isinstance(clause, CellLimit)]
        if not limits:
            return np.ones(len(self.listed), bool)
        mine = limits[0]
        reach = between_cells(mine.cells[:1], self.cells)[0][self.cell]
        too_far = (reach & 15) > np.minimum(mine.max_class[0], self.max_class)
        too_far &= self.in_person & mine.in_person[0]
        return ~too_far & ((reach >> 4) >= np.maximum(mine.min_class[0], self.min_class))

    def _met_by_token(self, policy: Policy, newcomer: Population) -> npt.NDArray[np.int32]:
        """Return the rows of people one of whose tokens meets one of the newcomer's."""
        colleagues = all(c.same_employer for c in policy.constraints if isinstance(c, Tokens))
        spaces = [*newcomer.long.tokens[C.NAMESPACE], *[_PERSON] * len(newcomer)]
        found = [np.zeros(0, np.int32)]
        for token, own, space in zip(*_tokens(newcomer)[::2], spaces, strict=False):
            start, stop = np.searchsorted(self.token, [token, token + np.uint64(1)])
            theirs = self.token_self[start:stop]
            meets = (theirs | own) & (colleagues | (space != "employer") | ~(theirs & own))
            found.append(self.token_row[start:stop][meets])
        return np.concatenate(found)


_AS_COMPILED = (
    "listed", "liked_only", "in_person", "max_class", "min_class", "traits", "refuses", "overlaps",
    "overlap_starts", "cell",
)  # fmt: skip


def _flags(words: npt.NDArray[np.uint64]) -> BoolArray:
    return unpack(words, 64 * words.shape[1])


def _tokens(people: Population) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32], BoolArray]:
    """Return a hash of every contact token and person token, whose it is, and whether it is their own."""
    table = people.long.tokens
    known = np.flatnonzero(pd.notna(people.person_tokens))
    texts = [f"{space}\0{value}" for space, value in zip(table[C.NAMESPACE], table[C.HMAC], strict=True)]
    texts += [f"{_PERSON}\0{value}" for value in people.person_tokens[known]]
    row = np.r_[table[C.ROW].to_numpy(np.int64), known].astype(np.int32)
    own = np.r_[(table[C.KIND] == "self").to_numpy(bool), np.ones(len(known), bool)]
    return hashed_strings(texts, salt="tokens"), row, own


def _answers_seen(people: Population) -> dict[str, list[str]]:
    """Return the questions somebody insists on, each with its public answers, in the order of their bits."""
    said = people.long.answers
    public = said[said[C.VISIBILITY] == "public"]
    asked = sorted(said.loc[said[C.MANDATORY] == True, C.QUESTION].unique())  # noqa: E712
    return {q: list(pd.factorize(public.loc[public[C.QUESTION] == q, C.ANSWER])[1]) for q in asked}


def _question(seen: list[str], answer: str | None, accepted: object, *, insists: bool) -> Refuses:
    are = np.zeros((1, len(seen) + 1), bool)
    are[0, seen.index(answer) if answer in seen else len(seen)] = True
    fits = accepted if isinstance(accepted, tuple) else ()
    refused = np.array([[insists and word not in fits for word in seen] + [insists]])
    return Refuses.of(are, refused)


def _only_known(clauses: Sequence[Clause]) -> None:
    """Refuse kinds of clause that were not looked at."""
    for clause in clauses:
        if not isinstance(clause, Gate | Refuses | Overlaps | CellLimit | Groups | ShownTo) and not (
            hasattr(clause, "pairs") and not len(clause.pairs)
        ):
            raise InputError(
                explained("a rule that newcomers cannot be held against", got=type(clause).__name__)
            )
