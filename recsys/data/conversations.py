"""Conversations: who replied to whom, which exchanges lasted, and active matches. Texts are never seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import CodedEvents, Events
from recsys.data.exclusions import standing_blocks
from recsys.data.ids import IdIndex
from recsys.data.pair_keys import reversed_pair_keys
from recsys.data.population import Population
from recsys.data.times import MICROSECONDS_A_DAY
from recsys.types import BoolArray, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class MutualMessages:
    """Directed pairs in which both wrote, each with the row of the other direction.

    pair: `actor * n_people + target`, ascending. first, last: times of their first and last message,
    microseconds; count: messages sent; back: position of the reverse pair.
    """

    pair: Int64Array
    first: Int64Array
    last: Int64Array
    count: npt.NDArray[np.float64]
    back: npt.NDArray[np.intp]


def mutual_messages(coded: CodedEvents) -> MutualMessages:
    """Return the messages of every conversation with two sides."""
    rows, pair, group = _directed(coded, coded.are("message"))
    ts = coded.ts[rows]
    first, last = np.full(len(pair), np.iinfo(np.int64).max), np.full(len(pair), np.iinfo(np.int64).min)
    np.minimum.at(first, group, ts)
    np.maximum.at(last, group, ts)
    count = np.bincount(group, weights=coded.count[rows], minlength=len(pair)).astype(np.float64)
    reverse = reversed_pair_keys(pair, len(coded.people))
    answered = np.isin(reverse, pair)
    kept = pair[answered]
    back = np.searchsorted(kept, reverse[answered])
    return MutualMessages(kept, first[answered], last[answered], count[answered], back)


def replies(coded: CodedEvents) -> tuple[Int64Array, Int64Array]:
    """Return who wrote to whom after hearing from them, and when they last did."""
    two = mutual_messages(coded)
    replied = two.last > two.first[two.back]
    return two.pair[replied], two.last[replied]


def exchanges(
    coded: CodedEvents, *, days: float, messages: int, balance: float
) -> tuple[Int64Array, Int64Array]:
    """Return both directions of the balanced exchanges that lasted, and when they last wrote.

    days, messages: how long one lasted and how many each sent, at least. balance: the one who wrote less
    wrote at least this share of the other's count.
    """
    two = mutual_messages(coded)
    other = two.count[two.back]
    started = np.minimum(two.first, two.first[two.back])
    ended = np.maximum(two.last, two.last[two.back])
    lasting = (
        (ended - started >= days * MICROSECONDS_A_DAY)
        & (np.minimum(two.count, other) >= messages)
        & (np.minimum(two.count, other) >= balance * np.maximum(two.count, other))
    )
    return two.pair[lasting], ended[lasting]


def both_did(
    coded: CodedEvents, chosen: BoolArray, *, unless: BoolArray | None = None
) -> tuple[Int64Array, Int64Array]:
    """Return both directions of the pairs in which each did something of the chosen kind.

    unless: events by either that take the pair out. The time is when the second of the two did it
    last, so when it was true of both.
    """
    rows, pair, group = _directed(coded, chosen)
    last = np.full(len(pair), np.iinfo(np.int64).min)
    np.maximum.at(last, group, coded.ts[rows])
    reverse = reversed_pair_keys(pair, len(coded.people))
    mutual = np.isin(reverse, pair)
    if unless is not None:
        _, against, _ = _directed(coded, unless)
        mutual &= ~np.isin(pair, against) & ~np.isin(reverse, against)
    kept = pair[mutual]
    back = np.searchsorted(pair, reverse[mutual])
    return kept, np.maximum(last[mutual], last[back])


def _directed(
    coded: CodedEvents, chosen: BoolArray
) -> tuple[npt.NDArray[np.intp], Int64Array, npt.NDArray[np.intp]]:
    """Return the chosen events between two people, the directed pairs, ascending, and which each is of."""
    rows = np.flatnonzero(chosen & (coded.target >= 0) & (coded.actor != coded.target))
    pair, group = np.unique(coded.actor[rows] * len(coded.people) + coded.target[rows], return_inverse=True)
    return rows, pair, group


DECIDING: Final = ("feeling_check", "meet_feedback", "end", "block", "unblock", "report", "erase")
"""The types of events that decide about active matches; no other changes the result."""


def active_matches(events: Events, ids: IdIndex, as_of: str | pd.Timestamp | None = None) -> Int32Array:
    """Count the active matches of each of `ids` at `as_of` (None: after the last event), `(n_people,)`.

    Two people are an active match when the latest feeling check of each about the other is `comfortable`,
    and nothing has ended it: no end, block, report or unsafe meeting.

    >>> fine = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "feeling_check"})
    >>> active_matches(Events.of(fine.assign(detail="comfortable")), IdIndex(["a", "b", "c"]))
    array([1, 1, 0], dtype=int32)
    """
    coded = events.until(as_of).without_erased().coded
    rows = ids.find(coded.people[active_match_pairs(coded).reshape(-1)])
    return np.bincount(rows[rows >= 0], minlength=len(ids)).astype(np.int32)


def at_capacity(people: Population, events: Events) -> BoolArray:
    """Say who has as many active matches as they wish for, `(n_people,)` bool; an unknown wish is one."""
    wished = people.amounts(C.MAX_COMPANIONS)
    return active_matches(events, people.ids, people.as_of) >= np.where(wished < 0, 1, wished)


def active_match_pairs(coded: CodedEvents) -> npt.NDArray[np.int64]:
    """Return the active matches as positions in `coded.people`, smaller first, `(n_pairs, 2)`."""
    ended = coded.are("end", "report") | standing_blocks(coded) | coded.detailed("meet_feedback", "unsafe")
    pair, _ = both_did(coded, _last_check_comfortable(coded), unless=ended)
    width = max(len(coded.people), 1)
    pairs = np.column_stack([pair // width, pair % width])
    return pairs[pairs[:, 0] < pairs[:, 1]]


def _last_check_comfortable(coded: CodedEvents) -> BoolArray:
    rows = np.flatnonzero(coded.are("feeling_check") & (coded.target >= 0))
    key = coded.actor[rows] * len(coded.people) + coded.target[rows]
    order = np.lexsort((coded.ts[rows], key))
    last = np.append(key[order][1:] != key[order][:-1], True)[: len(order)]
    found = np.zeros(len(coded.ts), bool)
    found[rows[order][last]] = True
    return found & coded.detailed("feeling_check", "comfortable")
