"""Stages of pairs: how far two people have come, computed from events alone, as of a time.

`pair_stages` computes all pairs with a history at once, `pair_stage` one. A stage is reached when the facts
it needs are true (`pair_facts`); the catalogue says which facts a stage needs.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.stages import CLOSED, DISCLOSURES, UNLISTED, Stages
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS
from recsys.data.events import CodedEvents, Events
from recsys.data.exclusions import matches, standing_blocks
from recsys.data.pair_keys import unordered_pair_keys
from recsys.data.proofs import tiers
from recsys.data.times import MICROSECONDS_A_DAY, as_utc
from recsys.types import BoolArray, Int8Array, Int64Array

_TIERS = ENUMERATIONS[C.VERIFICATION].words
_LATE: Final = np.iinfo(np.int64).max
_EARLY: Final = np.iinfo(np.int64).min
_ONGOING: Final = "ongoing"

PUBLIC_BY_DAY: Final = ("cafe_day", "lunch", "public_event", "group", "class", "online_only")
DAYTIME: Final = ("early", "day")
ENDINGS: Final = ("end", "report")
"""Events that close a pair, beside a block that stands."""
REQUESTS: Final = ("off_platform_request", "money_request")
SAFE: Final = ("safe_again", "safe_once")


def by_day_in_public(plan: object) -> bool:
    """Say whether a planned meeting is by day and in public, the only kind before there is trust.

    >>> by_day_in_public("lunch/day"), by_day_in_public("private/day"), by_day_in_public("cafe_day/evening")
    (True, False, False)
    """
    setting, _, part = str(plan).partition("/")
    return setting in PUBLIC_BY_DAY and part in DAYTIME


RISKY_PLANS: Final = tuple(plan for plan in EVENT_DETAILS["meet_planned"] if not by_day_in_public(plan))


@dataclass(frozen=True, eq=False)
class PairEvents:
    """Events between two people, each with its unordered pair and the side that acted.

    pair: `(n_pairs,)` int64 `low * n_people + high`, ascending. row: positions of the events in `coded`;
    group: the pair of each; side: 0 when the lower of the two acted, else 1.
    """

    coded: CodedEvents
    pair: Int64Array
    row: Int64Array
    group: npt.NDArray[np.intp]
    side: npt.NDArray[np.intp]

    @classmethod
    def of(cls, coded: CodedEvents) -> "PairEvents":
        """Return the events between two people."""
        row = np.flatnonzero((coded.target >= 0) & (coded.actor != coded.target))
        actor, target = coded.actor[row], coded.target[row]
        keys = unordered_pair_keys(actor, target, len(coded.people))
        pair, group = np.unique(keys, return_inverse=True)
        return cls(coded, pair, row, group, (actor > target).astype(np.intp))

    @cached_property
    def people(self) -> npt.NDArray[np.int64]:
        """Both people of each pair, lower first, `(n_pairs, 2)`."""
        width = max(len(self.coded.people), 1)
        return np.column_stack([self.pair // width, self.pair % width])

    def any(self, chosen: BoolArray) -> BoolArray:
        """Say which pairs have any of the chosen events."""
        found = np.zeros(len(self.pair), bool)
        found[self.group[chosen[self.row]]] = True
        return found

    def each(self, chosen: BoolArray) -> BoolArray:
        """Say which side of each pair has any of the chosen events, `(n_pairs, 2)`."""
        found, rows = np.zeros((len(self.pair), 2), bool), chosen[self.row]
        found[self.group[rows], self.side[rows]] = True
        return found

    def first(self, chosen: BoolArray) -> Int64Array:
        """Return when each side first did any of the chosen, `(n_pairs, 2)`; the latest time if never."""
        found, rows = np.full((len(self.pair), 2), _LATE), chosen[self.row]
        np.minimum.at(found, (self.group[rows], self.side[rows]), self.coded.ts[self.row[rows]])
        return found

    def last(self, chosen: BoolArray) -> Int64Array:
        """Return when each side last did any of the chosen, `(n_pairs, 2)`; the earliest time if never."""
        found, rows = np.full((len(self.pair), 2), _EARLY), chosen[self.row]
        np.maximum.at(found, (self.group[rows], self.side[rows]), self.coded.ts[self.row[rows]])
        return found


def alone(coded: CodedEvents, chosen: BoolArray) -> BoolArray:
    """Say which people have any of the chosen events that name nobody else, `(n_people,)` bool."""
    found = np.zeros(len(coded.people), bool)
    found[coded.actor[chosen & (coded.target < 0)]] = True
    return found


@dataclass(frozen=True, eq=False)
class PersonFacts:
    """What people did that names nobody else, `(n_people,)` each.

    terms: accepted the terms; erased: asked to be; meets: opted in to meet anybody; tier: int8, last proved.
    """

    terms: BoolArray
    erased: BoolArray
    meets: BoolArray
    tier: Int8Array

    @classmethod
    def of(cls, coded: CodedEvents) -> "PersonFacts":
        """Read them from all events."""
        terms, erased = (alone(coded, coded.are(kind)) for kind in ("terms_accepted", "erase"))
        return cls(terms, erased, alone(coded, coded.detailed("optin", "meet")), tiers(coded))


def opted_in(between: PairEvents, what: str, anybody: BoolArray | None = None) -> BoolArray:
    """Say in which pairs both opted in to `what`, towards the other or anybody.

    anybody: `(n_people,)`, who did towards anybody; read from the same events when None.
    """
    chosen = between.coded.detailed("optin", what)
    towards_all = alone(between.coded, chosen) if anybody is None else anybody
    return _both(between.each(chosen) | towards_all[between.people])


def pair_facts(
    between: PairEvents, stages: Stages, persons: PersonFacts | None = None
) -> Mapping[str, BoolArray]:
    """Return each fact of `FACTS` for every pair of `between`, `(n_pairs,)` bool.

    persons: what each did alone; read from the same events when None.
    """
    coded, people = between.coded, between.people
    alone_ = PersonFacts.of(coded) if persons is None else persons
    terms, tier, erased = alone_.terms, alone_.tier, alone_.erased
    matched = _matched_since(between)
    since_match = _after(between, matched)
    planned = between.first(coded.are("meet_planned") & since_match).min(axis=1)
    safe = coded.detailed("meet_feedback", *SAFE) & _after(between, planned)
    met_safely = _both(between.each(safe))
    wrote = coded.are("message") & since_match
    return {
        "both_accepted_terms": _both(terms[people]),
        "both_proved_age": _both(tier[people] >= _TIERS.index("age")),
        "both_liked": matched < _LATE,
        "wrote_for_days": _days_both_wrote(between, wrote) >= stages.days_of_writing,
        "replied_each": _both(_days_replied(between, wrote) >= stages.replies_each),
        "nothing_flagged": ~_flagged(between, safe, met_safely),
        "both_opted_in_to_meet": opted_in(between, "meet", alone_.meets),
        "both_proved_identity": _both(tier[people] >= _TIERS.index("id")),
        "both_agreed_rules": _both(between.each(coded.are("rules_agreed") & since_match)),
        "both_met_safely": met_safely,
        "ended": between.any(
            coded.are(*ENDINGS) | standing_blocks(coded) | coded.detailed("meet_feedback", "unsafe")
        )
        | erased[people].any(axis=1),
    }


def _both(sides: BoolArray) -> BoolArray:
    """Say where both columns of `(n_pairs, 2)` hold."""
    return sides[:, 0] & sides[:, 1]


def _matched_since(between: PairEvents) -> Int64Array:
    """Return since when each pair is matched, `(n_pairs,)` microseconds; the latest time if it never was."""
    pairs, ts = matches(between.coded)
    found = np.full(len(between.pair), _LATE)
    width = max(len(between.coded.people), 1)
    found[np.searchsorted(between.pair, pairs @ np.array([width, 1]))] = ts
    return found


def _after(between: PairEvents, since: Int64Array) -> BoolArray:
    """Say which events between two people came after a time of their pair, `(n_events,)` bool."""
    found = np.zeros(len(between.coded.ts), bool)
    found[between.row] = between.coded.ts[between.row] > since[between.group]
    return found


def _days_both_wrote(between: PairEvents, wrote: BoolArray) -> Int64Array:
    """Count the days, in UTC, on which both wrote, `(n_pairs,)`; how much they wrote does not count."""
    group, _, day = _written_days(between, wrote[between.row])
    same = (group[1:] == group[:-1]) & (day[1:] == day[:-1])  # each day of a side stands once
    return np.bincount(group[1:][same], minlength=len(between.pair))


def _days_replied(between: PairEvents, wrote: BoolArray) -> Int64Array:
    """Count the days on which each side wrote after first hearing from the other, `(n_pairs, 2)`."""
    heard = between.first(wrote)[:, ::-1]
    reply = between.coded.ts[between.row] > heard[between.group, between.side]
    group, side, _ = _written_days(between, wrote[between.row] & reply)
    found = np.zeros((len(between.pair), 2), np.int64)
    np.add.at(found, (group, side), 1)
    return found


def _written_days(
    between: PairEvents, chosen: BoolArray
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Int64Array]:
    """Return pair, side and day of the chosen events of `between`, each day once, by pair and day."""
    day = between.coded.ts[between.row[chosen]] // MICROSECONDS_A_DAY
    group, side = between.group[chosen], between.side[chosen]
    order = np.lexsort((side, day, group))
    columns = [column[order] for column in (group, side, day)]
    new = np.ones(len(order), bool)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return columns[0][new], columns[1][new], columns[2][new]


def _flagged(between: PairEvents, safe: BoolArray, met_safely: BoolArray) -> BoolArray:
    coded = between.coded
    asked = coded.are(*REQUESTS) | coded.detailed("feeling_check", "pressured")
    trusted = np.where(met_safely, between.first(safe).max(axis=1), _LATE)
    plans = coded.detailed("meet_planned", *RISKY_PLANS)
    early = np.zeros(len(plans), bool)
    early[between.row] = coded.ts[between.row] < trusted[between.group]
    return between.any(asked | (plans & early))


USER_A, USER_B, STAGE = "user_a", "user_b", "stage"


@dataclass(frozen=True, eq=False)
class PairStages:
    """The stages of all pairs of some people; build it with `pair_stages`.

    people: ids, ascending. closed, listed: `(n_people,)` bool, whose every pair is closed, and who may be
    listed. pair: `(n_pairs,)` int64 `low * n_people + high` of the pairs with a history, ascending; stage:
    `(n_pairs,)` int8, positions in `names`. check_due: `(n_pairs, 2)` int64, microseconds since 1970 at which
    each of the two, lower first, is due for a feeling check about the other; the latest time if never.
    """

    people: pd.Index
    closed: BoolArray
    listed: BoolArray
    pair: npt.NDArray[np.int64]
    stage: Int8Array
    check_due: Int64Array

    @property
    def names(self) -> tuple[str, ...]:
        """The stages in order."""
        return load_catalogue().stages.names

    def codes(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Int8Array:
        """Return the stage of each aligned pair of ids as positions in `names`, `(n_pairs,)` int8.

        People without events have accepted nothing and proved nothing: their pairs are `unlisted`.
        """
        i, j = (self.people.get_indexer(pd.Index(np.asarray(ids, dtype=object))) for ids in (a, b))
        known = (i >= 0) & (j >= 0)
        closed = self._of(self.closed, i) | self._of(self.closed, j)
        listed = self._of(self.listed, i) & self._of(self.listed, j)
        found = np.where(listed, self.names.index("listed"), self.names.index(UNLISTED)).astype(np.int8)
        key = np.where(known, unordered_pair_keys(i, j, len(self.people)), -1)
        at = np.searchsorted(self.pair, key)
        met = np.zeros(len(key), bool)
        inside = at < len(self.pair)
        met[inside] = self.pair[at[inside]] == key[inside]
        found[met] = self.stage[at[met]]
        found[closed] = self.names.index(CLOSED)
        return found

    def of(self, a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Return the stage of each aligned pair of ids by name."""
        return np.array(self.names, dtype=object)[self.codes(a, b)]

    def frame(self) -> pd.DataFrame:
        """Return the pairs with a history: user_a, user_b, stage; nobody whose every pair is closed."""
        width = max(len(self.people), 1)
        a, b = self.pair // width, self.pair % width
        shown = ~(self.closed[a] | self.closed[b])
        names = np.array(self.names, dtype=object)[self.stage[shown]]
        return pd.DataFrame(
            {USER_A: self.people.to_numpy()[a[shown]], USER_B: self.people.to_numpy()[b[shown]], STAGE: names}
        )

    @staticmethod
    def _of(mask: BoolArray, rows: npt.NDArray[np.intp]) -> BoolArray:
        found = np.zeros(len(rows), bool)
        found[rows >= 0] = mask[rows[rows >= 0]]
        return found


