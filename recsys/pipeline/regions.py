"""The allocation stage by region: tasks in waves, whose files are all that regions tell each other.

Waves: the edges of every region; rounds of Frank-Wolfe steps; lists; places for people in no list. A task
reads the files of the waves before and writes its own, in full or not at all: whoever does it, how often, and
in which order changes nothing. A task that died is done again alone.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.conversations import DECIDING, at_capacity
from recsys.data.geography import centres
from recsys.data.ids import IdIndex
from recsys.pipeline.allocation import activity, read_pool
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import Executor, PartResult, keeping_workers
from recsys.pipeline.fingerprint import code_fingerprint, files_fingerprint, text_fingerprint
from recsys.pipeline.from_settings import executor_from_settings
from recsys.pipeline.list_files import join_lists
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.region_tasks import (
    DROPPED,
    EDGES,
    LISTS,
    PLACES,
    RegionColumns,
    RegionJob,
    RegionPrices,
    RegionRound,
)
from recsys.pipeline.stage_outputs import write_allocation
from recsys.ranking.allocated_lists import UNAVAILABLE_PRICE
from recsys.settings import Settings
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import BoolArray, Float32Array, Int32Array, UInt64Array


@dataclass(frozen=True)
class RegionsSummary:
    """What allocating by region came to.

    redone: tasks done now, the others were finished by an earlier try. full, unplaced, dropped: as of an
    undivided allocation. matches: expected by the allocator's own model.
    """

    people: int
    rows: int
    regions: int
    tasks: int
    redone: int
    full: int
    unplaced: int
    dropped: int
    matches: float
    smallest: int
    largest: int


def n_regions(settings: Settings, listed: int) -> int:
    """Return into how many regions a service with so many listed people is cut.

    >>> n_regions(Settings(), 10_000)
    1
    """
    return 1 if settings.regions.people is None else max(1, round(listed / settings.regions.people))


def allocate_regions(
    settings: Settings,
    paths: NightPaths,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], object] | None = None,
) -> RegionsSummary:
    """Write everybody's list to `work.lists` and the prices to `work.allocation`, region by region.

    Tasks finished by an earlier try from the same candidates, code and settings are not done again. The bytes
    are the same whoever does the tasks. progress: called with a share of the people after each wave.

    Raises BusyError when workers keep dying.
    """
    shared, ids, n = _begun(settings, paths)
    waves = [EDGES, *map(str, range(settings.regions.rounds + 1)), LISTS, PLACES]
    redone, done = 0, dict[int, PartResult]()
    with keeping_workers(executor or executor_from_settings(settings.execution, parts=n)) as worker:
        for at, wave in enumerate(waves):
            job = RegionJob(settings, paths, wave)
            done = {number: part for number in range(n) if (part := job.done(number)) is not None}
            left = [number for number in range(n) if number not in done]
            for part in worker.run(job, left):
                done[part.number] = part
            redone += len(left)
            if progress is not None:
                progress(len(shared.region) * (at + 1) // len(waves) - len(shared.region) * at // len(waves))
    rows = join_lists([job.files.path(number) for number in range(n)], paths.lists)
    price, matches = _prices_and_matches(job, shared, n, last_round=settings.regions.rounds)
    sizes = np.bincount(shared.region, minlength=n)
    figures: dict[str, Any] = {
        "error": settings.allocate.error,
        "rows": [],
        "full": int(shared.full.sum()),
        "regions": sizes.tolist(),
    }
    write_allocation(paths.allocation, price, figures, ids=ids)
    counts = {
        name: sum(part.counts.get(name, 0) for part in done.values())
        for name in ("people", "unplaced", DROPPED)
    }
    shutil.rmtree(job.root, ignore_errors=True)
    return RegionsSummary(
        people=counts["people"],
        rows=rows,
        regions=n,
        tasks=n * len(waves),
        redone=redone,
        full=int(shared.full.sum()),
        unplaced=counts["unplaced"],
        dropped=counts[DROPPED],
        matches=round(matches, 2),
        smallest=int(sizes.min()),
        largest=int(sizes.max()),
    )


def _prices_and_matches(
    job: RegionJob, shared: RegionColumns, n: int, *, last_round: int
) -> tuple[Float32Array, float]:
    """Return everybody's price and the expected matches, from what every region came to."""
    price, matches = np.zeros(len(shared.region), np.float32), 0.0
    for number in range(n):
        here = shared.region == number
        price[here] = load_dataclass(RegionPrices, job.folder(PLACES, number)).price
        matches += 0.5 * float(load_dataclass(RegionRound, job.folder(last_round, number)).utility.sum())
    price[shared.full] = UNAVAILABLE_PRICE
    return price, matches


