"""What the operator of a town knows on an evening: people, relations, and who may be listed."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.history.companions import full_lives
from recsys.history.events import Events
from recsys.history.separations import relations
from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.schema.population import Population
from recsys.simulation.town import Town
from recsys.storage.load import load_population


@dataclass(frozen=True, eq=False)
class Evening:
    """One copy of the town as its tables tell it on one evening.

    people: everybody who has joined, with what stands between them. compiled: the rules over them;
    who has as many companions as they wish for is not listed.
    """

    people: Population
    compiled: Compiled
    policy: Policy

    @classmethod
    def of(
        cls, town: Town, members: Population, policy: Policy, members_rules: Compiled | None = None
    ) -> "Evening":
        """Read the events and safety tables of one copy; `members` are the people of that evening.

        members_rules: the policy compiled for `members`, when it serves several copies.
        """
        deeds = _deeds(town)
        between = relations(deeds, town.tables[T.BLOCKS], town.tables[T.REPORTS], members.ids, town.as_of)
        people = replace(members.with_relations(between), held=_held(town, members))
        compiled = _compiled(members_rules, policy, people)
        compiled = replace(compiled, listed=compiled.listed & ~full_lives(people, deeds))
        return cls(people, compiled, policy)

    def forbidden(self, lists: pd.DataFrame) -> int:
        """Count the pairs of lists that the plain form of the rules does not allow."""
        viewer, candidate = (self.people.ids.rows(lists[c]) for c in (C.VIEWER, C.CANDIDATE))
        return int((~self.policy.may_show(self.people, viewer, candidate)).sum())


_BETWEEN: Final = ("account", "separations", "discretion")
"""Constraints that read holds and what stands between people; the others read the members alone."""


def _compiled(members_rules: Compiled | None, policy: Policy, people: Population) -> Compiled:
    """Return `policy.compile(people)`; only what differs between copies is compiled anew."""
    if members_rules is None:
        return policy.compile(people)
    own = Policy(tuple(rule for rule in policy.constraints if rule.name in _BETWEEN)).compile(people)
    return replace(
        members_rules,
        listed=members_rules.listed & own.listed,
        separated_indptr=own.separated_indptr,
        separated_indices=own.separated_indices,
        liked_only=own.liked_only,
        suggestible=own.suggestible,
        liked_indptr=own.liked_indptr,
        liked_indices=own.liked_indices,
    )


def members_of(town: Town) -> Population:
    """Return the people of a town on an evening, with nothing between them; the same for every copy."""
    own = {name: table for name, table in town.tables.items() if name not in (T.EVENTS, T.BLOCKS, T.REPORTS)}
    return load_population(own, town.as_of)


def _deeds(town: Town) -> Events:
    """Return all events but exposures, of which the rules know nothing."""
    events = town.tables[T.EVENTS]
    return Events.of(events[events[C.TYPE] != "impression"])


def _held(town: Town, members: Population) -> np.ndarray:
    holds = town.tables[T.HOLDS]
    last = holds.sort_values(C.TS, kind="stable").drop_duplicates(C.USER, keep="last")
    rows = members.ids.find(last.loc[last[C.STATE] == "active", C.USER])
    held = np.zeros(len(members), bool)
    held[rows[rows >= 0]] = True
    return held
