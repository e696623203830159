"""Everybody's candidates, part by part: what is finished stays finished, whatever ends the night early."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recsys.config import Settings
from recsys.constraints.brought import check_brought
from recsys.publication.executors.chosen import chosen_executor
from recsys.publication.executors.executor import Executor, PartDone
from recsys.publication.join_lists import join_lists
from recsys.publication.night import Night
from recsys.publication.partition import Partition, partition
from recsys.publication.recommend_job import DROPPED, RecommendJob, inputs_id
from recsys.publication.work import WorkFolder


@dataclass(frozen=True)
class Recommended:
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
    work: WorkFolder,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], object] | None = None,
) -> Recommended:
    """Write everybody's candidates to `work.pool`, in viewer and rank order, without reasons.

    Parts finished by an earlier try from the same data, code and settings are not done again. The bytes
    are the same however the viewers are cut and whoever does the parts.

    progress: called with the number of viewers done, as parts are finished.

    Raises BusyError when workers keep dying, PluginError for a rule from outside that contradicts itself.
    """
    job = RecommendJob(settings, work)
    cut, done = _begun(job)
    left = [number for number in range(len(cut)) if number not in done]
    for number in done:
        _tell(progress, len(cut.part(number)))
    worker = executor or chosen_executor(settings.execution, parts=len(left))
    for part in worker.run(job, left):
        done[part.number] = part
        _tell(progress, len(cut.part(part.number)))
    shutil.rmtree(job.laid_out, ignore_errors=True)
    rows = join_lists([job.files.path(number) for number in range(len(cut))], work.pool)
    return Recommended(
        people=len(cut.rows),
        rows=rows,
        parts=len(cut),
        redone=len(left),
        dropped=sum(_dropped(part.counts) for part in done.values()),
    )


def _begun(job: RecommendJob) -> tuple[Partition, dict[int, PartDone]]:
    """Cut the viewers into parts and lay out everybody, unless all parts are there; return those that are."""
    night = Night.under_way(job.settings, job.work)
    check_brought(night.policy, night.people)
    compiled = night.policy.compile(night.people)
    cut = partition(compiled.listed, night.people.cells, job.settings.execution.people_a_part)
    job.files.begin(inputs_id(job.settings, job.work, night))
    cut.save(job.work.parts / "cut")
    done = {number: part for number in range(len(cut)) if (part := job.files.done(number)) is not None}
    if len(done) < len(cut):
        job.lay_out(night.people, compiled)
    return cut, done


def _tell(progress: Callable[[int], object] | None, viewers: int) -> None:
    if progress is not None:
        progress(viewers)


def _dropped(counts: Mapping[str, int]) -> int:
    return int(counts.get(DROPPED, 0))
