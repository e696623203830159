"""The facts that stages need, for every pair with a history at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.history.events import CodedEvents
from recsys.history.stage_facts import ENDINGS, REQUESTS, RISKY_PLANS, SAFE
from recsys.history.stance import matched_pairs
from recsys.schema.catalogue.stages import Stages
from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_TIERS = ENUMERATIONS[C.VERIFICATION].words
_MICROSECONDS_A_DAY: Final = 86_400_000_000
_LATE: Final = np.iinfo(np.int64).max
_EARLY: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Between:
    """Events between two people, each with its unordered pair and the side that acted.

    pair: `(n_pairs,)` int64 `low * n_people + high`, ascending. row: positions of the events in `coded`;
    group: the pair of each; side: 0 when the lower of the two acted, else 1.
    """

    coded: CodedEvents
    pair: Numbers
    row: Numbers
    group: npt.NDArray[np.intp]
    side: npt.NDArray[np.intp]

    @classmethod
    def of(cls, coded: CodedEvents) -> "Between":
        """Return the events between two people."""
        row = np.flatnonzero((coded.target >= 0) & (coded.actor != coded.target))
        actor, target = coded.actor[row], coded.target[row]
        low, high = np.minimum(actor, target), np.maximum(actor, target)
        pair, group = np.unique(low * max(len(coded.people), 1) + high, return_inverse=True)
        return cls(coded, pair, row, group, (actor != low).astype(np.intp))

    @cached_property
    def people(self) -> npt.NDArray[np.int64]:
        """Both people of each pair, lower first, `(n_pairs, 2)`."""
        width = max(len(self.coded.people), 1)
        return np.column_stack([self.pair // width, self.pair % width])

    def any(self, chosen: Mask) -> Mask:
        """Say which pairs have any of the chosen events."""
        found = np.zeros(len(self.pair), bool)
        found[self.group[chosen[self.row]]] = True
        return found

    def each(self, chosen: Mask) -> Mask:
        """Say which side of each pair has any of the chosen events, `(n_pairs, 2)`."""
        found, rows = np.zeros((len(self.pair), 2), bool), chosen[self.row]
        found[self.group[rows], self.side[rows]] = True
        return found

    def first(self, chosen: Mask) -> Numbers:
        """Return when each side first did any of the chosen, `(n_pairs, 2)`; the latest time if never."""
        found, rows = np.full((len(self.pair), 2), _LATE), chosen[self.row]
        np.minimum.at(found, (self.group[rows], self.side[rows]), self.coded.ts[self.row[rows]])
        return found

    def last(self, chosen: Mask) -> Numbers:
        """Return when each side last did any of the chosen, `(n_pairs, 2)`; the earliest time if never."""
        found, rows = np.full((len(self.pair), 2), _EARLY), chosen[self.row]
        np.maximum.at(found, (self.group[rows], self.side[rows]), self.coded.ts[self.row[rows]])
        return found


def tiers(coded: CodedEvents) -> npt.NDArray[np.int8]:
    """Return the tier each person was last verified at, `(n_people,)` int8."""
    found = coded.detailed("verified", *_TIERS) & (coded.target < 0)
    rows = np.flatnonzero(found)
    last = np.full(len(coded.people), -1)
    np.maximum.at(last, coded.actor[rows], rows)
    code = {tier: number for number, tier in enumerate(_TIERS)}
    tier = np.zeros(len(coded.people), np.int8)
    tier[last >= 0] = [code[str(word)] for word in coded.detail[last[last >= 0]]]
    return tier


def alone(coded: CodedEvents, chosen: Mask) -> Mask:
    """Say which people have any of the chosen events that name nobody else, `(n_people,)` bool."""
    found = np.zeros(len(coded.people), bool)
    found[coded.actor[chosen & (coded.target < 0)]] = True
    return found


def opted_in(between: Between, what: str) -> Mask:
    """Say in which pairs both opted in to `what`, towards the other or anybody."""
    chosen = between.coded.detailed("optin", what)
    anybody = alone(between.coded, chosen)[between.people]
    return _both(between.each(chosen) | anybody)


def pair_facts(between: Between, stages: Stages) -> Mapping[str, Mask]:
    """Return each fact of `FACTS` for every pair, `(n_pairs,)` bool; equal to `stage_facts` pair by pair."""
    coded, people = between.coded, between.people
    terms, tier = alone(coded, coded.are("terms_accepted")), tiers(coded)
    erased = alone(coded, coded.are("erase"))
    safe = coded.detailed("meet_feedback", *SAFE)
    met_safely = _both(between.each(safe))
    width = max(len(coded.people), 1)
    return {
        "both_accepted_terms": _both(terms[people]),
        "both_proved_age": _both(tier[people] >= _TIERS.index("age")),
        "both_liked": np.isin(between.pair, matched_pairs(coded) @ np.array([width, 1])),
        "wrote_for_days": _wrote_for(between, stages.days_of_writing),
        "replied_each": _both(_replies(between) >= stages.replies_each),
        "nothing_flagged": ~_flagged(between, safe, met_safely),
        "both_opted_in_to_meet": opted_in(between, "meet"),
        "both_proved_identity": _both(tier[people] >= _TIERS.index("id")),
        "both_agreed_rules": _both(between.each(coded.are("rules_agreed"))),
        "both_met_safely": met_safely,
        "ended": between.any(coded.are(*ENDINGS) | coded.detailed("meet_feedback", "unsafe"))
        | erased[people].any(axis=1),
    }


def _both(sides: Mask) -> Mask:
    """Say where both columns of `(n_pairs, 2)` hold."""
    return sides[:, 0] & sides[:, 1]


def _wrote_for(between: Between, days: float) -> Mask:
    messages = between.coded.are("message")
    wrote = between.any(messages)
    first = np.where(wrote, between.first(messages).min(axis=1), 0)
    last = np.where(wrote, between.last(messages).max(axis=1), 0)
    return np.asarray(last - first >= days * _MICROSECONDS_A_DAY, bool)


def _replies(between: Between) -> npt.NDArray[np.float64]:
    """Count what each side sent after first hearing from the other, `(n_pairs, 2)`."""
    coded = between.coded
    messages = coded.are("message")
    heard = between.first(messages)[:, ::-1]
    chosen = messages[between.row]
    row, group, side = between.row[chosen], between.group[chosen], between.side[chosen]
    reply = coded.ts[row] > heard[group, side]
    sent = np.zeros((len(between.pair), 2))
    np.add.at(sent, (group[reply], side[reply]), coded.count[row[reply]])
    return sent


def _flagged(between: Between, safe: Mask, met_safely: Mask) -> Mask:
    coded = between.coded
    asked = coded.are(*REQUESTS) | coded.detailed("feeling_check", "pressured")
    trusted = np.where(met_safely, between.first(safe).max(axis=1), _LATE)
    plans = coded.detailed("meet_planned", *RISKY_PLANS)
    early = np.zeros(len(plans), bool)
    early[between.row] = coded.ts[between.row] < trusted[between.group]
    return between.any(asked | (plans & early))