@checked_arguments
def pair_stages(
    events: Events | CodedEvents,
    as_of: str | pd.Timestamp | None = None,
    *,
    held: Collection[str] = (),
    unlisted: Collection[str] = (),
) -> PairStages:
    """Return the stages of all pairs at `as_of` (None: after the last event).

    Time and memory grow with the events, not with the pairs.

    >>> like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"})
    >>> pair_stages(Events.of(like)).of(["a", "a"], ["b", "c"]).tolist()
    ['unlisted', 'unlisted']
    """
    known = events.until(None if as_of is None else as_utc(as_of))
    coded = known.coded if isinstance(known, Events) else known
    persons = PersonFacts.of(coded)
    people = pd.Index(sorted({*coded.people.tolist(), *held}), dtype=object)
    row = people.get_indexer(pd.Index(coded.people))
    closed, listed = np.zeros(len(people), bool), np.zeros(len(people), bool)
    closed[row] = persons.erased
    closed |= people.isin(list(held))
    listed[row] = persons.terms & (persons.tier >= _TIERS.index("age"))
    listed &= ~people.isin(list(unlisted))
    pairs: list[tuple[Int64Array, Int8Array, Int64Array]] = []
    for part in _in_parts(coded):
        between = PairEvents.of(part)
        facts = pair_facts(between, load_catalogue().stages, persons)
        pairs.append(_staged(between, facts, row, closed, listed))
    return PairStages(people, closed, listed, *map(np.concatenate, zip(*pairs, strict=True)))


