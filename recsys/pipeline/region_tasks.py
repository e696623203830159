"""The tasks of a region: its edges, one round of exchange, its lists, and places for people in no list.

A task reads the files of the waves before and writes its own, in full or not at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from recsys.allocation.attention import AttentionLimits
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.regions import Crowd, Outside, RegionAllocation, budget_shares
from recsys.allocation.rounding import RankedEdges
from recsys.errors import SourceError
from recsys.pipeline.allocation import allocation_config, read_pool, tied_by_lot
from recsys.pipeline.checkpoints import Checkpoint
from recsys.pipeline.executors import PartFunction, PartResult
from recsys.pipeline.list_files import ROWS_A_GROUP_OF_A_PART, list_table, write_table
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.random import KeyedGenerator, generator
from recsys.ranking.allocated_lists import mutual_candidate_graph, pairs_of_edges
from recsys.ranking.recommend import RankedPairs, Recommender
from recsys.settings import Settings
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array

EDGES: Final = "edges"
LISTS: Final = "lists"
PLACES: Final = "places"
DROPPED: Final = "dropped"


@dataclass(frozen=True, eq=False)
class RegionColumns:
    """What all regions share of everybody, `(n_people,)` each: region, activity, limits, who has no room."""

    region: Int32Array
    opens: Float32Array
    reads: Float32Array
    share: Float32Array
    indiscriminate: BoolArray
    eagerness: Float32Array
    full: BoolArray

    def limits(self, seed: int) -> AttentionLimits:
        """Return the limits of attention, drawn with a seed."""
        return AttentionLimits(self.share, self.indiscriminate, self.eagerness, KeyedGenerator(seed))


@dataclass(frozen=True, eq=False)
class RegionRound:
    """What a region tells the others after a round.

    exposure: of the edges of own viewers; leaving: the same of those to each region; utility, price: of own
    people, ascending; crowd: the likes they send.
    """

    exposure: Float32Array
    leaving: tuple[Float32Array, ...]
    utility: Float64Array
    price: Float64Array
    crowd: Crowd


@dataclass(frozen=True, eq=False)
class _Lists:
    """The lists of a region as edges of its own graph, before places for others, and who stands in them."""

    ranked: RankedEdges
    shown: Int32Array


@dataclass(frozen=True, eq=False)
class RegionPrices:
    """The price of a like to each person of a region, `(n_own,)`."""

    price: Float64Array


@dataclass(frozen=True, eq=False)
class _Edges:
    """Every edge from or to a region, and who is to show each of its people when no list holds them.

    shown_by: `(n_own,)`, their own region, or another one when nobody of their own could be shown them.
    """

    graph: CandidateGraph
    shown_by: Int32Array


@dataclass(frozen=True)
class RegionJob:
    """One wave of tasks; part r is region r.

    wave: `edges`, the number of a round from 0, `lists` or `places`.
    """

    settings: Settings
    paths: NightPaths
    wave: str

    @property
    def root(self) -> Path:
        """Where all waves are."""
        return self.paths.parts / "regions"

    def folder(self, wave: str | int, number: int) -> Path:
        """Return where a region's files of a wave are."""
        return self.root / f"{wave}" / f"{number:05d}"

    @property
    def files(self) -> Checkpoint:
        """Where finished lists are."""
        return Checkpoint(self.root)

    def done(self, number: int) -> PartResult | None:
        """Return a finished task of the wave, None when it is to be done."""
        if self.wave == PLACES:
            return self.files.done(number)
        kind = {EDGES: _Edges, LISTS: _Lists}.get(self.wave, RegionRound)
        try:
            load_dataclass(kind, self.folder(self.wave, number))
        except SourceError:
            return None
        return PartResult(number, 0)

    def open(self) -> PartFunction:
        """Return what does one task of the wave."""
        tasks = _Tasks(self)
        named: dict[str, PartFunction] = {EDGES: tasks.edges, LISTS: tasks.lists, PLACES: tasks.places}
        return named.get(self.wave, tasks.round)


