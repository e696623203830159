"""Executors do every part, also when a worker dies."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recsys.errors import BusyError
from recsys.pipeline.executors import InProcess, PartResult, Processes, Threads
from recsys.pipeline.from_settings import executor_from_settings
from recsys.settings import ExecutionSettings
from recsys.testing.executor_contract import ExecutorContract
from tests.pipeline.dying_job import AlwaysDies


class TestInProcess(ExecutorContract):
    shares_out = False

    def executor(self) -> InProcess:
        return InProcess()


class TestProcesses(ExecutorContract):
    def executor(self) -> Processes:
        return Processes(2)


class TestThreads(ExecutorContract):
    shares_out = False

    def executor(self) -> Threads:
        return Threads(3)


@dataclass(frozen=True)
class OpenedOnce:
    opened: list[int]

    def open(self) -> Callable[[int], PartResult]:
        self.opened.append(1)
        return lambda number: PartResult(number, rows=1)


def test_threads_share_what_a_job_opened() -> None:
    job = OpenedOnce([])
    assert sorted(part.number for part in Threads(3).run(job, range(7))) == list(range(7))
    assert job.opened == [1]


def test_workers_that_keep_dying_end_the_step(tmp_path: Path) -> None:
    with pytest.raises(BusyError, match="keep dying") as caught:
        list(Processes(1).run(AlwaysDies(), [0]))
    assert caught.value.exit_code == 30


@pytest.mark.parametrize(
    ("settings", "parts", "expected"),
    [
        (ExecutionSettings(workers=4), 9, Processes(4)),
        (ExecutionSettings(workers=4), 2, Processes(2)),
        (ExecutionSettings(workers=4), 1, InProcess),
        (ExecutionSettings(workers=1), 9, InProcess),
        (ExecutionSettings(workers=4, executor="in_process"), 9, InProcess),
    ],
)
def test_settings_choose_the_executor(settings: ExecutionSettings, parts: int, expected: object) -> None:
    chosen = executor_from_settings(settings, parts=parts)
    assert chosen == expected or (isinstance(expected, type) and isinstance(chosen, expected))


@pytest.mark.parametrize(
    ("settings", "parts", "expected"),
    [
        (ExecutionSettings(workers=4), 9, Threads(4)),
        (ExecutionSettings(workers=4), 1, InProcess()),
        (ExecutionSettings(workers=4, executor="in_process"), 9, InProcess()),
    ],
)
def test_parts_of_kernels_are_done_by_threads(
    settings: ExecutionSettings, parts: int, expected: object
) -> None:
    chosen = executor_from_settings(settings, parts=parts, by_kernels=True)
    assert chosen == expected or isinstance(chosen, type(expected) if isinstance(expected, InProcess) else ())
