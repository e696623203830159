"""The tasks of a region: its candidates, its edges, one round of exchange, its lists, places, its table.

A task reads the files of the waves before and writes its own, in full or not at all.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.crowd import Crowd, budget_shares
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.minimum_exposure import ExposedLists
from recsys.allocation.region_exchange import Outside, RegionAllocation
from recsys.allocation.rounding import RankedEdges
from recsys.errors import SourceError
from recsys.pipeline.allocation import read_pool
from recsys.pipeline.arm_lists import allocation_config, lot_of, night_arms, night_lists, ordered_pairs
from recsys.pipeline.checkpoints import Checkpoint
from recsys.pipeline.executors import PartFunction, PartResult, measured
from recsys.pipeline.list_files import ROWS_A_GROUP_OF_A_PART, list_table, write_table
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.region_files import (
    EDGES,
    LISTS,
    PLACES,
    SHUFFLE,
    TABLES,
    RegionColumns,
    RegionEdges,
    RegionLists,
    RegionPairs,
    RegionRound,
    ShuffledPairs,
)
from recsys.ranking.allocated_lists import mutual_candidate_graph, pairs_of_edges
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.recommend import Recommender
from recsys.settings import Settings
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import Float64Array, Int32Array

_OF_ALL_ARMS: Final = (SHUFFLE, EDGES, TABLES)
_KINDS: Final = {SHUFFLE: ShuffledPairs, EDGES: RegionEdges, LISTS: RegionLists, PLACES: RegionPairs}


@dataclass(frozen=True)
class RegionJob:
    """One wave of tasks; part r is region r.

    wave: `shuffle`, `edges`, the number of a round from 0, `lists`, `places` or `tables`.
    arm: whose lists are allocated, of an experiment with other settings; empty for those of the night.
    """

    settings: Settings
    paths: NightPaths
    wave: str
    arm: str = ""

    @property
    def root(self) -> Path:
        """Where all waves are."""
        return self.paths.parts / "regions"

    def folder(self, wave: str | int, number: int) -> Path:
        """Return where a region's files of a wave are."""
        of_arm = "" if wave in _OF_ALL_ARMS else f"arm_{self.arm}" if self.arm else "night"
        return self.root / of_arm / f"{wave}" / f"{number:05d}"

    @property
    def files(self) -> Checkpoint:
        """Where finished tables are."""
        return Checkpoint(self.root)

    def of_arm(self, arm: str) -> "RegionJob":
        """Return the job of the same wave for another arm."""
        return replace(self, arm=arm)

    def done(self, number: int) -> PartResult | None:
        """Return a finished task of the wave, None when it is to be done."""
        if self.wave == TABLES:
            return self.files.done(number)
        try:
            load_dataclass(_KINDS.get(self.wave, RegionRound), self.folder(self.wave, number))
        except SourceError:
            return None
        return PartResult(number, 0)

    def pairs(self, number: int) -> RegionPairs:
        """Return the checked lists of a region."""
        return load_dataclass(RegionPairs, self.folder(PLACES, number), verify=False)

    def open(self) -> PartFunction:
        """Return what does one task of the wave."""
        tasks = _Tasks(self)
        named: dict[str, PartFunction] = {
            SHUFFLE: tasks.shuffle,
            EDGES: tasks.edges,
            LISTS: tasks.lists,
            PLACES: tasks.places,
            TABLES: tasks.tables,
        }
        return measured(named.get(self.wave, tasks.round))


