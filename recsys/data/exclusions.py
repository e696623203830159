"""Relations between pairs as of a time: who is excluded from whom and why, which likes stand, who matched.

`relations` derives them from events and the safety tables; `Relations` is what a `Population` carries.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.events import CodedEvents, Events
from recsys.data.ids import IdIndex
from recsys.data.proofs import AGE, ANY_TIER, NEVER, proofs_of, tiers
from recsys.data.times import MICROSECONDS_A_DAY, as_utc, microseconds
from recsys.errors import InputError, explained
from recsys.types import BoolArray, Int8Array, Int32Array, Int64Array, ObjectArray

EXCLUSION_REASONS: Final = ("block", "report", "unsafe", "end", "hide", "pass", "matched")
"""Why a pair is excluded, strongest first; `matched` pairs know each other already."""
DECISIONS: Final = ("like", "pass", "hide")
"""What somebody decides about another; a later `undo` takes it back."""


def _as_pairs(pairs: npt.ArrayLike) -> Int32Array:
    array = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Relations:
    """Separations, likes and opt-ins between the rows of one population.

    excluded:   `(n_separated, 2)` int32, each unordered pair once with the smaller row first, sorted.
    reason:      `(n_separated,)` int8, position in EXCLUSION_REASONS.
    liked:       `(n_likes, 2)` int32, actor row then target row, unique, sorted.
    suggestible: `(n_people,)` bool, opted in to double-blind suggestions.
    accepted:    `(n_people,)` bool, accepted the terms and proved their age; everybody where no log says so.
    proved:      `(n_people,)` int8, the highest tier of the events `verified` since the latest that took a
                 proof back, `ANY_TIER` where none did: then the profile alone says how somebody was verified.
    reopened:    `(n_reopened, 2)` int32, pairs between whom every block was taken back by whoever made it,
                 smaller row first. An `unblock` without the block it takes back reopens nothing.
    """

    excluded: Int32Array
    reason: npt.NDArray[np.int8]
    liked: Int32Array
    suggestible: npt.NDArray[np.bool_]
    accepted: npt.NDArray[np.bool_]
    proved: npt.NDArray[np.int8]
    reopened: Int32Array

    @classmethod
    def none(cls, n_people: int) -> "Relations":
        """Nothing between anybody.

        >>> len(Relations.none(3).excluded)
        0
        """
        return cls.of(n_people)

    @classmethod
    def of(
        cls,
        n_people: int,
        *,
        excluded: npt.ArrayLike = (),
        reason: npt.ArrayLike | None = None,
        liked: npt.ArrayLike = (),
        suggestible: npt.ArrayLike | None = None,
        accepted: npt.ArrayLike | None = None,
        proved: npt.ArrayLike | None = None,
        reopened: npt.ArrayLike = (),
    ) -> "Relations":
        """Build relations from pairs in any order and either direction.

        A pair excluded for several reasons keeps the strongest one (the default is `block`).
        Raises InputError when a row is outside the population or a pair is one person twice.
        """
        pairs = np.sort(_as_pairs(excluded), axis=1)
        why = np.zeros(len(pairs), np.int8) if reason is None else np.asarray(reason, np.int8)
        likes = _as_pairs(liked)
        back = np.sort(_as_pairs(reopened), axis=1)
        for name, given in (("excluded", pairs), ("liked", likes), ("reopened", back)):
            wrong = (given < 0).any(axis=1) | (given >= n_people).any(axis=1) | (given[:, 0] == given[:, 1])
            if wrong.any():
                got = given[wrong][0].tolist()
                raise InputError(explained(f"not a pair of two of {n_people} people", where=name, got=got))
        order = np.lexsort((why, pairs[:, 1], pairs[:, 0]))
        pairs, why = pairs[order], why[order]
        first = np.ones(len(pairs), bool)
        first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
        may = np.zeros(n_people, bool) if suggestible is None else np.asarray(suggestible, bool)
        return cls(
            excluded=_as_pairs(pairs[first]),
            reason=why[first],
            liked=_as_pairs(np.unique(likes, axis=0)),
            suggestible=may,
            accepted=np.ones(n_people, bool) if accepted is None else np.asarray(accepted, bool),
            proved=np.full(n_people, ANY_TIER, np.int8) if proved is None else np.asarray(proved, np.int8),
            reopened=_without(back, pairs[first & (why == EXCLUSION_REASONS.index("block"))]),
        )

    def without_matches(self) -> "Relations":
        """Return the same but for the pairs of whom nothing is told than that they are matched.

        >>> found = Relations.of(3, excluded=[(0, 1), (1, 2)], reason=[EXCLUSION_REASONS.index("matched"), 0])
        >>> found.without_matches().excluded.tolist()
        [[1, 2]]
        """
        kept = self.reason != EXCLUSION_REASONS.index("matched")
        return replace(self, excluded=_as_pairs(self.excluded[kept]), reason=self.reason[kept])


@dataclass(frozen=True, eq=False)
class LatestDecisions:
    """One row per directed pair with a like, pass or hide; times are microseconds, NEVER if none.

    A later like by the same person ends their pass or hide; at the same instant it does not. What an `undo`
    took back was never said, see `undone_decisions`.
    """

    actor: Int64Array
    target: Int64Array
    liked: Int64Array
    passed: Int64Array
    hidden: Int64Array

    @property
    def likes(self) -> BoolArray:
        """Whose latest decision is a like."""
        return self.liked > np.maximum(self.passed, self.hidden)

    @property
    def hides(self) -> BoolArray:
        """Whose hide was not followed by a like."""
        return (self.hidden > NEVER) & (self.hidden >= self.liked)

    @property
    def passes(self) -> BoolArray:
        """Whose pass was not followed by a like, however old."""
        return (self.passed > NEVER) & (self.passed >= self.liked)


def latest_decisions(coded: CodedEvents) -> LatestDecisions:
    """Return the latest decision of each directed pair, from those that were not taken back."""
    rows = np.flatnonzero(coded.are(*DECISIONS) & _between_two(coded) & ~undone_decisions(coded))
    width = max(len(coded.people), 1)
    keys, group = np.unique(coded.actor[rows] * width + coded.target[rows], return_inverse=True)
    last = {}
    for kind in DECISIONS:
        times = np.full(len(keys), NEVER)
        of_kind = coded.are(kind)[rows]
        np.maximum.at(times, group[of_kind], coded.ts[rows][of_kind])
        last[kind] = times
    return LatestDecisions(keys // width, keys % width, last["like"], last["pass"], last["hide"])


def undone_decisions(coded: CodedEvents) -> BoolArray:
    """Say which likes, passes and hides their actor took back by a later `undo` of the target, `(n_events,)`.

    At the same instant an undo takes back a like, and neither a pass nor a hide.
    """
    found, last = np.zeros(len(coded.ts), bool), _last_of(coded, "undo")
    if not last:
        return found
    rows = np.flatnonzero(coded.are(*DECISIONS) & _between_two(coded))
    pairs = zip(coded.actor[rows].tolist(), coded.target[rows].tolist(), strict=True)
    undone, ts = np.array([last.get(pair, NEVER) for pair in pairs], np.int64), coded.ts[rows]
    found[rows] = (ts < undone) | (coded.are("like")[rows] & (ts == undone))
    return found


def matched_pairs(coded: CodedEvents) -> Int64Array:
    """Return the unordered pairs in which, at some time, both likes stood, `(n_pairs, 2)` int64.

    What happens afterwards does not unmake the match: the two know each other. At one instant likes come
    first, then what takes them back.
    """
    return matches(coded)[0]


def matches(coded: CodedEvents) -> tuple[Int64Array, Int64Array]:
    """Return the pairs of `matched_pairs`, and since when each was matched, `(n_pairs,)` microseconds."""
    rows = np.flatnonzero(coded.are(*DECISIONS, "undo") & _between_two(coded))
    actor, target = coded.actor[rows], coded.target[rows]
    low, high = np.minimum(actor, target), np.maximum(actor, target)
    likes = coded.are("like")[rows]
    turn = np.where(likes, 0, np.where(coded.are("undo")[rows], 1, 2))
    order = np.lexsort((turn, coded.ts[rows], high, low))
    low, high, likes, by_low = low[order], high[order], likes[order], (actor == low)[order]
    first = np.ones(len(order), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0)) if len(order) else order
    both = _stands(likes, by_low, start) & _stands(likes, ~by_low, start)
    ts, turn = coded.ts[rows[order]], turn[order]
    # a match is made once the likes of an instant are taken back that one takes back
    both[:-1] &= first[1:] | (ts[1:] != ts[:-1]) | (turn[1:] > 1)
    pairs, at = np.unique(np.column_stack([low[both], high[both]]), axis=0, return_index=True)
    return pairs, ts[both][at]


def _stands(likes: BoolArray, by_side: BoolArray, start: npt.NDArray[np.intp]) -> BoolArray:
    """Say, after each event, whether the latest decision of one side of the pair is a like."""
    if not len(likes):
        return likes
    latest = np.maximum.accumulate(np.where(by_side, np.arange(len(likes)), -1))
    return np.where(latest >= start, likes[latest], False)


def _between_two(coded: CodedEvents) -> BoolArray:
    return (coded.target >= 0) & (coded.actor != coded.target)


def standing_blocks(coded: CodedEvents) -> BoolArray:
    """Say which events are blocks that whoever made them has not taken back since, `(n_events,)` bool.

    At the instant of a block an unblock takes nothing back.
    """
    blocks, last = coded.are("block"), _last_of(coded, "unblock")
    if not last:
        return blocks
    rows = np.flatnonzero(blocks)
    pairs = zip(coded.actor[rows].tolist(), coded.target[rows].tolist(), strict=True)
    blocks[rows] = coded.ts[rows] >= [last.get(pair, NEVER) for pair in pairs]
    return blocks


def _last_of(coded: CodedEvents, kind: str) -> dict[tuple[int, int], int]:
    """Return when each actor last did something of a kind to each target, by position in `coded.people`."""
    rows = np.flatnonzero(coded.are(kind) & _between_two(coded))
    last: dict[tuple[int, int], int] = {}
    for actor, target, ts in zip(coded.actor[rows], coded.target[rows], coded.ts[rows], strict=True):
        pair = (int(actor), int(target))
        last[pair] = max(last.get(pair, NEVER), int(ts))
    return last


def _undone_by_persons(coded: CodedEvents, person_of: Mapping[str, str]) -> CodedEvents:
    """Return the events with each `undo` said under every account of its actor's person, of the target's."""
    rows = np.flatnonzero(coded.are("undo") & _between_two(coded))
    if not len(rows) or not person_of:
        return coded
    person = [person_of.get(str(one), "") for one in coded.people]
    accounts = defaultdict[str, list[int]](list)
    for at, name in enumerate(person):
        accounts[name].append(at)

    def of_person(at: int) -> list[int]:
        return accounts[person[at]] if person[at] else [at]

    said = [
        (row, actor, target)
        for row in rows.tolist()
        for actor in of_person(int(coded.actor[row]))
        for target in of_person(int(coded.target[row]))
    ]
    row, actor, target = np.array(said, np.int64).T
    more = replace(coded.taken(row), actor=actor, target=target)
    names = [field.name for field in fields(CodedEvents) if field.name != "people"]
    both = {name: np.concatenate([getattr(coded, name), getattr(more, name)]) for name in names}
    return CodedEvents(coded.people, **both).taken(np.argsort(both["ts"], kind="stable"))


PASS_DAYS: Final = 180
"""How long a pass keeps two people out of each other's lists."""


