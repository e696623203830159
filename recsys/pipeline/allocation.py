"""The allocation stage: lists from candidates, prices of attention, expected matches beside baselines."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.allocation.attention import AttentionLimits
from recsys.allocation.baseline_rankings import naive, product, random_order
from recsys.allocation.comparison import compare_lists
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.rounding import RankedEdges, listed_edges
from recsys.catalogue.columns import Columns as C
from recsys.data.conversations import DECIDING, at_capacity
from recsys.data.events import CODED
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.experiments.conclusions import night_reading
from recsys.experiments.night_arms import NightArms
from recsys.memory import return_freed_memory
from recsys.pipeline.arm_lists import (
    ALLOCATED,
    OF_NIGHT,
    PRODUCT,
    allocation_config,
    lot_of,
    night_arms,
    night_lists,
    ordered_pairs,
    tied_by_lot,
)
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.list_files import list_tables, write_table
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_outputs import write_allocation
from recsys.ranking.allocated_lists import (
    AllocatedLists,
    allocated_lists,
    mutual_candidate_graph,
)
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.recommend import Recommender
from recsys.settings import AllocateSettings, Settings
from recsys.types import BoolArray

_POOL: Final = [C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL]
_PEOPLE_A_GROUP = 150_000
"""Of so many people one more row group of a pool is read at a time: each time everybody's id is hashed."""
_ENTRIES_TO_JUDGE = 25_000_000
"""Entries of lists played in all: truths differ the less the more people there are."""
_DRAWS = (3, 10)
"""Truths at least and at most."""


@dataclass(frozen=True)
class AllocationSummary:
    """What choosing the lists came to.

    full: people who left the pool with as many companions as they wish for. unseen: who could be shown
    to somebody and is not. dropped: pairs the plain check took out, anything but 0 is a defect.
    gain: expected matches over those of lists by product, less 1. steps: how many were taken.
    """

    people: int
    rows: int
    full: int
    unplaced: int
    dropped: int
    gain: float | None
    steps: int = 0