@dataclass(frozen=True, eq=False)
class _Tasks:
    """One function a wave; what a worker needs for several tasks is read once."""

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
        return allocation_config(self.job.settings, self.job.arm).changed(workers=1)

    def shuffle(self, number: int) -> PartResult:
        """Write one piece of everybody's candidates by the regions they concern."""
        shared, ids = self._shared, self._recommender.people.ids
        n = shared.n_regions
        n_groups = pq.read_metadata(self.job.paths.pool).num_row_groups
        groups = range(n_groups * number // n, n_groups * (number + 1) // n)
        pairs = RankedPairs.joined(read_pool(self.job.paths, ids, groups))
        save_dataclass(self.job.folder(SHUFFLE, number), ShuffledPairs.of(pairs, shared.region, n))
        return PartResult(number, len(pairs))

    def edges(self, number: int) -> PartResult:
        """Write every edge from or to the region: candidates, and the way back."""
        shared, recommender = self._shared, self._recommender
        pieces = (self.job.folder(SHUFFLE, of) for of in range(shared.n_regions))
        touching = RankedPairs.joined(
            load_dataclass(ShuffledPairs, piece, verify=False).of_region(number) for piece in pieces
        )
        limits = shared.limits(self.job.settings.seed)
        graph = mutual_candidate_graph(
            [touching], recommender.compiled, recommender.likes, shared.full, limits=limits
        )
        save_dataclass(self.job.folder(EDGES, number), RegionEdges.of(graph, shared.region, number))
        return PartResult(number, graph.n_edges)

    def round(self, number: int) -> PartResult:
        """Take the steps of a round and write what the others need of it."""
        at, shared = int(self.job.wave), self._shared
        region = self._region(number, at)
        steps = np.linspace(0, self._config.steps, self.job.settings.regions.rounds + 1).astype(int)
        if at > 0:
            region.take_steps(int(steps[at - 1]), int(steps[at]))
        own, state = region.rows[region.is_own], region.state()
        goes_to = shared.region[region.rows[region.graph.candidate[region.moves]]]
        found = RegionRound(
            state=state,
            leaving=tuple(state.exposure[goes_to == of] for of in range(shared.n_regions)),
            utility=shared.of_own(number, own, region.utilities()),
            price=shared.of_own(number, own, region.price[: len(region.rows)][region.is_own]),
            crowd=region.crowd(),
        )
        save_dataclass(self.job.folder(at, number), found)
        return PartResult(number, 0)

    def lists(self, number: int) -> PartResult:
        """Write the lists of the region, before places for people in no list."""
        region = self._region(number, self.job.settings.regions.rounds + 1)
        ranked, propensity = region.lists(self._budget(number))
        shown = np.unique(region.rows[region.graph.candidate[ranked.edge]]).astype(np.int32)
        save_dataclass(self.job.folder(LISTS, number), RegionLists(ranked, propensity, shown))
        return PartResult(number, len(ranked.edge))

    def places(self, number: int) -> PartResult:
        """Write the finished lists of the region, checked by the plain rules, and the prices."""
        shared, settings, recommender = self._shared, self.job.settings, self._recommender
        region = self._region(number, settings.regions.rounds + 1)
        shown = np.zeros(len(shared.region), bool)
        for of in range(shared.n_regions):
            shown[self._lists(of).shown] = True
        before = self._lists(number)
        exposed = region.with_lots(
            ExposedLists(before.ranked, before.propensity, np.zeros(0, np.int32)),
            ~shown & (self._shown_by == number),
            self._lot(number),
            self._budget(number),
        )
        edges, limits = self._graph(number), shared.limits(settings.seed)
        pairs, dropped = recommender.recheck(self._pairs(edges, number, region, exposed))
        own = region.rows[region.is_own]
        price = shared.of_own(number, own, region.prices(exposed.ranked))
        if limits.limits_anybody:
            everybody = np.zeros(len(shared.region), np.float32)
            everybody[shared.region == number] = price
            price = limits.prices(everybody, edges)[shared.region == number].astype(np.float64)
        found = RegionPairs(pairs, price, dropped, len(exposed.unplaced))
        save_dataclass(self.job.folder(PLACES, number), found)
        return PartResult(number, len(pairs))

    def tables(self, number: int) -> PartResult:
        """Write the lists of the region as they are published, of every arm of an experiment."""
        recommender, settings = self._recommender, self.job.settings
        edges = self._graph(number)
        own = self._own_edges(edges, number)

        def ordered(order: str) -> RankedPairs:
            return ordered_pairs(recommender, own, order, settings)

        pairs = night_lists(
            settings,
            night_arms(settings, recommender.people),
            recommender.people.as_of,
            ordered,
            lambda arm: self.job.of_arm(arm).pairs(number).pairs,
        )
        table = list_table(pairs, recommender.people, recommender.reasons)
        write_table(self.job.files.path(number), [table], ROWS_A_GROUP_OF_A_PART)
        return self.job.files.finish(number, rows=len(pairs), counts={"people": len(np.unique(pairs.viewer))})

    def _own_edges(self, edges: CandidateGraph, number: int) -> CandidateGraph:
        """Return the edges of own viewers alone."""
        own = self._shared.region[edges.viewer] == number
        return CandidateGraph.of(
            edges.viewer[own], edges.candidate[own], p=edges.p[own], q=edges.q[own], n_people=edges.n_people
        )

    def _pairs(
        self, edges: CandidateGraph, number: int, region: RegionAllocation, lists: ExposedLists
    ) -> RankedPairs:
        """Return lists as pairs of people, with the chances before any discount."""
        place = np.full(len(region.moves), -1, np.int32)
        own = self._shared.region[edges.viewer] == number
        place[np.flatnonzero(region.moves)] = np.flatnonzero(own)
        lengths = np.zeros(edges.n_people, np.int64)
        lengths[region.rows] = np.diff(lists.ranked.indptr)[: len(region.rows)]
        found = RankedEdges(np.append(0, np.cumsum(lengths)), place[lists.ranked.edge])
        return pairs_of_edges(edges, found, self.job.settings.recommend.combiner, lists.propensity)

    def _region(self, number: int, at: int) -> RegionAllocation:
        """Return a region with what all did in the round before `at`; at 0 nobody did anything."""
        shared, n_people = self._shared, len(self._shared.region)
        edges = shared.limits(self.job.settings.seed).discounted(self._graph(number))
        own = shared.region == number
        viewer = edges.viewer
        arriving = np.zeros(int((~own[viewer]).sum()), np.float32)
        utility, price, state = np.zeros(n_people), np.zeros(n_people), None
        crowds = []
        for of in range(shared.n_regions if at else 0):
            said, members = self._said(at - 1, of), shared.region == of
            utility[members], price[members] = said.utility, said.price
            if of == number:
                state = said.state
                continue
            crowds.append(said.crowd)
            arriving[members[viewer[~own[viewer]]]] = said.leaving[number]
        outside = Outside(arriving, Crowd.joined(crowds), utility, price)
        there = MemberActivity(shared.opens, shared.reads)
        key = int(self._lot(number, " mixture").integers(0, 2**63)) if self._config.mixture else 0
        return RegionAllocation(edges, own, outside, self._config, there, state=state, key=key)

    def _lot(self, number: int, what: str = "") -> np.random.Generator:
        """Return the generator of what a region draws."""
        job = self.job
        as_of = self._recommender.people.as_of
        return lot_of(job.settings, self._config, as_of, arm=job.arm, what=f" region {number}{what}")

    def _budget(self, number: int) -> Float64Array | None:
        """Return how many likes the region may send each person."""
        if self._config.budget is None:
            return None
        last = self.job.settings.regions.rounds
        crowds = [self._said(last, of).crowd for of in range(self._shared.n_regions)]
        return budget_shares(self._config.budget, crowds, self._shown_by, number)

    def _graph(self, number: int) -> CandidateGraph:
        return load_dataclass(RegionEdges, self.job.folder(EDGES, number), verify=False).graph

    def _lists(self, number: int) -> RegionLists:
        return load_dataclass(RegionLists, self.job.folder(LISTS, number), verify=False)

    @cached_property
    def _shown_by(self) -> Int32Array:
        region = self._shared.region
        found = np.empty(len(region), np.int32)
        for of in range(self._shared.n_regions):
            edges = load_dataclass(RegionEdges, self.job.folder(EDGES, of), verify=False)
            found[region == of] = edges.shown_by
        return found

    def _said(self, at: int, number: int) -> RegionRound:
        return load_dataclass(RegionRound, self.job.folder(at, number), verify=False)
