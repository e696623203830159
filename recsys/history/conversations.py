"""What messages say: who answered whom, and which exchanges lasted. Texts are never seen."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.history.events import CodedEvents
from recsys.history.grades import LabelSettings

Numbers = npt.NDArray[np.int64]

_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Sides:
    """Directed pairs in which both wrote, each with the row of the other direction.

    pair: `actor * n_people + target`, ascending. first, last: times of their first and last message,
    microseconds; count: messages sent; back: position of the reverse pair.
    """

    pair: Numbers
    first: Numbers
    last: Numbers
    count: npt.NDArray[np.float64]
    back: npt.NDArray[np.intp]


def sides(coded: CodedEvents) -> Sides:
    """Return the messages of every conversation with two sides."""
    rows = np.flatnonzero(coded.are("message") & (coded.target >= 0) & (coded.actor != coded.target))
    width = max(len(coded.people), 1)
    pair, group = np.unique(coded.actor[rows] * width + coded.target[rows], return_inverse=True)
    ts = coded.ts[rows]
    first, last = np.full(len(pair), np.iinfo(np.int64).max), np.full(len(pair), np.iinfo(np.int64).min)
    np.minimum.at(first, group, ts)
    np.maximum.at(last, group, ts)
    count = np.bincount(group, weights=coded.count[rows], minlength=len(pair)).astype(np.float64)
    reverse = (pair % width) * width + pair // width
    answered = np.isin(reverse, pair)
    kept = pair[answered]
    back = np.searchsorted(kept, reverse[answered])
    return Sides(kept, first[answered], last[answered], count[answered], back)


def replies(coded: CodedEvents) -> tuple[Numbers, Numbers]:
    """Return who wrote to whom after hearing from them, and when they last did."""
    two = sides(coded)
    replied = two.last > two.first[two.back]
    return two.pair[replied], two.last[replied]


def exchanges(coded: CodedEvents, settings: LabelSettings) -> tuple[Numbers, Numbers]:
    """Return both directions of the balanced exchanges that lasted, and when they last wrote."""
    two = sides(coded)
    other = two.count[two.back]
    started = np.minimum(two.first, two.first[two.back])
    ended = np.maximum(two.last, two.last[two.back])
    lasting = (
        (ended - started >= settings.exchange_days * _MICROSECONDS_A_DAY)
        & (np.minimum(two.count, other) >= settings.exchange_messages)
        & (np.minimum(two.count, other) >= settings.exchange_balance * np.maximum(two.count, other))
    )
    return two.pair[lasting], ended[lasting]
