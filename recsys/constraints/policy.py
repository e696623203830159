"""A policy: named constraints that must all say yes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.entries import Language
from recsys.constraints.account import Account, Activity, Terms, Verified
from recsys.constraints.base import Constraint, checked_pairs
from recsys.constraints.boundaries import (
    Channels,
    ContactFrequency,
    ContactHours,
    FinancialLine,
    MeetingSettings,
    PhysicalLine,
    RomanceLine,
)
from recsys.constraints.compiled import Compiled, compile_clauses
from recsys.constraints.distance import Distance
from recsys.constraints.exclusions_and_tokens import Exclusions, SamePerson, Tokens, persons
from recsys.constraints.mandatory_answers import MandatoryAnswers
from recsys.constraints.profile import (
    AgeBands,
    Discretion,
    Genders,
    HouseholdStatus,
    Intents,
    Languages,
)
from recsys.constraints.why_not import WhyNot, constraint_text, why_not
from recsys.data.population import Population
from recsys.data.proofs import tier_of
from recsys.errors import InputError, did_you_mean, explained
from recsys.parallel import map_in_threads, n_threads
from recsys.types import BoolArray, Int32Array


@dataclass(frozen=True)
class Policy:
    """A frozen set of constraints; a pair may meet when every one of them allows it.

    Constraints join with `&` alone, so joining can only take pairs away. `version` names the exact
    rules and their settings; two policies with the same rules have the same version.

    >>> policy = Policy.default()
    >>> policy == policy & policy
    True
    >>> (policy & Policy.default(verification="id")).version == policy.version
    False
    """

    constraints: tuple[Constraint, ...]
    version: str = field(default="")

    def __post_init__(self) -> None:
        distinct = tuple(dict.fromkeys(self.constraints))
        object.__setattr__(self, "constraints", distinct)
        if not self.version:
            object.__setattr__(self, "version", _version(distinct))

    @property
    def verification(self) -> str:
        """The tier that its rules ask of everybody; any that proves an age where they ask for none.

        >>> Policy.default(verification="id").verification
        'id'
        """
        asked = [one.tier for one in self.constraints if isinstance(one, Verified)]
        return max(asked, key=tier_of, default="age")

    @classmethod
    @checked_arguments
    def default(cls, *, verification: str = "age", same_employer: bool = True) -> "Policy":
        """Return every rule of the package.

        verification: the tier needed to be listed. same_employer: keep people of one employer apart.
        """
        return cls(standard_constraints(verification=verification, same_employer=same_employer))

    def _repr_html_(self) -> str:
        return f"<p>{self.version}</p>{self.summary().to_html()}"

    @checked_arguments
    def summary(self, lang: Language = "en") -> pd.DataFrame:
        """Return one row a rule, in order: what it says of two people it keeps apart, in words.

        >>> Policy.default().summary().loc["languages", "keeps apart"]
        'They have no language in common'
        """
        words = [constraint_text(name).text(lang) for name in self.names]
        return pd.DataFrame({"keeps apart": words}, index=pd.Index(self.names, name="constraint"))

    @property
    def names(self) -> tuple[str, ...]:
        """The constraints' names, in order."""
        return tuple(constraint.name for constraint in self.constraints)

    def __and__(self, other: "Policy | Constraint") -> "Policy":
        if isinstance(other, Policy):
            return Policy(self.constraints + other.constraints)
        if isinstance(other, Constraint):
            return Policy((*self.constraints, other))
        return NotImplemented

    @checked_arguments
    def without(self, *names: str) -> "Policy":
        """Return the policy without some rules, to ask "what if"; never for what is published.

        Raises InputError for a rule that is not there, with the nearest name.

        >>> "languages" in Policy.default().without("languages").names
        False
        """
        for name in names:
            if name not in self.names:
                raise InputError(explained("no such rule", got=name, remedy=did_you_mean(name, self.names)))
        return Policy(tuple(one for one in self.constraints if one.name not in names))

    @checked_arguments
    def may_meet(self, people: Population, i: npt.ArrayLike, j: npt.ArrayLike) -> BoolArray:
        """Say by the plain definition for aligned rows whether the two may meet, `(n_pairs,)` bool."""
        a, b = checked_pairs(i, j, len(people))
        allowed = a != b
        for constraint in self.constraints:
            allowed &= constraint.allows(people, a, b)
        return allowed

    @checked_arguments
    def may_show(self, people: Population, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> BoolArray:
        """Say by the plain definition whether the candidate may be shown; implies `may_meet`."""
        a, b = checked_pairs(viewer, candidate, len(people))
        shown = self.may_meet(people, a, b)
        for constraint in self.constraints:
            shown &= constraint.shows(people, a, b)
        return shown

    @checked_arguments
    def why_not(self, people: Population, i: int, j: int) -> list[WhyNot]:
        """Return the constraints that keep the people at rows `i` and `j` apart, in words.

        For operators and tests only, never for a member: it names what was left out and why.
        """
        (first,), (second,) = checked_pairs([i], [j], len(people))
        return why_not(self.constraints, people, int(first), int(second))

    @checked_arguments
    def compile(self, people: Population) -> Compiled:
        """Return the same rules as arrays over `people`; asked again of the same, what was made before."""
        policy, known = _COMPILED.get(people, (None, None))
        if policy is self and known is not None:
            return known
        clauses = [clause for constraint in self.constraints for clause in constraint.clauses(people)]
        compiled = compile_clauses(clauses, people)
        _COMPILED[people] = self, compiled
        return compiled


_COMPILED: Final[WeakKeyDictionary[Population, tuple[Policy, Compiled]]] = WeakKeyDictionary()
"""The last rules compiled over each population that is still in use."""


def _version(constraints: Iterable[Constraint]) -> str:
    text = "\n".join(sorted(f"{c.name} {type(c).__qualname__} {c!r}" for c in constraints))
    return f"policy-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def standard_constraints(*, verification: str = "age", same_employer: bool = True) -> tuple[Constraint, ...]:
    """Return one of each.

    >>> len(standard_constraints())
    22
    """
    return (
        Account(),
        Activity(),
        Terms(),
        Verified(verification),
        Discretion(),
        AgeBands(),
        Genders(),
        HouseholdStatus(),
        Intents(),
        Languages(),
        Distance(),
        ContactFrequency(),
        Channels(),
        ContactHours(),
        MeetingSettings(),
        RomanceLine(),
        PhysicalLine(),
        FinancialLine(),
        MandatoryAnswers(),
        Exclusions(),
        Tokens(same_employer),
        SamePerson(verification),
    )


_PAIRS_AT_ONCE: Final = 500_000
_MANY_PEOPLE: Final = 500_000
"""People from which half as many pairs are asked about at once, since what is copied of those named takes
as much memory as the rules take of the pairs."""
_CHECKS_AT_ONCE: Final = 2


def may_show_each(policy: Policy, people: Population, viewer: Int32Array, candidate: Int32Array) -> BoolArray:
    """Say of aligned rows what `policy.may_show` says, in bounded memory, `(n_pairs,)`.

    A rule looks at two people and their other accounts. So pairs are asked about some at a time, among
    the people it names and all of their accounts, and what it costs does not grow with everybody else. Of
    very many pairs two parts are asked about at once.
    """
    person = persons(people) if len(viewer) else np.zeros(0, np.int64)
    allowed = np.empty(len(viewer), bool)
    at_once = _PAIRS_AT_ONCE if len(people) < _MANY_PEOPLE else _PAIRS_AT_ONCE // 2

    def check(start: int) -> None:
        part = slice(start, start + at_once)
        named = np.zeros(len(people), bool)
        named[person[viewer[part]]] = named[person[candidate[part]]] = True
        rows = np.flatnonzero(named[person])
        if 2 * len(rows) > len(people):
            allowed[part] = policy.may_show(people, viewer[part], candidate[part])
        else:
            i, j = (np.searchsorted(rows, asked[part]).astype(np.int32) for asked in (viewer, candidate))
            allowed[part] = policy.may_show(people.take(rows), i, j)

    starts = range(0, len(viewer), at_once)
    if len(starts) > 1:
        map_in_threads(check, starts, min(n_threads(), _CHECKS_AT_ONCE))
    elif starts:
        check(0)
    return allowed
