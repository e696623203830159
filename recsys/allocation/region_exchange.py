"""Allocation by region: each region moves the lists of its own people, borders are exchanged in rounds.

A region holds the edges of its own viewers, and those that lead from others to its own people, with the
exposures these had after the round before. Of everybody else among the candidates of its viewers it holds the
price and a summary of the inbox: the likes that arrive from other regions, in classes of how welcome they
are. So what a like costs others counts on both sides of a border, and the memory a region takes does not
depend on how many there are.
"""

from dataclasses import dataclass

import numpy as np

from recsys.allocation.allocate import kept_within_budgets, lists_within_budgets
from recsys.allocation.budgets import BudgetPrices, shadow_prices
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.crowd import N_CLASSES, Crowd
from recsys.allocation.frank_wolfe import initial_exposure, step_size, subtract_price, take_step
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists
from recsys.allocation.mixture import DrawState, MixtureDraw
from recsys.allocation.objective import MeanFieldModel, marginal_welfare, utility_of_marginal
from recsys.allocation.randomised_lists import with_lots
from recsys.allocation.rounding import RankedEdges
from recsys.types import BoolArray, Float32Array, Float64Array


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


@dataclass(frozen=True, eq=False)
class RegionState:
    """What a region goes on with: exposures of the edges of own viewers, and the draw of a mixture."""

    exposure: Float32Array
    draw: DrawState | None = None


class RegionAllocation:
    """The lists of one region's people, beside fixed lists of all others.

    edges:    every edge from or to the region, between rows of the whole service.
    is_own:   `(n_people,)` bool, whose lists are moved.
    outside:  what the others did; state: what own people went on with, None at the start.
    activity: of everybody; key: of the random numbers of a mixture, the same in every round.
    """

    def __init__(
        self,
        edges: CandidateGraph,
        is_own: BoolArray,
        outside: Outside,
        config: AllocationConfig,
        activity: MemberActivity,
        *,
        state: RegionState | None = None,
        key: int = 0,
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
            n_people=len(rows) + N_CLASSES,
        )  # keys ascend by row and class, so the order of the classes' edges is another
        by_class = np.lexsort((crowd.row, crowd.number))
        self.moves = np.append(own, np.zeros(len(crowd.key), bool))
        always = np.ones(N_CLASSES, np.float32)
        self.model = MeanFieldModel(
            self.graph,
            config,
            MemberActivity(*(np.append(of[rows], always) for of in (activity.opens, activity.reads))),
        )
        self._fixed = np.append(outside.arriving, crowd.likes[by_class].astype(np.float32))
        self.exposure = np.zeros(self.graph.n_edges, np.float32)
        self._owners = np.append(self.is_own, np.zeros(N_CLASSES, bool))
        self._draw = MixtureDraw(self.graph, config.k, key, config.workers) if config.mixture else None
        if state is None:
            self.exposure = initial_exposure(self.model, self._draw)
        else:
            self.exposure[self.moves] = state.exposure
            if self._draw is not None and state.draw is not None:
                self._draw.resume(state.draw, self._owners, self.moves)
        self._hold()
        self._crowd = crowd
        self.price = np.append(outside.price[rows], np.zeros(N_CLASSES))

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
            to_own = float(self.model.load[self._owners].sum())
            if to_own > 0.0:  # a like is worth what one to an own person is: matches of others are not known
                worth = utility * self._owners * (float(self.model.load.sum()) / to_own)
                prices.update(self.model.load, worth, at)
            if self._draw is not None:
                self._draw.step(gain, prices.price, step_size(self.config, at))
            take_step(self.model, gain, prices.price, step_size(self.config, at), self.exposure)
            self._hold()
        self.price = prices.price

    def _whole(self, utility: Float64Array) -> Float64Array:
        """Return everybody's matches: those of own people as they are, of others as they were."""
        of_others = self.outside.utility[self.rows]
        people = np.where(self.is_own, utility[: len(self.rows)], of_others)
        how = self.config.fairness, self.config.epsilon
        mean = float(marginal_welfare(people, *how).mean()) if len(people) else 1.0
        return np.append(people, utility_of_marginal(self._crowd.marginal_by_class(mean), *how))

    def state(self) -> RegionState:
        """Return what a later round goes on with."""
        draw = None if self._draw is None else self._draw.state(self._owners, self.moves)
        return RegionState(self.exposure[self.moves], draw)

    def crowd(self) -> Crowd:
        """Return the likes own viewers send."""
        at = np.flatnonzero(self.moves)
        receiver = self.rows[self.graph.candidate[at]].astype(np.int32)
        likes = self.graph.p[at].astype(np.float64) * self.exposure[at]
        utility = self.model.utilities(self.exposure)
        marginal = marginal_welfare(utility, self.config.fairness, self.config.epsilon)
        return Crowd.of(receiver, self.graph.q[at], likes, marginal[self.graph.viewer[at]])

    def utilities(self) -> Float64Array:
        """Return the expected matches of own people, in the order of rows."""
        return self.model.unweighted().utilities(self.exposure)[: len(self.rows)][self.is_own]

    def gains(self) -> Float32Array:
        """Return what more exposure of each edge of `graph` is worth, before prices, `(n_edges,)`."""
        return self.model.gain(self.exposure, self._whole(self.model.utilities(self.exposure)))

    def lists(self, budget: Float64Array | None) -> tuple[RankedEdges, Float32Array]:
        """Return the lists of own people and the chance of every entry to be in its list.

        budget: `(n_people,)` likes the region may send each.
        """
        caps = self._local(budget)
        if self._draw is not None:
            sent = np.where(self.moves, self.exposure, np.float32(0.0))
            kept = None if caps is None else kept_within_budgets(self.graph, sent, caps)
            return self._draw.lists(kept, self._owners)
        gain = self.gains()
        subtract_price(
            0, self.graph.n_people, self.graph.indptr, self.graph.candidate, self.graph.p, self.price, gain
        )
        wanted = self.moves & ((self.exposure > 0.0) | (gain > 0.0))
        ranked = lists_within_budgets(self.model, self.exposure, gain, wanted, caps)
        return ranked, np.ones(len(ranked.edge), np.float32)

    def with_lots(
        self, lists: ExposedLists, asked: BoolArray, rng: np.random.Generator, budget: Float64Array | None
    ) -> ExposedLists:
        """Give people a place in a list of the region, and draw whole lists, as the settings say.

        asked: `(n_people,)`, whom this region is to show.
        """
        at = np.flatnonzero(self.moves)
        own = CandidateGraph.of(
            self.graph.viewer[at],
            self.graph.candidate[at],
            p=self.graph.p[at],
            q=self.graph.q[at],
            n_people=self.graph.n_people,
        )
        place = np.full(self.graph.n_edges, -1, np.int32)
        place[at] = np.arange(len(at), dtype=np.int32)
        ranked = RankedEdges(lists.ranked.indptr, place[lists.ranked.edge])
        here = ExposedLists(ranked, lists.propensity, lists.unplaced)
        asked_here = np.append(asked[self.rows], np.zeros(N_CLASSES, bool))
        found = with_lots(own, here, self.model, rng, self._local(budget), asked_here)
        ranked = RankedEdges(found.ranked.indptr, at[found.ranked.edge].astype(np.int32))
        return ExposedLists(ranked, found.propensity, self.rows[found.unplaced].astype(np.int32))

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
        return None if of_all is None else np.append(of_all[self.rows], np.ones(N_CLASSES))