@checked_arguments
def relations(
    events: Events,
    blocks: pd.DataFrame | None,
    reports: pd.DataFrame | None,
    ids: IdIndex,
    as_of: str | pd.Timestamp,
    *,
    taken_back: frozenset[tuple[str, pd.Timestamp]] = frozenset(),
    person_of: Mapping[str, str] | None = None,
) -> Relations:
    """Return the relations between the people in `ids` as of a time, from what was known then.

    events: anything later than `as_of` is not used, nor any row of an erased person.
    blocks, reports: the safety tables (`actor`, `target`, `ts`), None for none; a row without a
    time holds. People who are not in `ids` are left out. taken_back: see `proofs_of`. person_of: accounts and
    their persons, where several are of one: an `undo` counts for every account of either of its persons.

    | excluded by | until |
    |---|---|
    | block | whoever made it takes it back later (`unblock`); a row of the table without a time lasts |
    | report | for good |
    | anything unsafe: a meeting, an end, pressure, a request for money or to leave | for good |
    | an end; a match (they know each other already) | for good |
    | hide | the same person likes the other later, or takes it back (`undo`) |
    | pass | 180 days, or the same person likes the other later, or takes it back |
    """
    time = as_utc(as_of)
    coded = _undone_by_persons(events.until(time).without_erased().coded, person_of or {})
    table, standing = _known(blocks, time), standing_blocks(coded)
    stands = _standing_rows(table, coded)
    by_reason = {
        "block": [_named(coded, standing), _pairs(table)[stands]],
        "report": [_named(coded, coded.are("report")), _pairs(_known(reports, time))],
        "unsafe": [_named(coded, unsafe_events(coded))],
        "end": [_named(coded, coded.detailed("end", "amicable"))],
        **_decision_reasons(coded, time),
    }
    pairs = [(reason, ids_of) for reason, found in by_reason.items() for ids_of in found]
    excluded, reason = _rows(pairs, ids)
    decisions = latest_decisions(coded)
    likes = np.column_stack([decisions.actor, decisions.target])[decisions.likes]
    liked, _ = _rows([("matched", coded.people[likes])], ids)
    back = (_named(coded, coded.are("block") & ~standing), _pairs(table)[~stands])
    reopened, _ = _rows([("block", pairs) for pairs in back], ids)
    return Relations.of(
        len(ids),
        excluded=excluded,
        reason=reason,
        liked=liked,
        suggestible=_suggestible(coded, ids),
        accepted=_accepted(coded, ids),
        proved=_proved(coded, ids, taken_back),
        reopened=reopened,
    )


