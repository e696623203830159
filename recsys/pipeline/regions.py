"""The allocation stage by region: tasks in waves, whose files are all that regions tell each other.

Waves: candidates by region; the edges of every region; rounds of Frank-Wolfe steps; lists; places for people
in no list; tables, which are published together. A task reads the files of the waves before and writes its
own, in full or not at all: whoever does it, how often, and in which order changes nothing. A task that died
is done again alone.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from recsys.data.conversations import DECIDING, at_capacity
from recsys.pipeline.allocation import activity, experiment_figures, read_pool
from recsys.pipeline.arm_lists import OF_NIGHT, allocated_arms, night_arms
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import MILLISECONDS, PEAK_KB, Executor, PartResult, keeping_workers
from recsys.pipeline.fingerprint import code_fingerprint, files_fingerprint, text_fingerprint
from recsys.pipeline.from_settings import executor_from_settings
from recsys.pipeline.list_files import join_lists
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.region_files import (
    EDGES,
    LISTS,
    PLACES,
    SHUFFLE,
    TABLES,
    RegionColumns,
    RegionRound,
)
from recsys.pipeline.region_partition import cut_regions, region_figures
from recsys.pipeline.region_tasks import RegionJob
from recsys.pipeline.stage_log import append_line, read_lines
from recsys.pipeline.stage_outputs import write_allocation
from recsys.ranking.allocated_lists import UNAVAILABLE_PRICE
from recsys.settings import Settings
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import Int64Array


@dataclass(frozen=True)
class RegionsSummary:
    """What allocating by region came to.

    redone: tasks done now, the others were finished by an earlier try. full, unplaced, dropped: as of an
    undivided allocation. matches: expected by the allocator's own model. by_region: people of each region,
    the seconds of its tasks and the most memory of one.
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
    by_region: list[dict[str, float]] = field(default_factory=list, compare=False)


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
    night = Night.current(settings, paths)
    shared = _begun(night, settings, paths)
    n, n_people = shared.n_regions, len(shared.region)
    waves = _waves(settings, night)
    redone, done = 0, dict[int, PartResult]()
    with keeping_workers(executor or executor_from_settings(settings.execution, parts=n)) as worker:
        for at, (wave, arm) in enumerate(waves):
            job = RegionJob(settings, paths, wave, arm)
            done = {number: part for number in range(n) if (part := job.done(number)) is not None}
            left = [number for number in range(n) if number not in done]
            for part in worker.run(job, left):
                done[part.number] = part
                append_line(job.root / _TASKS, {"stage": wave, "region": part.number, **part.counts})
            redone += len(left)
            if progress is not None:
                progress(n_people * (at + 1) // len(waves) - n_people * at // len(waves))
    rows = join_lists([job.files.path(number) for number in range(n)], paths.lists)
    lists = [job.pairs(number) for number in range(n)]
    price = np.zeros(n_people, np.float32)
    for number, of in enumerate(lists):
        price[shared.region == number] = of.price
    price[shared.full] = UNAVAILABLE_PRICE
    sizes = np.bincount(shared.region, minlength=n)
    full = int(shared.full.sum())
    regions = region_figures(shared.region, night.people.cells)
    figures: dict[str, Any] = {"error": settings.allocate.error, "rows": [], "full": full, "regions": regions}
    write_allocation(paths.allocation, price, figures | experiment_figures(night), ids=night.people.ids)
    found = RegionsSummary(
        people=sum(part.counts["people"] for part in done.values()),
        rows=rows,
        regions=n,
        tasks=n * len(waves),
        redone=redone,
        full=full,
        unplaced=sum(of.unplaced for of in lists),
        dropped=_dropped(job, waves, n),
        matches=round(_matches(job, n, last_round=settings.regions.rounds), 2),
        smallest=int(sizes.min()),
        largest=int(sizes.max()),
        by_region=_measured(job, sizes),
    )
    shutil.rmtree(job.root, ignore_errors=True)
    return found


_TASKS: Final = "tasks.jsonl"


def _waves(settings: Settings, night: Night) -> list[tuple[str, str]]:
    """Return every wave of tasks, and of which arm it is."""
    rounds = [*map(str, range(settings.regions.rounds + 1)), LISTS, PLACES]
    arms = allocated_arms(settings, night_arms(settings, night.people))
    of_arms = [(wave, arm) for arm in arms for wave in rounds]
    return [(SHUFFLE, OF_NIGHT), (EDGES, OF_NIGHT), *of_arms, (TABLES, OF_NIGHT)]


def _dropped(job: RegionJob, waves: list[tuple[str, str]], n: int) -> int:
    """Return how many pairs the plain check took out of the lists of all arms."""
    arms = [arm for wave, arm in waves if wave == PLACES]
    return sum(job.of_arm(arm).pairs(number).dropped for arm in arms for number in range(n))


def _matches(job: RegionJob, n: int, *, last_round: int) -> float:
    """Return the expected matches of the lists of the night, by what every region came to."""
    rounds = (load_dataclass(RegionRound, job.folder(last_round, number)) for number in range(n))
    return sum(0.5 * float(of.utility.sum()) for of in rounds)


def _measured(job: RegionJob, sizes: Int64Array) -> list[dict[str, float]]:
    """Return people, seconds and the most memory of every region's tasks, of all tries."""
    found = [{"people": float(people), "seconds": 0.0, "peak_mb": 0.0} for people in sizes]
    for line in read_lines(job.root / _TASKS):
        of = found[int(line["region"])]
        of["seconds"] = round(of["seconds"] + float(line.get(MILLISECONDS, 0)) / 1000, 2)
        of["peak_mb"] = max(of["peak_mb"], round(float(line.get(PEAK_KB, 0)) / 1024, 1))
    return found


def _begun(night: Night, settings: Settings, paths: NightPaths) -> RegionColumns:
    """Cut the people into regions and write what all share, unless an earlier try did; return it."""
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
    return shared
