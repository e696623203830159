"""Killed, torn or without room at any step, a stage leaves nothing half; running it again ends the same."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import read_lines
from tests.crash.disk import Harm, felt
from tests.crash.processes import in_process
from tests.crash.stages import REGIONS, WRITES, Stages

LAST: tuple[Harm, float] = ("killed", 1.0)
EARLIER: tuple[tuple[Harm, float], ...] = (("killed", 0.4), ("torn", 0.5), ("full", 0.7))
"""How, and how far along, stages are cut short here: each at its last step, and earlier in one of three ways.

`python -m tests.benchmarks.night` walks all steps of each in every way.
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages.of(tmp_path_factory.mktemp("stages"))


@pytest.mark.parametrize("stage", WRITES)
def test_a_stage_may_end_at_any_step(stages: Stages, stage: str) -> None:
    kinds = stages.kinds(stage)
    assert len(kinds) >= 4
    for harm, place in (LAST, EARLIER[[*WRITES].index(stage) % len(EARLIER)]):
        cut_short(stages, stage, kinds, harm, place)


def cut_short(stages: Stages, stage: str, kinds: list[str], harm: Harm, place: float) -> None:
    steps = felt(kinds, harm)
    walked = stages.walk(stage, harm, [steps[max(1, round(place * len(steps))) - 1]])
    assert walked.lost == []
    assert walked.points == 1


@pytest.fixture(scope="module")
def regional(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages.of(tmp_path_factory.mktemp("regions"), *REGIONS)


def test_an_allocation_by_region_may_end_at_any_step(regional: Stages) -> None:
    kinds = regional.kinds("allocate")
    assert len(kinds) > 200
    for harm, place in (("killed", 0.1), *EARLIER):
        cut_short(regional, "allocate", kinds, harm, place)


def test_tasks_of_regions_finished_before_the_end_are_not_done_again(regional: Stages) -> None:
    regional.walk("allocate", "killed", [round(0.6 * regional.steps("allocate"))])
    said = read_lines(regional.here.root / PATHS.log)[-1]
    assert (said["stage"], said["regions"]) == ("allocate", 2)
    assert 1 <= said["redone"] < 0.8 * said["tasks"]


def test_parts_finished_before_the_end_are_not_done_again(stages: Stages) -> None:
    steps = stages.steps("recommend")
    stages.walk("recommend", "killed", [round(0.8 * steps)])
    said = read_lines(stages.here.root / PATHS.log)[-1]
    assert (said["stage"], said["parts"]) == ("recommend", 5)
    assert 1 <= said["redone"] < 5


def test_half_an_allocation_is_refused(stages: Stages) -> None:
    steps = stages.steps("allocate")
    walked = stages.walk("allocate", "killed", range(steps - 8, steps - 4))  # between its two last files
    assert (walked.points, walked.lost) == (4, [])


def test_a_file_written_in_place_would_be_seen(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that does not write aside leaves half a pool, and the walk says so."""
    from recsys.pipeline import list_files as list_table

    @contextmanager
    def in_place(path: Path) -> Iterator[BinaryIO]:
        with path.open("wb") as file:
            yield file

    monkeypatch.setattr(list_table, "atomic_file", in_place)
    steps = stages.steps("recommend")
    walked = stages.walk("recommend", "killed", range(steps - 8, steps - 2))
    assert any("pool.parquet is neither whole nor refused" in lost for lost in walked.lost)


def test_a_last_line_cut_short_does_not_stop_the_next_night(stages: Stages) -> None:
    stages.fresh("train")
    log = stages.here.root / PATHS.log
    log.write_bytes(log.read_bytes() + b'{"stage": "trai')
    assert in_process(lambda: stages.run("train")).value == 0
    assert read_lines(log)[-1]["stage"] == "train"