_EVENTS_AT_ONCE: Final = 4_000_000


def _in_parts(coded: CodedEvents) -> Iterator[CodedEvents]:
    """Yield the events between two people in parts of not many, those of a pair in one part.

    Pairs ascend from part to part. What is made of the events of a part is several times as large as they.
    """
    row = np.flatnonzero((coded.target >= 0) & (coded.actor != coded.target)).astype(np.uint32)
    n_parts = max(-(-len(row) // _EVENTS_AT_ONCE), 1)
    if n_parts == 1:
        yield coded
        return
    low = np.minimum(coded.actor[row], coded.target[row]).astype(np.int32)
    ends = np.cumsum(np.bincount(low, minlength=len(coded.people)))
    part = (ends * n_parts // (len(row) + 1)).astype(np.uint16)[low]
    del low
    order = row[np.argsort(part, kind="stable")]
    counts = np.bincount(part, minlength=n_parts)
    del row, part
    for start, stop in pairwise(np.append(0, np.cumsum(counts)).tolist()):
        yield coded.taken(order[start:stop])


def _staged(
    between: PairEvents,
    facts: Mapping[str, BoolArray],
    row: npt.NDArray[np.intp],
    closed: BoolArray,
    listed: BoolArray,
) -> tuple[Int64Array, Int8Array, Int64Array]:
    """Return `pair`, `stage` and `check_due` of `PairStages` for some pairs; row: of people of the events."""
    stages = load_catalogue().stages
    stage = np.zeros(len(between.pair), np.int8)
    reached = np.ones(len(between.pair), bool)
    for code, step in enumerate(stages.forward):
        reached = reached & np.logical_and.reduce(
            [np.ones(len(stage), bool), *(facts[n] for n in step.needs)]
        )
        stage[reached] = code
    ended = np.logical_and.reduce([facts[need] for need in stages.stages[CLOSED].needs])
    stage[ended] = stages.code(CLOSED)
    a, b = row[between.people[:, 0]], row[between.people[:, 1]]
    unlisted = ~(listed[a] & listed[b]) & (stage != stages.code(CLOSED))
    final = np.where(unlisted, stages.code(UNLISTED), stage).astype(np.int8)
    shut = closed[a] | closed[b]
    due = _check_due(between, (final == stages.code(_ONGOING)) & ~shut)
    return (a * max(len(closed), 1) + b).astype(np.int64), final, due


def _check_due(between: PairEvents, ongoing: BoolArray) -> Int64Array:
    """Return `PairStages.check_due`: some days after both came to trust each other, or one's last check.

    What the other answered, or whether, changes nothing.
    """
    due = np.full((len(between.pair), 2), _LATE)
    trusted = between.first(between.coded.detailed("meet_feedback", *SAFE)).max(axis=1)
    checked = between.last(between.coded.are("feeling_check"))
    wait = round(load_catalogue().stages.check_days * MICROSECONDS_A_DAY)
    due[ongoing] = np.maximum(trusted[ongoing, None], checked[ongoing]) + wait
    return due


@dataclass(frozen=True, slots=True)
class PairStage:
    """The stage of a pair, and what both opted in to."""

    name: str
    optins: frozenset[str]

    def fields(self, *disclosures: str | None) -> frozenset[str]:
        """Return the fields that each may see of the other.

        disclosures: what each of the two wishes to disclose; unknown is as little as possible.

        >>> two = PairStage("acquainted", frozenset())
        >>> "general_job" in two.fields("general_job", "general_job"), "photo" in two.fields()
        (True, False)
        """
        stages = load_catalogue().stages
        return frozenset(
            name
            for name in stages.shows(self.name)
            if _open_enough(stages.fields[name].disclosure, disclosures)
            and (stages.fields[name].optin or "") in {"", *self.optins}
        )


def _open_enough(needed: str | None, disclosures: tuple[str | None, ...]) -> bool:
    if needed is None:
        return True
    least = DISCLOSURES.index(needed)
    return len(disclosures) == 2 and all(
        wish in DISCLOSURES and DISCLOSURES.index(wish) >= least for wish in disclosures
    )


OPTINS: Final = ("photo", "meet")


@checked_arguments
def pair_stage(
    events: Events,
    a: str,
    b: str,
    as_of: str | pd.Timestamp | None = None,
    *,
    held: Collection[str] = (),
    unlisted: Collection[str] = (),
) -> PairStage:
    """Return the stage two people have reached together at `as_of` (None: after the last event).

    held, unlisted: who is under a hold, and who may not be listed (boundaries incomplete, say), as of the
    same time; neither is an event. A hold of either closes while it lasts.

    Going forward needs both people; one end, block, report, unsafe meeting or erasure closes; a flag
    drops the pair to `matched` at once. Nothing else counts: not money, nor account age, nor popularity.

    >>> like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"})
    >>> pair_stage(Events.of(like), "a", "b").name
    'unlisted'
    """
    known = events.until(None if as_of is None else as_utc(as_of)).of_pair(a, b)
    between = PairEvents.of(known.coded)
    optins = frozenset(what for what in OPTINS if opted_in(between, what).any())
    name = pair_stages(known, held=held, unlisted=unlisted).of([a], [b])[0]
    return PairStage(str(name), optins)
