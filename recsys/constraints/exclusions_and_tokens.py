"""Pairs of people that are never shown to each other: exclusions, contact tokens, two accounts of one person.

Exclusions are blocks, reports, unsafe meetings, ends, passes and hides in force, and existing pairs. Tokens
are keyed HMACs; only their equality is ever used, within one namespace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints.base import (
    Clause,
    Constraint,
    ExcludedPairs,
    Gate,
    TokenGroups,
    has_any_word,
    wants_apart,
)
from recsys.data.csr import SparseRows, equal_keys
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.pair_keys import are_among, unordered_pair_keys
from recsys.data.population import Population
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class Tokens(Constraint):
    """No token of the one meets a token of the other.

    Two tokens of one namespace and equal value meet when both are a `self` token (the same phone,
    mailbox or employer) or one is `self` and the other `exclude`. Two people who exclude the same
    third person do not thereby meet.

    same_employer: keep people of one employer apart even when neither excluded it.
    """

    same_employer: bool = True
    name = "tokens"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether no token of the one equals one of the other, unless both only exclude."""
        tokens = people.long.tokens
        row, namespace = tokens[C.ROW].to_numpy(np.int64), tokens[C.NAMESPACE].to_numpy(object)
        (space, _), (word, words) = (pd.factorize(tokens[name]) for name in (C.NAMESPACE, C.HMAC))
        value = pd.factorize(space * max(len(words), 1) + word)[0]
        (mine, a), (theirs, b) = (equal_keys(rows, row) for rows in (i, j))
        left, right = equal_keys(mine * len(value) + value[a], theirs * len(value) + value[b])
        a, b = a[left], b[right]
        kind = tokens[C.KIND].to_numpy(object)
        is_self, excludes, of_work = kind == "self", kind == "exclude", namespace == "employer"
        colleagues = is_self[a] & is_self[b] & of_work[a]
        meets = ~(excludes[a] & excludes[b]) & (self.same_employer | ~colleagues)
        allowed = np.ones(len(i), bool)
        allowed[mine[left[meets]]] = False
        return allowed

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a group per namespace and value: `self` owns it, `exclude` avoids it."""
        tokens = people.long.tokens
        group, distinct = pd.factorize(pd.MultiIndex.from_frame(tokens[[C.NAMESPACE, C.HMAC]]))
        entries = np.column_stack([tokens[C.ROW].to_numpy(np.int64), group]).astype(np.int32)
        is_self = (tokens[C.KIND] == "self").to_numpy(bool)
        own, avoided = entries[is_self], entries[~is_self]
        if self.same_employer:
            return [TokenGroups(own, avoided, len(distinct))]
        employer = (tokens[C.NAMESPACE] == "employer").to_numpy(bool)
        return [
            TokenGroups(entries[is_self & ~employer], entries[~is_self & ~employer], len(distinct)),
            _one_group_each(entries[is_self & employer], entries[~is_self & employer]),
        ]


def _one_group_each(own: npt.NDArray[np.int32], avoided: npt.NDArray[np.int32]) -> TokenGroups:
    """Give every owner a group of their own, so that owners of one value do not meet each other."""
    owners = pd.DataFrame({C.ROW: own[:, 0], "value": own[:, 1], "group": np.arange(len(own))})
    avoiders = pd.DataFrame({C.ROW: avoided[:, 0], "value": avoided[:, 1]})
    met = avoiders.merge(owners[["value", "group"]], on="value")
    return TokenGroups(
        own=owners[[C.ROW, "group"]].to_numpy(np.int32),
        avoided=met[[C.ROW, "group"]].to_numpy(np.int32),
        n_groups=len(own),
    )


@dataclass(frozen=True)
class SamePerson(Constraint):
    """Both are different people, and each is the one account of the person that takes part.

    An unknown token is nobody else's. Of several accounts with one token one takes part that has all that the
    standard rules ask of an account alone, where one has it; else an active one, with boundaries, accepted
    terms and a proof of age. Of these it is the one seen most recently, then the lesser id. So nobody stands
    in a list twice, and nobody is missing because the account that lacks something takes part.

    verification: the tier needed to be listed.
    """

    verification: str = "age"
    name = "same_person"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether the tokens differ where both are known, and no other account comes before either."""
        person = persons(people)  # whoever has no token is nobody else's account
        first = ~_comes_after_another_account(people, self.verification)
        return (i != j) & (person[i] != person[j]) & first[i] & first[j]

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a group per token that two accounts share, and a gate for the account that takes part."""
        group, tokens = pd.factorize(people.person_tokens)
        rows = np.flatnonzero(group >= 0)
        own = np.column_stack([rows, group[rows]]).astype(np.int32)
        lacks = (
            ~_has_what_is_asked(people, self.verification),
            ~people.is_word(C.ACCOUNT_STATE, "active"),
            ~people.has_boundaries,
            ~people.relations.accepted,
            people.codes(C.VERIFICATION) < 1,
            people.codes(C.ACTIVITY).astype(np.uint8),  # unknown, -1, is the largest
        )
        order = rows[np.lexsort([column[rows] for column in reversed(lacks)])]  # rows are in the order of ids
        listed = np.ones(len(people), bool)
        listed[order] = ~pd.Series(group[order]).duplicated().to_numpy(bool)
        return [TokenGroups(own=own, avoided=np.empty((0, 2), np.int32), n_groups=len(tokens)), Gate(listed)]


_ASKED_WORDS: Final = (
    *(C.AGE_BAND, C.HOUSEHOLD_STATUS, C.DISCRETION, C.CONTACT_FREQUENCY, C.MAX_DISTANCE_KM, C.TZ),
    *(C.ROMANCE_LINE, C.PHYSICAL_LINE, C.FINANCIAL_LINE, C.ACTIVITY),
)
_ASKED_SETS: Final = (
    *(C.ACCEPTS_HOUSEHOLD_STATUS, C.INTENTS, C.LANGUAGES, C.CHANNELS, C.CONTACT_WINDOWS, C.MEETING_SETTINGS),
)
_TIERS: Final = ENUMERATIONS[C.VERIFICATION]


def _has_what_is_asked(people: Population, verification: str) -> BoolArray:
    """Say which accounts have all that the standard rules ask of an account alone, `(n_people,)`."""
    found = people.is_word(C.ACCOUNT_STATE, "active") & people.relations.accepted
    tier = _TIERS.code(verification)
    found &= (people.codes(C.VERIFICATION) >= tier) & (people.relations.proved >= tier)
    found &= ~people.is_word(C.ACTIVITY, "dormant") & (wants_apart(people) | people.known(C.CELL))
    for column in _ASKED_WORDS:
        found &= people.known(column)
    for column in _ASKED_SETS:
        found &= has_any_word(people, column)
    return found


def _comes_after_another_account(people: Population, verification: str) -> BoolArray:
    """Say which accounts share a token with one that comes before them, `(n_people,)`."""
    person = persons(people)
    shared = np.flatnonzero(np.bincount(person, minlength=len(people))[person] > 1)
    good = [
        _has_what_is_asked(people, verification),
        people.is_word(C.ACCOUNT_STATE, "active"),
        people.has_boundaries,
        people.relations.accepted,
        people.known(C.VERIFICATION) & ~people.is_word(C.VERIFICATION, "none"),
        *(people.is_word(C.ACTIVITY, word) for word in ENUMERATIONS[C.ACTIVITY].words),
    ]
    after = np.zeros(len(people), bool)
    best: dict[int, int] = {}
    for row, one in zip(shared.tolist(), person[shared].tolist(), strict=True):
        before = best.setdefault(one, row)
        if before != row:
            better = [bool(column[row]) for column in good] > [bool(column[before]) for column in good]
            after[before if better else row] = True
            best[one] = row if better else before
    return after


_PERSONS: Final = "persons"
"""Where the persons are kept beside the people: lists are checked some at a time, each among everybody."""


def persons(people: Population) -> npt.NDArray[np.int64]:
    """Return the first row of each account's person, `(n_people,)` int64; no token, no other account.

    >>> from dataclasses import replace
    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> people = replace(people, person_tokens=np.array(["t", None, "t"], dtype=object))
    >>> persons(people).tolist()
    [0, 1, 0]
    """
    known: npt.NDArray[np.int64] | None = people.__dict__.get(_PERSONS)
    if known is None:
        own = np.arange(len(people))
        group, distinct = pd.factorize(people.person_tokens)
        first = np.full(len(distinct), len(people))
        np.minimum.at(first, group[group >= 0], own[group >= 0])
        known = np.where(group >= 0, first[group] if len(distinct) else own, own)
        people.__dict__[_PERSONS] = known
    return known


@dataclass(frozen=True)
class Exclusions(Constraint):
    """Nothing separates the two, under any of their accounts.

    A separation holds between persons: an account opened anew with the same person token stays
    separated from everybody the earlier one was separated from.
    """

    name = "separations"

    def text_name(self, people: Population, i: int, j: int) -> str:
        """Return `matched` where the two are matched already and nothing else stands between them."""
        person, found = persons(people), people.relations
        pairs = np.sort(person[found.excluded], axis=1)
        between = (pairs == np.sort(person[[i, j]])).all(axis=1)
        reasons = {EXCLUSION_REASONS[code] for code in found.reason[between]}
        return "matched" if reasons == {"matched"} else self.name

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether the two persons are not among the separated pairs of persons."""
        person, n_people = persons(people), len(people)
        apart = person[people.relations.excluded]
        known = unordered_pair_keys(apart[:, 0], apart[:, 1], n_people)
        return ~are_among(unordered_pair_keys(person[i], person[j], n_people), known)

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return every separated pair, spread over all accounts of the two persons."""
        pairs = people.relations.excluded
        person = persons(people)
        accounts = SparseRows.of(person, np.arange(len(people)), len(people))
        size = np.diff(accounts.indptr)
        first, second = person[pairs[:, 0]], person[pairs[:, 1]]
        copies = size[first] * size[second]
        at = np.repeat(np.arange(len(pairs)), copies)
        turn = np.arange(len(at)) - np.repeat(np.cumsum(copies) - copies, copies)
        left = accounts.indices[accounts.indptr[first][at] + turn // size[second][at]]
        right = accounts.indices[accounts.indptr[second][at] + turn % size[second][at]]
        spread = np.column_stack([left, right]).astype(np.int32)
        return [ExcludedPairs(spread[left != right])]
