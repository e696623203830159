"""One writer at a time, and no lock outlives its writer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.errors import BusyError
from recsys.pipeline.lock import is_locked, writer_lock
from tests.pipeline.small_night import Night

HOLDER = """
import sys, time
from pathlib import Path
from recsys.pipeline.lock import is_locked, writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_waits_for_another_night(night: Night, tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        with pytest.raises(BusyError, match=f"another writer is at work .*{os.getpid()}") as caught:
            night.publish(tmp_path)
        assert caught.value.exit_code == 30
    assert night.publish(tmp_path).exit_code == 0


def test_the_lock_of_a_killed_writer_is_taken_over(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=str(holder.pid)), writer_lock(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with writer_lock(tmp_path):
            pass


def test_an_error_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writer_lock(tmp_path):
        raise ZeroDivisionError
    with writer_lock(tmp_path):
        pass


def test_who_asks_learns_whether_somebody_holds_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "nowhere")
    with writer_lock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
