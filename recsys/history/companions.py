"""Who has somebody already: pairs in which both feel comfortable, and how many a person is in."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.history.events import CodedEvents, Events
from recsys.history.mutual import both_did
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population

Counts = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

DECIDING: Final = ("feeling_check", "meet_feedback", "end", "block", "report", "erase")
"""The types of events that say who are companions; no other changes an answer."""


def companions(events: Events, ids: IdIndex, as_of: str | pd.Timestamp | None = None) -> Counts:
    """Return how many companions each of `ids` has at `as_of` (None: after the last event), `(n_people,)`.

    Two people are companions when each said `comfortable` the last time they were asked about the
    other, and nothing has ended it: no end, block, report or unsafe meeting.

    >>> fine = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "feeling_check"})
    >>> companions(Events.of(fine.assign(detail="comfortable")), IdIndex(["a", "b", "c"]))
    array([1, 1, 0], dtype=int32)
    """
    coded = events.until(as_of).without_erased().coded
    rows = ids.find(coded.people[lasting_pairs(coded).reshape(-1)])
    return np.bincount(rows[rows >= 0], minlength=len(ids)).astype(np.int32)


def full_lives(people: Population, events: Events) -> Mask:
    """Say who has as many companions as they wish for, `(n_people,)` bool; an unknown wish is one."""
    wished = people.amounts(C.MAX_COMPANIONS)
    return companions(events, people.ids, people.as_of) >= np.where(wished < 0, 1, wished)


def lasting_pairs(coded: CodedEvents) -> npt.NDArray[np.int64]:
    """Return the pairs of companions as positions in `coded.people`, smaller first, `(n_pairs, 2)`."""
    ended = coded.are("end", "block", "report") | coded.detailed("meet_feedback", "unsafe")
    pair, _ = both_did(coded, _last_check_comfortable(coded), unless=ended)
    width = max(len(coded.people), 1)
    pairs = np.column_stack([pair // width, pair % width])
    return pairs[pairs[:, 0] < pairs[:, 1]]


def _last_check_comfortable(coded: CodedEvents) -> Mask:
    rows = np.flatnonzero(coded.are("feeling_check") & (coded.target >= 0))
    key = coded.actor[rows] * len(coded.people) + coded.target[rows]
    order = np.lexsort((coded.ts[rows], key))
    last = np.append(key[order][1:] != key[order][:-1], True)[: len(order)]
    found = np.zeros(len(coded.ts), bool)
    found[rows[order][last]] = True
    return found & coded.detailed("feeling_check", "comfortable")