def allocate_night(settings: Settings, paths: NightPaths) -> AllocationSummary:
    """Write everybody's list to `work.lists`, the prices and what is expected to `work.allocation`."""
    night = Night.current(settings, paths)
    if not settings.allocate.enabled:
        recommender = Recommender(night.people, night.policy)
        pool = read_pool(paths, night.people.ids)
        return _best_of_pool(settings, paths, recommender, pool, attention_limits(night, settings.seed))
    config = allocation_config(settings)
    candidates = _Candidates.of(night, paths, config.workers)
    rng = lot_of(settings, config, candidates.as_of)
    full, there = candidates.full, candidates.there
    found, pairs, recommender = _chosen(night, candidates, config, rng)
    prices, dropped, allocation = found.prices, found.dropped, found.allocation
    unplaced, steps = len(allocation.unplaced), len(allocation.trace) - 1
    compared = ListsToCompare.of(found, config, rng)
    del candidates, found, allocation  # the edges of everybody; those of lists are enough to compare them
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(_write_lists, paths, pairs, recommender)
        figures = expected(compared, config, settings.allocate, there, rng) | {"full": int(full.sum())}
        figures |= experiment_figures(night)
        written.result()
    write_allocation(paths.allocation, prices, figures, ids=night.people.ids)
    return AllocationSummary(
        people=len(np.unique(pairs.viewer)),
        rows=len(pairs),
        full=int(full.sum()),
        unplaced=unplaced,
        dropped=dropped,
        gain=next((round(row["gain"], 4) for row in figures["rows"] if row["name"] == ALLOCATED), None),
        steps=steps,
    )


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The candidates of a night as edges, and what else the allocator has to know of its people.

    full: `(n_people,)` bool, who has as many companions as they wish for. there: how likely each opens lists.
    """

    graph: CandidateGraph
    limits: AttentionLimits
    full: BoolArray
    there: MemberActivity
    arms: NightArms | None
    as_of: pd.Timestamp

    @classmethod
    def of(cls, night: Night, paths: NightPaths, workers: int) -> Self:
        """Read the people of a night, then its candidates; people are let go, to leave room for the edges."""
        people, settings = night.people, night.settings
        recommender, ids = Recommender(people, night.policy), people.ids
        limits, full = _limits_and_full(night, recommender)
        compiled, likes = recommender.compiled, recommender.likes
        of_people = activity(settings.allocate, people), night_arms(settings, people), people.as_of
        del people, recommender
        night.release()
        return_freed_memory()
        pool = read_pool(paths, ids)
        graph = mutual_candidate_graph(pool, compiled, likes, full, workers, limits=limits)
        return cls(graph, limits, full, *of_people)


def _chosen(
    night: Night, candidates: _Candidates, config: AllocationConfig, rng: np.random.Generator
) -> tuple[AllocatedLists, RankedPairs, Recommender]:
    """Return the lists by the settings of the night, those of every arm, and what checked them.

    People are read again when lists have been chosen.
    """
    settings, graph, as_of = night.settings, candidates.graph, candidates.as_of
    allocated = partial(
        allocated_lists,
        activity=candidates.there,
        combiner=settings.recommend.combiner,
        limits=candidates.limits,
    )
    checks: list[Recommender] = []

    def recommender() -> Recommender:
        checks.append(Recommender(night.people, night.policy))
        return checks[-1]

    found = allocated(recommender, graph, config, rng=rng, full=candidates.full)
    (again,) = checks

    def of_arm(arm: str) -> RankedPairs:
        if arm == OF_NIGHT:
            return found.pairs
        own = allocation_config(settings, arm)
        return allocated(again, graph, own, rng=lot_of(settings, own, as_of, arm=arm)).pairs

    def ordered(order: str) -> RankedPairs:
        return ordered_pairs(again, graph, order, settings)

    return found, night_lists(settings, candidates.arms, as_of, ordered, of_arm), again


def _limits_and_full(night: Night, recommender: Recommender) -> tuple[AttentionLimits, BoolArray]:
    """Return whose attention is limited and who is full, `(n_people,)`; meanwhile the rules are compiled."""
    with ThreadPoolExecutor(1) as beside:
        compiled = beside.submit(lambda: recommender.compiled)
        limits = attention_limits(night, night.settings.seed)
        full = at_capacity(night.people, night.events_of_types(*DECIDING, columns=CODED))
        compiled.result()
    return_freed_memory()  # what reading everybody and compiling the rules took
    return limits, full


def _write_lists(paths: NightPaths, pairs: RankedPairs, recommender: Recommender) -> None:
    write_table(paths.lists, list_tables(pairs, recommender.people, recommender.reasons))


def experiment_figures(night: Night) -> dict[str, Any]:
    """Return what an experiment has shown until the night, nothing where none is declared."""
    experiment, people = night.settings.experiment, night.people
    if experiment is None:
        return {}
    arms = NightArms.of(experiment, people.ids.values, people.as_of)
    happened = night.events_of_types("impression", "like", "report", "block")
    return {"experiment": night_reading(arms, happened, people.as_of)}


def activity(settings: AllocateSettings, people: Population) -> MemberActivity:
    """Return how likely everybody opens lists and inboxes, by when they were last here; unknown is never."""
    opens = np.zeros(len(people), np.float32)
    for word, chance in settings.opens.items():
        opens[people.is_word(C.ACTIVITY, word)] = chance
    return MemberActivity.of(opens, n_people=len(people))


def read_pool(paths: NightPaths, ids: IdIndex, groups: range | None = None) -> Iterator[RankedPairs]:
    """Read the candidates as rows of `ids`, in viewer and rank order, some whole lists at a time.

    groups: row groups of the file, all when None; lists may begin before the first of them and go on after
    the last.
    """
    texts, cut_off = pa.array(ids.values, pa.string()), RankedPairs.joined([])
    with pq.ParquetFile(paths.pool, read_dictionary=[C.VIEWER, C.CANDIDATE]) as file:
        wanted = list(range(file.num_row_groups) if groups is None else groups)
        at_once = 1 + len(ids) // _PEOPLE_A_GROUP
        for first in range(0, len(wanted), at_once):
            table = file.read_row_groups(wanted[first : first + at_once], columns=_POOL)
            viewer, candidate = (_rows(table[column], ids, texts) for column in (C.VIEWER, C.CANDIDATE))
            p, q, both = (table[column].to_numpy() for column in (C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL))
            pairs = RankedPairs(viewer, candidate, p, q, both.astype(np.float64))
            if len(cut_off):
                pairs = RankedPairs.joined([cut_off, pairs])
            others = np.flatnonzero(pairs.viewer != pairs.viewer[-1:])
            end = int(others[-1]) + 1 if len(others) else 0  # the last list may go on in the next group
            yield pairs.filtered(slice(end))
            cut_off = pairs.filtered(slice(end, None))
    yield cut_off


def _rows(column: pa.ChunkedArray, ids: IdIndex, texts: pa.Array) -> npt.NDArray[np.int32]:
    """Look each distinct id of every row group up once; `texts` are those of `ids`."""
    words = [chunk.dictionary for chunk in column.chunks]
    found = pc.index_in(pa.chunked_array(words, pa.string()), value_set=texts)
    if found.null_count:
        for some in words:
            ids.rows(some.to_numpy(zero_copy_only=False))  # names the unknown one
    rows = found.to_numpy()
    parts, start = [np.empty(0, np.int32)], 0
    for chunk in column.chunks:
        own = rows[start : start + len(chunk.dictionary)]
        parts.append(own[chunk.indices.to_numpy(zero_copy_only=False)])
        start += len(own)
    return np.concatenate(parts)


class ListsToCompare(NamedTuple):
    """Lists by name as edges of a graph of these edges alone; there: `(n_people,)`, who takes part at all."""

    graph: CandidateGraph
    lists: Mapping[str, RankedEdges]
    there: BoolArray

    @classmethod
    def of(cls, found: AllocatedLists, config: AllocationConfig, rng: np.random.Generator) -> Self:
        """Return the lists of a night beside other orders of the same candidates."""
        graph, k, workers = found.graph, config.k, config.workers
        lists: Mapping[str, RankedEdges] = {
            "random": random_order(graph, k, rng, workers),
            "naive": naive(graph, k, workers),
            PRODUCT: product(graph, k, workers),
            ALLOCATED: found.allocation.ranked,
        }
        return cls(*listed_edges(graph, lists), graph.takes_part)


def expected(
    compared: ListsToCompare,
    config: AllocationConfig,
    settings: AllocateSettings,
    opened: MemberActivity,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return what the lists are expected to bring under the model's own error, beside other orders."""
    graph, lists, there = compared
    if graph.n_edges == 0:
        return {"error": settings.error, "rows": []}
    rows = compare_lists(
        graph,
        lists,
        reference=PRODUCT,
        rng=rng,
        look=config.look,
        inbox=config.inbox,
        activity=opened,
        error=settings.error,
        draws=int(np.clip(_ENTRIES_TO_JUDGE // _entries(lists), *_DRAWS)),
        workers=config.workers,
        there=there,
    )
    return {"error": settings.error, "people": int(there.sum()), "rows": [asdict(row) for row in rows]}


def _entries(lists: Mapping[str, RankedEdges]) -> int:
    return max(sum(len(ranked.edge) for ranked in lists.values()), 1)


def _best_of_pool(
    settings: Settings,
    paths: NightPaths,
    recommender: Recommender,
    pool: Iterable[RankedPairs],
    limits: AttentionLimits,
) -> AllocationSummary:
    """Write the best of every pool, whoever else wants the same people."""
    k = settings.recommend.k
    if limits.indiscriminate.any():
        once = read_pool(paths, recommender.people.ids)
        limits = limits.with_candidates((pairs.candidate, pairs.p_liked_back) for pairs in once)
    best = (limited(pairs, limits) for pairs in pool)
    kept = RankedPairs.joined(pairs.filtered(pairs.rank() <= k) for pairs in best)
    allowed = kept.allowed(recommender.policy, recommender.people)
    kept = tied_by_lot(kept.filtered(allowed), recommender.people.as_of)
    _write_lists(paths, kept, recommender)
    no_prices = np.zeros(len(recommender.people), np.float32)
    write_allocation(paths.allocation, no_prices, {"rows": []}, ids=recommender.people.ids)
    people = len(np.unique(kept.viewer))
    return AllocationSummary(people, len(kept), full=0, unplaced=0, dropped=int((~allowed).sum()), gain=None)


def limited(pairs: RankedPairs, limits: AttentionLimits) -> RankedPairs:
    """Return whole lists without those who may not stand in them, eager people behind."""
    if not limits.limits_anybody:
        return pairs
    kept = pairs.filtered(limits.keeps(pairs.viewer, pairs.candidate))
    order = np.lexsort((-kept.p_mutual * limits.eagerness[kept.candidate], kept.viewer))
    return RankedPairs(
        *(
            getattr(kept, name)[order]
            for name in ("viewer", "candidate", "p_like", "p_liked_back", "p_mutual")
        )
    )