def accepted_terms(coded: CodedEvents) -> BoolArray:
    """Say who accepted the terms, and was last verified at a tier that proves the age, `(n_people,)`."""
    terms = np.zeros(len(coded.people), bool)
    terms[coded.actor[coded.are("terms_accepted") & (coded.target < 0)]] = True
    return terms & (tiers(coded) >= AGE)


def _accepted(coded: CodedEvents, ids: IdIndex) -> BoolArray | None:
    """Say who of `ids` may be listed by what they did; None for a log in which nobody accepted any terms."""
    if not coded.are("terms_accepted").any():
        return None
    rows = ids.find(coded.people[accepted_terms(coded)])
    may = np.zeros(len(ids), bool)
    may[rows[rows >= 0]] = True
    return may


def _proved(coded: CodedEvents, ids: IdIndex, taken_back: frozenset[tuple[str, pd.Timestamp]]) -> Int8Array:
    """Return up to which tier the proofs of `ids` count."""
    found = np.full(len(ids), ANY_TIER, np.int8)
    proofs = proofs_of(coded, taken_back)
    back = np.flatnonzero(proofs.are_taken_back)
    rows = ids.find(coded.people[back])
    found[rows[rows >= 0]] = proofs.tier[back[rows >= 0]]
    return found


def unsafe_events(coded: CodedEvents) -> npt.NDArray[np.bool_]:
    """Say which events tell of anything unsafe, `(n_events,)`: they keep two people apart for good."""
    return (
        coded.detailed("meet_feedback", "unsafe")
        | coded.detailed("end", "unsafe")
        | coded.detailed("feeling_check", "pressured")
        | coded.are("money_request", "off_platform_request")
    )


