"""What every executor must do, wherever its workers are."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recsys.errors import InputError
from recsys.pipeline.executors import Executor, PartResult
from recsys.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class Squares:
    """Writes the square of a part's number; some parts die the first time, or fail every time."""

    folder: Path
    dies: tuple[int, ...] = ()
    fails: tuple[int, ...] = ()

    def open(self) -> Callable[[int], PartResult]:
        write_atomically(self.folder / f"opened-{os.getpid()}", b"")
        return self._one

    def _one(self, number: int) -> PartResult:
        died = self.folder / f"died-{number}"
        if number in self.dies and not died.exists():
            write_atomically(died, b"")
            os.kill(os.getpid(), signal.SIGKILL)
        if number in self.fails:
            raise InputError(f"part {number} cannot be done")
        write_atomically(self.folder / f"{number}.txt", str(number**2).encode())
        return PartResult(number, rows=number, counts={"seen": 1})


class ExecutorContract:
    """Subclass it, give `executor`, and set `shares_out` when workers are other processes."""

    shares_out = True

    def executor(self) -> Executor:
        raise NotImplementedError

    def test_every_part_is_done_once(self, tmp_path: Path) -> None:
        done = list(self.executor().run(Squares(tmp_path), [4, 0, 2, 9]))
        assert sorted(part.number for part in done) == [0, 2, 4, 9]
        assert sum(part.rows for part in done) == 15
        assert {part.counts["seen"] for part in done} == {1}
        assert {path.name: path.read_text() for path in tmp_path.glob("*.txt")} == {
            "0.txt": "0",
            "2.txt": "4",
            "4.txt": "16",
            "9.txt": "81",
        }

    def test_no_part_is_no_work(self, tmp_path: Path) -> None:
        assert list(self.executor().run(Squares(tmp_path), [])) == []
        assert list(tmp_path.iterdir()) == []

    def test_an_error_of_the_job_comes_through(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="part 3 cannot be done"):
            list(self.executor().run(Squares(tmp_path, fails=(3,)), [3]))

    def test_the_part_of_a_worker_that_died_is_done_again(self, tmp_path: Path) -> None:
        if not self.shares_out:
            pytest.skip("its worker is this process")
        done = list(self.executor().run(Squares(tmp_path, dies=(1,)), [0, 1, 2]))
        assert sorted(part.number for part in done) == [0, 1, 2]
        assert (tmp_path / "died-1").exists()
        assert (tmp_path / "1.txt").read_text() == "1"