@dataclass(frozen=True, eq=False)
class _Tasks:
    """The tasks of all waves, with what a worker keeps between them."""

    job: RegionJob

    @cached_property
    def _shared(self) -> RegionColumns:
        return load_dataclass(RegionColumns, self.job.root / "shared")

    @cached_property
    def _recommender(self) -> Recommender:
        night = Night.current(self.job.settings, self.job.paths)
        return Recommender(night.people, night.policy)

    @cached_property
    def _config(self) -> AllocationConfig:
        return allocation_config(self.job.settings).changed(workers=1)

    def edges(self, number: int) -> PartResult:
        """Write every edge from or to the region: candidates, and the way back."""
        shared, recommender = self._shared, self._recommender
        own = shared.region == number

        def touching() -> Iterator[RankedPairs]:
            for pairs in read_pool(self.job.paths, recommender.people.ids):
                yield pairs.filtered(own[pairs.viewer] | own[pairs.candidate])

        limits = shared.limits(self.job.settings.seed)
        graph = mutual_candidate_graph(
            touching(), recommender.compiled, recommender.likes, shared.full, limits=limits
        )
        by = np.full(len(own), len(own), np.int32)
        at = np.flatnonzero(own[graph.candidate])
        first = np.where(own[graph.viewer[at]], -1, shared.region[graph.viewer[at]])
        np.minimum.at(by, graph.candidate[at], first)
        nobody = (by < 0) | (by == len(own))
        shown_by = np.where(nobody, number, by)[own].astype(np.int32)
        save_dataclass(self.job.folder(EDGES, number), _Edges(graph, shown_by))
        return PartResult(number, graph.n_edges)

    def round(self, number: int) -> PartResult:
        """Take the steps of a round and write what the others need of it."""
        at, settings = int(self.job.wave), self.job.settings
        region = self._region(number, at)
        steps = np.linspace(0, self._config.steps, settings.regions.rounds + 1).astype(int)
        if at > 0:
            region.take_steps(int(steps[at - 1]), int(steps[at]))
        own = region.rows[region.is_own]
        exposure = region.exposure[region.moves]
        goes_to = self._shared.region[region.rows[region.graph.candidate[region.moves]]]
        found = RegionRound(
            exposure=exposure,
            leaving=tuple(exposure[goes_to == of] for of in range(self._n_regions)),
            utility=self._of_own(number, own, region.utilities()),
            price=self._of_own(number, own, region.price[: len(region.rows)][region.is_own]),
            crowd=region.crowd(),
        )
        save_dataclass(self.job.folder(at, number), found)
        return PartResult(number, 0)

    def lists(self, number: int) -> PartResult:
        """Write the lists of the region, before places for people in no list."""
        region = self._region(number, self.job.settings.regions.rounds + 1)
        ranked = region.lists(self._budget(number))
        shown = np.unique(region.rows[region.graph.candidate[ranked.edge]]).astype(np.int32)
        save_dataclass(self.job.folder(LISTS, number), _Lists(ranked, shown))
        return PartResult(number, len(ranked.edge))

    def places(self, number: int) -> PartResult:
        """Write the finished lists of the region, checked by the plain rules, and the prices."""
        shared, settings, recommender = self._shared, self.job.settings, self._recommender
        region = self._region(number, settings.regions.rounds + 1)
        ranked = load_dataclass(_Lists, self.job.folder(LISTS, number)).ranked
        propensity, unplaced = np.ones(len(ranked.edge), np.float32), 0
        if self._config.minimum_exposure:
            shown = np.zeros(len(shared.region), bool)
            for of in range(self._n_regions):
                shown[load_dataclass(_Lists, self.job.folder(LISTS, of)).shown] = True
            rng = generator(settings, f"allocate region {number}")
            asked = ~shown & (self._shown_by == number)
            exposed = region.with_minimum_exposure(ranked, asked, rng, self._budget(number))
            ranked, propensity, unplaced = exposed.ranked, exposed.propensity, len(exposed.unplaced)
        pairs, dropped = recommender.recheck(self._pairs(number, region, ranked, propensity))
        own = region.rows[region.is_own]
        save_dataclass(
            self.job.folder(PLACES, number), RegionPrices(self._of_own(number, own, region.prices(ranked)))
        )
        table = list_table(
            tied_by_lot(pairs, recommender.people.as_of), recommender.people, recommender.reasons
        )
        write_table(self.job.files.path(number), [table], ROWS_A_GROUP_OF_A_PART)
        counts = {DROPPED: dropped, "unplaced": unplaced, "people": len(np.unique(pairs.viewer))}
        return self.job.files.finish(number, rows=len(pairs), counts=counts)

    def _pairs(
        self, number: int, region: RegionAllocation, ranked: RankedEdges, propensity: Float32Array
    ) -> RankedPairs:
        """Return lists as pairs of people, with the chances before any discount."""
        edges = self._graph(number)
        place = np.full(len(region.moves), -1, np.int32)
        own = self._shared.region[edges.viewer] == number
        place[np.flatnonzero(region.moves)] = np.flatnonzero(own)
        lengths = np.zeros(edges.n_people, np.int64)
        lengths[region.rows] = np.diff(ranked.indptr)[: len(region.rows)]
        found = RankedEdges(np.append(0, np.cumsum(lengths)), place[ranked.edge])
        return pairs_of_edges(edges, found, self.job.settings.recommend.combiner, propensity)

    def _region(self, number: int, at: int) -> RegionAllocation:
        """Return a region with what all did in the round before `at`; at 0 nobody did anything."""
        shared, n_people = self._shared, len(self._shared.region)
        edges = shared.limits(self.job.settings.seed).discounted(self._graph(number))
        own = shared.region == number
        viewer = edges.viewer
        arriving = np.zeros(int((~own[viewer]).sum()), np.float32)
        utility, price, exposure = np.zeros(n_people), np.zeros(n_people), None
        crowds = []
        for of in range(self._n_regions if at else 0):
            said, members = self._said(at - 1, of), shared.region == of
            utility[members], price[members] = said.utility, said.price
            if of == number:
                exposure = said.exposure
                continue
            crowds.append(said.crowd)
            arriving[members[viewer[~own[viewer]]]] = said.leaving[number]
        outside = Outside(arriving, Crowd.joined(crowds), utility, price)
        there = MemberActivity(shared.opens, shared.reads)
        return RegionAllocation(edges, own, outside, self._config, there, exposure=exposure)

    def _budget(self, number: int) -> Float64Array | None:
        """Return how many likes the region may send each person."""
        if self._config.budget is None:
            return None
        last = self.job.settings.regions.rounds
        crowds = [self._said(last, of).crowd for of in range(self._n_regions)]
        return budget_shares(self._config.budget, crowds, self._shown_by, number)

    def _graph(self, number: int) -> CandidateGraph:
        return load_dataclass(_Edges, self.job.folder(EDGES, number), verify=False).graph

    @cached_property
    def _shown_by(self) -> Int32Array:
        region = self._shared.region
        found = np.empty(len(region), np.int32)
        for of in range(self._n_regions):
            edges = load_dataclass(_Edges, self.job.folder(EDGES, of), verify=False)
            found[region == of] = edges.shown_by
        return found

    def _said(self, at: int, number: int) -> RegionRound:
        return load_dataclass(RegionRound, self.job.folder(at, number), verify=False)

    def _of_own(self, number: int, rows: Int32Array, values: Float64Array | Float32Array) -> Float64Array:
        """Return values of some people of a region as one for each of its people, 0 for the rest."""
        whole = np.zeros(len(self._shared.region))
        whole[rows] = values
        return whole[self._shared.region == number]

    @property
    def _n_regions(self) -> int:
        return int(self._shared.region.max()) + 1
