"""Decisions of a log: who was shown or decided about, when, and whether an inbox had brought it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.exclusions import DECISIONS, undone_decisions
from recsys.data.labels import LABEL_WEIGHTS, LOOKS, PairLabels, directed_labels, pair_labels
from recsys.data.pair_keys import positions_in, reversed_pair_keys
from recsys.data.silent_exposures import OpenExposures, SilentExposures
from recsys.types import BoolArray, Float64Array


def answers_a_like(events: Events, key: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of which pairs the candidate had liked the viewer before the viewer decided, as in an inbox.

    Whoever was shown the candidate between that like and the decision decided about a list, `(n_pairs,)`.

    key: ascending, `viewer * n_people + candidate` in the codes of the events.
    """
    coded = events.coded
    decided = _first(events, key, *DECISIONS)
    liked = _first(events, reversed_pair_keys(key, len(coded.people)), "like")
    found = (liked < decided) & (decided < np.iinfo(np.int64).max)
    if not found.any():
        return found
    rows = np.flatnonzero(coded.are("impression") & (coded.target >= 0))
    shown = coded.actor[rows] * len(coded.people) + coded.target[rows]
    at = positions_in(key, shown).clip(0, len(key) - 1)
    listed = (key[at] == shown) & (liked[at] < coded.ts[rows]) & (coded.ts[rows] <= decided[at])
    found[at[listed]] = False
    return found


def _first(events: Events, key: npt.NDArray[np.int64], *types: str) -> npt.NDArray[np.int64]:
    """Return when each pair in `key` had its first event of these types; the end of time if never.

    What was taken back is left out.
    """
    coded, never = events.coded, np.iinfo(np.int64).max
    rows = np.flatnonzero(coded.are(*types) & (coded.target >= 0) & ~undone_decisions(coded))
    found, first = np.unique(coded.actor[rows] * len(coded.people) + coded.target[rows], return_index=True)
    if not len(found):
        return np.full(len(key), never)
    at = positions_in(found, key).clip(0, len(found) - 1)
    # events are in time order, so the first row of a pair is its earliest
    return np.where(found[at] == key, coded.ts[rows[first[at]]], never)


@dataclass(frozen=True, eq=False)
class Decisions:
    """The pairs of a log, shown or decided about, `(n_pairs,)` each.

    labels: of each pair. answered: said yes or no in so many words, or showed it later. first: when it was
    first decided about, microseconds since 1970. is_reply: see `answers_a_like`.
    """

    labels: PairLabels
    answered: BoolArray
    first: npt.NDArray[np.int64]
    is_reply: BoolArray

    @classmethod
    def of(cls, known: Events) -> Self:
        """Return what was decided in events without erased people."""
        labels = pair_labels(known.coded, LOOKS, now=known.now)
        answered = labels.strength != LABEL_WEIGHTS["impression"].strength
        first = np.minimum(_first(known, labels.pair, *DECISIONS), labels.ts)
        listed = bool((labels.n_impressions > 0).any())
        is_reply = answered & answers_a_like(known, labels.pair) if listed else np.zeros(len(answered), bool)
        return cls(labels, answered, first, is_reply)

    def exposures(self, known: Events) -> OpenExposures:
        """Return the exposures of these pairs until their answers."""
        return OpenExposures.of(known, self.labels, self.answered, self.first, self.is_reply)

    def p_looked(self, known: Events) -> Float64Array:
        """Return the chance that the viewer looked at all, `(n_pairs,)`: 1 with an answer.

        Without one by the places of the exposures, as expected where all pairs like equally often.
        """
        looks = SilentExposures.of(self.exposures(known), len(self.answered)).looks
        return np.where(self.answered, 1.0, np.minimum(looks, 1.0))


def labels_of_looks(
    events: Events, as_of: pd.Timestamp | None = None, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Return `directed_labels` of pairs of whom one looked at the other, to judge P(like | look) by.

    Whoever answered has looked. A pair left unanswered stays with the chance that a place of it was looked at
    all the same, so that those that stay are a fair sample. Without any place it is not known who looked, and
    all pairs that were shown stay.

    >>> types = ["pass", *["impression"] * 400]
    >>> whom = np.arange(401).astype(str)
    >>> rows = pd.DataFrame({"actor": "a", "target": whom, "type": types, "position": 9})
    >>> 100 < len(labels_of_looks(Events.of(rows), rng=np.random.default_rng(0))) < 200
    True
    """
    found = directed_labels(events, as_of, settings=LOOKS)
    known = events.until(as_of).without_erased()
    shown = known.frame[known.frame[C.TYPE] == "impression"]
    if C.POSITION not in shown or not shown[C.POSITION].notna().any():
        return found
    return found[rng.random(len(found)) < Decisions.of(known).p_looked(known)].reset_index(drop=True)
