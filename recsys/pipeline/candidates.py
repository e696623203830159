"""The candidate stage: retrieval for one part of the viewers at a time, resumed from checkpoints."""

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.constraints.plugin import check_plugin_constraints
from recsys.pipeline.checkpoints import Checkpoint
from recsys.pipeline.executors import Executor, InProcess, PartFunction, PartResult, Threads
from recsys.pipeline.fingerprint import candidates_fingerprint
from recsys.pipeline.from_settings import directed_of, executor_from_settings, load_model
from recsys.pipeline.list_files import (
    ROWS_A_GROUP_OF_A_PART,
    id_texts,
    join_lists,
    list_table,
    write_table,
)
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.ranking.recommend import SAMPLED, Recommender
from recsys.retrieval.tile_order import TileOrder, tile_order
from recsys.retrieval.top_k import TILE, Retriever
from recsys.settings import Settings
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import Int32Array


@dataclass(frozen=True, eq=False)
class Partition:
    """Part p holds the viewers `rows[starts[p]:starts[p + 1]]`, ascending.

    rows: `(n_viewers,)` int32, each once; starts: `(n_parts + 1,)` int64.
    """

    rows: Int32Array
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def part(self, number: int) -> Int32Array:
        """Return the viewers of one part."""
        return self.rows[self.starts[number] : self.starts[number + 1]]


def partition(order: TileOrder, people_a_part: int) -> Partition:
    """Cut people in tile order into parts of at most `people_a_part`.

    A part is whole tiles, for what a search reads for one viewer of a tile serves all that it is asked for.
    A tile is cut only when it alone holds more than a part may.

    >>> tiles = TileOrder(np.array([4, 0, 1, 3, 2], np.int32), np.array([0, 2, 3, 5]))
    >>> cut = partition(tiles, 3)
    >>> [cut.part(number).tolist() for number in range(len(cut))]
    [[0, 1, 4], [2, 3]]
    """
    starts, begin, before = [0], 0, 0
    for end in order.starts[1:].tolist():
        if end - begin > people_a_part and before > begin:
            starts.append(before)
            begin = before
        while end - begin > people_a_part:
            begin += people_a_part
            starts.append(begin)
        before = end
    if begin < len(order.rows):
        starts.append(len(order.rows))
    parts = np.array(starts, np.int64)
    ascending = [np.sort(order.rows[a:b]) for a, b in itertools.pairwise(parts)]
    return Partition(np.concatenate(ascending) if ascending else order.rows, parts)


DROPPED = "dropped"
"""Count of a part: pairs that the plain check took out; anything but 0 is a defect."""


@dataclass(frozen=True)
class CandidateJob:
    """Everybody's candidates; part p is the viewers of part p of the partition in the work folder.

    made: what searches, where this process does the parts itself; opening the job takes it from here. Empty
    where others do them, who read everybody as they lie laid out.
    """

    settings: Settings
    paths: NightPaths
    made: list[Recommender] = field(default_factory=list, compare=False)

    @property
    def files(self) -> Checkpoint:
        """Where parts are written."""
        return Checkpoint(self.paths.parts / "recommend")

    @property
    def laid_out(self) -> Path:
        """Where everybody lies laid out while the step is under way; all workers share the memory of it."""
        return self.paths.parts / "laid_out"

    def prepare(self, night: Night, compiled: Compiled, order: TileOrder, worker: Executor) -> None:
        """Lay out everybody, once: in memory for this process, in files for others to share the memory of."""
        directed = directed_of(load_model(self.settings.model, self.paths.model), night.people)
        retriever = Retriever(directed, compiled, order=order)
        if isinstance(worker, InProcess | Threads):
            self.made.append(Recommender(night.people, night.policy, lambda: retriever))
        else:
            retriever.save(self.laid_out)

    def _recommender(self) -> Recommender:
        if self.made:
            return self.made.pop()
        night = Night.current(self.settings, self.paths)
        return Recommender(night.people, night.policy, lambda: Retriever.opened(self.laid_out))

    def open(self) -> PartFunction:
        """Return what finds the candidates of one part, among the people that `prepare` laid out."""
        recommender = self._recommender()
        cut = load_dataclass(Partition, self.paths.parts / "cut")
        files, chosen = self.files, self.settings.recommend
        _ = recommender.retriever, recommender.likes  # read once, before several threads ask for them
        texts = id_texts(recommender.people)

        def one(number: int) -> PartResult:
            pairs, dropped = recommender.pairs(
                cut.part(number), k=chosen.pool, combiner=chosen.combiner, check_each=SAMPLED
            )
            table = list_table(pairs, recommender.people, None, texts)
            write_table(files.path(number), [table], ROWS_A_GROUP_OF_A_PART)
            return files.finish(number, rows=len(pairs), counts={DROPPED: dropped})

        return one


@dataclass(frozen=True)
class CandidateSummary:
    """What finding the candidates came to.

    rows: suggestions; parts: parts there are, redone: those done now, the others were finished already;
    dropped: pairs the plain check took out, anything but 0 is a defect.
    """

    people: int
    rows: int
    parts: int
    redone: int
    dropped: int


def recommend_night(
    settings: Settings,
    paths: NightPaths,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], object] | None = None,
) -> CandidateSummary:
    """Write everybody's candidates to `work.pool`, in viewer and rank order, without reasons.

    Parts finished by an earlier try from the same data, code and settings are not done again. The bytes
    are the same however the viewers are cut and whoever does the parts.

    progress: called with the number of viewers done, as parts are finished.

    Raises BusyError when workers keep dying, PluginError for a rule from outside that contradicts itself.
    """
    job = CandidateJob(settings, paths)
    cut, done, worker = _begun(job, executor)
    left = [number for number in range(len(cut)) if number not in done]
    for number in done:
        _tell(progress, len(cut.part(number)))
    for part in worker.run(job, left):
        done[part.number] = part
        _tell(progress, len(cut.part(part.number)))
    shutil.rmtree(job.laid_out, ignore_errors=True)
    rows = join_lists([job.files.path(number) for number in range(len(cut))], paths.pool)
    return CandidateSummary(
        people=len(cut.rows),
        rows=rows,
        parts=len(cut),
        redone=len(left),
        dropped=sum(_dropped(part.counts) for part in done.values()),
    )


def _begun(job: CandidateJob, executor: Executor | None) -> tuple[Partition, dict[int, PartResult], Executor]:
    """Cut the viewers into parts and lay out everybody, unless all parts are there.

    Return the parts, those that are there, and who does the others.
    """
    night = Night.current(job.settings, job.paths)
    check_plugin_constraints(night.policy, night.people)
    compiled = night.policy.compile(night.people)
    order = tile_order(compiled, TILE)
    cut = partition(order, job.settings.execution.people_a_part)
    job.files.begin(
        candidates_fingerprint(job.settings, night.policy, validated=night.fingerprint, model=job.paths.model)
    )
    save_dataclass(job.paths.parts / "cut", cut)
    done = {number: part for number in range(len(cut)) if (part := job.files.done(number)) is not None}
    n_left = len(cut) - len(done)
    worker = executor or executor_from_settings(job.settings.execution, parts=n_left, by_kernels=True)
    if n_left:
        job.prepare(night, compiled, order, worker)
    return cut, done, worker


def _tell(progress: Callable[[int], object] | None, viewers: int) -> None:
    if progress is not None:
        progress(viewers)


def _dropped(counts: Mapping[str, int]) -> int:
    return int(counts.get(DROPPED, 0))