def _decision_reasons(coded: CodedEvents, as_of: pd.Timestamp) -> dict[str, list[ObjectArray]]:
    decisions = latest_decisions(coded)
    pairs = coded.people[np.column_stack([decisions.actor, decisions.target])]
    now = microseconds(as_of)
    recent = decisions.passed > now - PASS_DAYS * MICROSECONDS_A_DAY
    return {
        "hide": [pairs[decisions.hides]],
        "pass": [pairs[decisions.passes & recent]],
        "matched": [coded.people[matched_pairs(coded)]],
    }


def _named(coded: CodedEvents, chosen: npt.NDArray[np.bool_]) -> ObjectArray:
    """Return the ids of both people of the chosen events that have a target, `(n, 2)`."""
    rows = np.flatnonzero(chosen & (coded.target >= 0))
    return coded.people[np.column_stack([coded.actor[rows], coded.target[rows]])]


def _known(table: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame({C.ACTOR: [], C.TARGET: []}, dtype=object)
    return table[~(table[C.TS] > as_of)] if C.TS in table else table


def _pairs(table: pd.DataFrame) -> ObjectArray:
    return table[[C.ACTOR, C.TARGET]].to_numpy(object)


def _standing_rows(table: pd.DataFrame, coded: CodedEvents) -> BoolArray:
    """Say which rows are blocks that were not taken back since; a block without a time lasts."""
    last, named = _last_of(coded, "unblock"), _pairs(table)
    if not last or C.TS not in table:
        return np.ones(len(table), bool)
    by_name = {(coded.people[a], coded.people[b]): ts for (a, b), ts in last.items()}
    since = np.array([by_name.get((a, b), NEVER) for a, b in named.tolist()], np.int64)
    dated = table[C.TS].notna().to_numpy(bool)
    ts = table[C.TS].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    return np.asarray(~dated | (ts >= since), bool)


def _without(pairs: Int32Array, others: Int32Array) -> Int32Array:
    """Return the pairs, each once, that are not among others; both smaller row first."""
    out = set(map(tuple, others.tolist())) if len(pairs) else set()
    return _as_pairs(sorted(set(map(tuple, pairs.tolist())) - out))


def _rows(
    pairs: list[tuple[str, ObjectArray]], ids: IdIndex
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Return rows and reasons of the pairs whose two people are known and differ."""
    named = np.vstack([np.empty((0, 2), object), *(found for _, found in pairs)])
    why = np.repeat([EXCLUSION_REASONS.index(r) for r, _ in pairs], [len(found) for _, found in pairs])
    rows = np.column_stack([ids.find(named[:, 0]), ids.find(named[:, 1])])
    known = (rows >= 0).all(axis=1) & (rows[:, 0] != rows[:, 1])
    return rows[known], why[known].astype(np.int8)


def _suggestible(coded: CodedEvents, ids: IdIndex) -> npt.NDArray[np.bool_]:
    """Say who opted in to double-blind suggestions of anybody; one that names a person is not that."""
    chosen = coded.detailed("optin", "suggestion") & (coded.target < 0)
    rows = ids.find(coded.people[np.unique(coded.actor[chosen])])
    may = np.zeros(len(ids), bool)
    may[rows[rows >= 0]] = True
    return may
