"""What the next look at somebody is worth who was looked at before, and not liked."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from recsys.arguments import checked_arguments
from recsys.data.decisions import Decisions
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.types import Float64Array


@dataclass(frozen=True, eq=False)
class FurtherLooks:
    """The chance of a like at the next look over that at a first one, of each pair of a log.

    Of those looked at without a like, fewer are of the kind that is liked. Where the chances of pairs follow
    a beta distribution of precision s, the chance after k looks is `s / (s + k)` of `p_like`; s is learned
    from the likes of further looks in the log, k is the looks its places make likely and a stated no.

    people: of the log. pair: `(n_pairs,)` ascending, `viewer * n_people + candidate` in its codes.
    share:  `(n_pairs,)` in (0, 1], 1 where the viewer liked the candidate or never looked.
    precision: s above 0, infinite where further looks are liked as often as first ones.

    >>> import pandas as pd
    >>> log = pd.DataFrame({"actor": ["a"], "target": ["b"], "type": ["impression"], "position": [1.0]})
    >>> FurtherLooks.of(Events.of(log)).share_of(np.array(["a"]), np.array(["b"])).tolist()
    [1.0]
    """

    people: IdIndex
    pair: npt.NDArray[np.int64]
    share: Float64Array
    precision: float

    @classmethod
    @checked_arguments
    def of(cls, events: Events) -> Self:
        """Learn from what happened until now; of impressions without a place half are taken as looked at."""
        known = events.without_erased()
        said = Decisions.of(known)
        shown, n = said.exposures(known), len(said.answered)
        looks = np.bincount(shown.pair, np.where(shown.followed, 0.0, shown.looked), n)
        liked = said.answered & (said.labels.label > 0)
        looks = np.where(liked, 0.0, looks + said.answered)
        inverse = shown.repeated.inverse_precision
        precision = 1.0 / inverse if inverse > 0.0 else np.inf
        people = IdIndex(known.coded.people)
        share = np.asarray(1.0 / (1.0 + inverse * looks), np.float64)
        return cls(people, said.labels.pair, share, precision)

    @checked_arguments
    def share_of(self, viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> Float64Array:
        """Return the share of pairs given by ids, `(n,)`; 1 for pairs and people the log does not hold."""
        i, j = (self.people.find(np.asarray(ids)).astype(np.int64) for ids in (viewers, candidates))
        own = i * len(self.people) + j
        at = np.searchsorted(self.pair, own).clip(0, max(len(self.pair) - 1, 0))
        if not len(self.pair):
            return np.ones(len(own))
        found = (self.pair[at] == own) & (i >= 0) & (j >= 0)
        return np.where(found, self.share[at], 1.0)