def _begun(settings: Settings, paths: NightPaths) -> tuple[RegionColumns, IdIndex, int]:
    """Cut the people into regions and write what all share, unless an earlier try did; return it."""
    night = Night.current(settings, paths)
    people, job = night.people, RegionJob(settings, paths, EDGES)
    inputs = {
        "code": code_fingerprint(),
        "accepted": night.fingerprint,
        "pool": files_fingerprint(paths.pool),
        "settings": text_fingerprint(settings.as_yaml()),
    }
    job.files.begin(text_fingerprint(json.dumps(inputs, sort_keys=True)))
    limits = attention_limits(night, settings.seed)
    if limits.indiscriminate.any():
        pool = read_pool(paths, people.ids)
        limits = limits.with_candidates((pairs.candidate, pairs.p_liked_back) for pairs in pool)
    listed = night.policy.compile(people).listed
    region = cut_regions(people.cells, listed, n_regions(settings, int(listed.sum())))
    there = activity(settings.allocate, people)
    shared = RegionColumns(
        region=np.unique(region, return_inverse=True)[1].astype(np.int32),  # a region may have come out empty
        opens=there.opens,
        reads=there.reads,
        share=limits.share,
        indiscriminate=limits.indiscriminate,
        eagerness=limits.eagerness,
        full=at_capacity(people, night.events_of_types(*DECIDING)),
    )
    save_dataclass(job.root / "shared", shared)
    return shared, people.ids, int(shared.region.max(initial=0)) + 1


def cut_regions(cells: UInt64Array, counted: BoolArray, n_regions: int) -> Int32Array:
    """Return the region of each person, `(n_people,)` int32 from 0 to `n_regions - 1`.

    cells: `(n_people,)` uint64 H3 cells, 0 unknown; counted: `(n_people,)` bool, whose number is balanced.

    The cells are halved again and again across their widest extent, where the halves hold numbers of people
    nearest to what they are to hold (J. L. Bentley, Communications of the ACM 18 (1975) 509-517). A cell is
    never cut, so a region may be empty where people live in fewer cells. Who lives nowhere known is spread
    over all regions in the order of rows.

    >>> tokyo, osaka = 0x862F5A32FFFFFFF, 0x862E618E7FFFFFF
    >>> cut_regions(np.array([tokyo, osaka, tokyo, osaka], np.uint64), np.ones(4, bool), 2).tolist()
    [0, 1, 0, 1]
    """
    region = np.zeros(len(cells), np.int32)
    placed = cells != 0
    distinct, place = np.unique(cells[placed], return_inverse=True)
    people = np.bincount(place, weights=counted[placed], minlength=len(distinct))
    of_cell = np.zeros(len(distinct), np.int32)
    at = centres(distinct)
    waiting = [(np.arange(len(distinct)), 0, n_regions)]
    while waiting:
        here, first, n = waiting.pop()
        of_cell[here] = first
        if n <= 1 or not len(here):
            continue
        axis = int(np.argmax(np.ptp(at[here], axis=0)))
        here = here[np.lexsort((here, at[here, axis]))]
        up_to = np.append(0.0, np.cumsum(people[here]))
        cut = int(np.argmin(np.abs(up_to - up_to[-1] * (n // 2) / n)))
        waiting += [(here[:cut], first, n // 2), (here[cut:], first + n // 2, n - n // 2)]
    region[placed] = of_cell[place]
    nowhere = np.flatnonzero(~placed)
    region[nowhere] = np.arange(len(nowhere)) % n_regions
    return region
