"""Allocation by region: each region moves the lists of its own people, borders are exchanged in rounds.

A region holds the edges of its own viewers, and those that lead from others to its own people, with the
exposures these had after the round before. Of everybody else among the candidates of its viewers it holds the
price and a summary of the inbox: the likes that arrive from other regions, in classes of how welcome they
are. So what a like costs others counts on both sides of a border, and the memory a region takes does not
depend on how many there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from recsys.allocation.allocate import lists_within_budgets
from recsys.allocation.budgets import BudgetPrices, shadow_prices
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.frank_wolfe import initial_exposure, subtract_price, take_step
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists, with_minimum_exposure
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_LIMITS: Final = 1.0 / (1.0 + np.exp(-np.linspace(-4.0, 2.0, 31)))
"""Where the classes of q end, evenly spaced in logits."""
_CLASSES: Final = len(_LIMITS) + 1
_LEAST_SHARE: Final = 0.1
"""Likes added to those a region sends when a budget is shared out, so that rounding has room everywhere."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Likes that arrive at people, summed up by person and class of q, `(n_entries,)` each.

    key:     int64, ascending: the row of the person times the number of classes, and the class.
    likes:   float64; welcome: float64, the sum of likes times q.
    """

    key: Int64Array
    likes: Float64Array
    welcome: Float64Array

    @classmethod
    def of(cls, candidate: Int32Array, q: Float32Array, likes: Float64Array) -> Self:
        """Sum up likes along edges, `(n_edges,)` each."""
        keys = candidate.astype(np.int64) * _CLASSES + np.searchsorted(_LIMITS, q)
        sent = likes > 0.0
        return cls._summed(keys[sent], likes[sent], likes[sent] * q[sent])

    @classmethod
    def joined(cls, crowds: "Iterable[Crowd]") -> Self:
        """Return the likes of all together."""
        every = list(crowds)
        nothing = np.zeros(0)
        return cls._summed(
            np.concatenate([np.zeros(0, np.int64), *(crowd.key for crowd in every)]),
            np.concatenate([nothing, *(crowd.likes for crowd in every)]),
            np.concatenate([nothing, *(crowd.welcome for crowd in every)]),
        )

    @classmethod
    def _summed(cls, keys: Int64Array, likes: Float64Array, welcome: Float64Array) -> Self:
        key, at = np.unique(keys, return_inverse=True)
        both = (np.bincount(at, weights=of, minlength=len(key)) for of in (likes, welcome))
        return cls(key, *(of.astype(np.float64) for of in both))

    def of_people(self, wanted: BoolArray) -> "Crowd":
        """Return the likes that arrive at some people; wanted: `(n_people,)`."""
        kept = wanted[self.row]
        return Crowd(self.key[kept], self.likes[kept], self.welcome[kept])

    @property
    def row(self) -> Int64Array:
        """The person of every entry."""
        return self.key // _CLASSES

    @property
    def number(self) -> Int64Array:
        """The class of every entry."""
        return self.key % _CLASSES

    def load(self, n_people: int) -> Float64Array:
        """Return the likes each person receives, `(n_people,)`."""
        return np.bincount(self.row, weights=self.likes, minlength=n_people).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Outside:
    """What the other regions did in the round before.

    arriving: `(n_arriving,)` float32, exposures of the edges that lead to people of the region.
    crowd:    the likes they send, to anybody.
    utility:  `(n_people,)` expected matches of everybody.
    price:    `(n_people,)` price of a like to everybody, of the budgets.
    """

    arriving: Float32Array
    crowd: Crowd
    utility: Float64Array
    price: Float64Array


class RegionAllocation:
    """The lists of one region's people, beside fixed lists of all others.

    edges:    every edge from or to the region, between rows of the whole service.
    is_own:   `(n_people,)` bool, whose lists are moved.
    outside:  what the others did; exposure: of the edges of own viewers, in their order, None at the start.
    activity: of everybody.
    """

    def __init__(
        self,
        edges: CandidateGraph,
        is_own: BoolArray,
        outside: Outside,
        config: AllocationConfig,
        activity: MemberActivity,
        *,
        exposure: Float32Array | None = None,
    ) -> None:
        viewer = edges.viewer
        own = is_own[viewer]
        rows = np.unique(np.concatenate([viewer, edges.candidate]))
        local = np.zeros(edges.n_people, np.int32)
        local[rows] = np.arange(len(rows), dtype=np.int32)
        among = np.zeros(edges.n_people, bool)
        among[rows] = True
        crowd = outside.crowd.of_people(among & ~is_own)
        self.rows, self.is_own, self.outside, self.config = rows, is_own[rows], outside, config
        # The classes of a crowd are viewers of their own: each "likes" a person as often as all likes in it.
        self.graph = CandidateGraph.of(
            np.concatenate([local[viewer], len(rows) + crowd.number]),
            np.concatenate([local[edges.candidate], local[crowd.row]]),
            p=np.concatenate([edges.p, np.ones(len(crowd.key), np.float32)]),
            q=np.concatenate([edges.q, np.clip(crowd.welcome / crowd.likes, 0.0, 1.0).astype(np.float32)]),
            n_people=len(rows) + _CLASSES,
        )  # keys ascend by row and class, so the order of the classes' edges is another
        by_class = np.lexsort((crowd.row, crowd.number))
        self.moves = np.append(own, np.zeros(len(crowd.key), bool))
        always = np.ones(_CLASSES, np.float32)
        self.model = MeanFieldModel(
            self.graph,
            config,
            MemberActivity(*(np.append(of[rows], always) for of in (activity.opens, activity.reads))),
        )
        self._fixed = np.append(outside.arriving, crowd.likes[by_class].astype(np.float32))
        self.exposure = np.zeros(self.graph.n_edges, np.float32)
        if exposure is not None:
            self.exposure[self.moves] = exposure
        else:
            self.exposure = initial_exposure(self.model)
        self._hold()
        self.price = np.append(outside.price[rows], np.zeros(_CLASSES))

    def _hold(self) -> None:
        """Put what the others do back to what it was."""
        self.exposure[~self.moves] = self._fixed

    def take_steps(self, first: int, last: int) -> None:
        """Take the Frank-Wolfe steps `first` to `last - 1` with the lists of own people."""
        caps = None if self.config.budget is None else np.full(self.graph.n_people, self.config.budget)
        prices = BudgetPrices(self.graph.n_people, caps)
        prices.price = self.price
        for at in range(first, last):
            utility = self.model.utilities(self.exposure)
            gain = self.model.gain(self.exposure, self._whole(utility))
            own = np.append(self.is_own, np.zeros(_CLASSES, bool))
            to_own = float(self.model.load[own].sum())
            if to_own > 0.0:  # a like is worth what one to an own person is: matches of others are not known
                worth = utility * own * (float(self.model.load.sum()) / to_own)
                prices.update(self.model.load, worth, at)
            take_step(self.model, gain, prices.price, 2.0 / (at + 3), self.exposure)
            self._hold()
        self.price = prices.price

    def _whole(self, utility: Float64Array) -> Float64Array:
        """Return everybody's matches: those of own people as they are, of others as they were."""
        of_others = self.outside.utility[self.rows]
        people = np.where(self.is_own, utility[: len(self.rows)], of_others)
        return np.append(people, np.full(_CLASSES, people.mean() if len(people) else 0.0))

    def crowd(self) -> Crowd:
        """Return the likes own viewers send."""
        at = np.flatnonzero(self.moves)
        receiver = self.rows[self.graph.candidate[at]].astype(np.int32)
        return Crowd.of(receiver, self.graph.q[at], self.graph.p[at].astype(np.float64) * self.exposure[at])

    def utilities(self) -> Float64Array:
        """Return the expected matches of own people, in the order of rows."""
        return self.model.unweighted().utilities(self.exposure)[: len(self.rows)][self.is_own]

    def lists(self, budget: Float64Array | None) -> RankedEdges:
        """Return the lists of own people; budget: `(n_people,)` likes the region may send each."""
        gain = self.model.gain(self.exposure, self._whole(self.model.utilities(self.exposure)))
        subtract_price(
            0, self.graph.n_people, self.graph.indptr, self.graph.candidate, self.graph.p, self.price, gain
        )
        wanted = self.moves & ((self.exposure > 0.0) | (gain > 0.0))
        return lists_within_budgets(self.model, self.exposure, gain, wanted, self._local(budget))

    def with_minimum_exposure(
        self, ranked: RankedEdges, asked: BoolArray, rng: np.random.Generator, budget: Float64Array | None
    ) -> ExposedLists:
        """Give people a place in a list of the region; asked: `(n_people,)`, whom this region is to show."""
        at = np.flatnonzero(self.moves)
        viewer = self.graph.viewer[at]
        own = CandidateGraph.of(
            viewer,
            self.graph.candidate[at],
            p=self.graph.p[at],
            q=self.graph.q[at],
            n_people=self.graph.n_people,
        )
        place = np.full(self.graph.n_edges, -1, np.int32)
        place[at] = np.arange(len(at), dtype=np.int32)
        found = with_minimum_exposure(
            own,
            RankedEdges(ranked.indptr, place[ranked.edge]),
            self.model.position_weights,
            rng,
            self._local(budget),
            self.model.activity.opens,
            np.append(asked[self.rows], np.zeros(_CLASSES, bool)),
        )
        lists = RankedEdges(found.ranked.indptr, at[found.ranked.edge].astype(np.int32))
        return ExposedLists(lists, found.propensity, self.rows[found.unplaced].astype(np.int32))

    def prices(self, ranked: RankedEdges) -> Float32Array:
        """Return the price of a like to each own person when own lists are `ranked`, in the order of rows."""
        exposure = self.model.exposure_of(ranked)
        exposure[~self.moves] = self._fixed
        judged = self.model.unweighted()
        gain = judged.gain(exposure, judged.utilities(exposure))
        arriving = RankedEdges(ranked.indptr, np.flatnonzero(exposure > 0.0).astype(np.int32))
        price = shadow_prices(self.graph, arriving, gain, exposure, self.price)
        return price[: len(self.rows)][self.is_own]

    def _local(self, of_all: Float64Array | None) -> Float64Array | None:
        return None if of_all is None else np.append(of_all[self.rows], np.ones(_CLASSES))


def budget_shares(budget: float, crowds: Sequence[Crowd], region: Int32Array, number: int) -> Float64Array:
    """Return how many likes a region may send each person, `(n_people,)`; over all regions they are `budget`.

    A region that sends somebody likes gets a share in proportion to them, and a little more for the rounding
    to lists, which one region gets in any case.

    crowds: what each region sends; region: `(n_people,)`, by whose lists everybody is shown at least; number:
    of the region asked for.

    >>> sends = Crowd.of(np.array([0], np.int32), np.array([0.5], np.float32), np.array([0.1]))
    >>> nothing = Crowd.joined([])
    >>> [budget_shares(3.0, [nothing, sends], np.array([0]), number).round(2).tolist() for number in (0, 1)]
    [[1.0], [2.0]]
    """
    claims = []
    for of, crowd in enumerate(crowds):
        load = crowd.load(len(region))
        claims.append(np.where((load > 0.0) | (region == of), load + _LEAST_SHARE, 0.0))
    total = np.sum(claims, axis=0)
    return np.asarray(budget * claims[number] / total)
