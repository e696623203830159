"""The cache of compiled kernels: what another version of the sources compiled is never used."""

import os
import runpy
import subprocess
import sys
import textwrap
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from numba import njit

from recsys.kernel_lock import KernelLock
from tests.crash.processes import in_process

STORES = """
    from typing import NamedTuple
    import numpy as np

    class {name}(NamedTuple):
        values: np.ndarray
"""
FACTORS = """
    from recsys.kernels import kernel

    FACTOR = {factor}

    @kernel
    def scaled(x: float):
        return x * {inner}
"""
SCAN = """
    from factors import FACTOR, scaled
    from stores import {name}
    import numpy as np
    from recsys.kernels import kernel

    @kernel
    def total(store: {name}):
        return scaled(store.values.sum()) * FACTOR

    print(total({name}(np.ones(3))), sum(total.stats.cache_hits.values()))
"""


def printed_by(script: Path) -> str:
    """Run a script as Python does, with the modules beside it, and return what it prints."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(script.parent))
    with redirect_stdout(StringIO()) as printed:
        runpy.run_path(str(script), run_name="__main__")
    return printed.getvalue()


@pytest.fixture(scope="module")
def compiler() -> None:
    """Load what numba loads when it compiles first, for the processes that are forked from this one."""
    njit(lambda x: 2.0 * x)(1.0)


@pytest.fixture
def installed(tmp_path, compiler):
    def run(name="Store", factor="1.0", inner="1.0"):
        for file, source in {"stores.py": STORES, "factors.py": FACTORS, "scan.py": SCAN}.items():
            text = textwrap.dedent(source).format(name=name, factor=factor, inner=inner)
            (tmp_path / file).write_text(text)
        found = in_process(lambda: printed_by(tmp_path / "scan.py"))
        assert not found.error, found.error
        value, hits = found.value.split()
        entries = sorted(path.name for path in (tmp_path / "__pycache__").glob("scan.total*.nbi"))
        return float(value), int(hits), entries

    return run


def test_the_second_process_reads_the_cache(installed):
    assert installed()[:2] == (3.0, 0)
    assert installed()[:2] == (3.0, 1)


def test_upgrade_in_place_survives_a_renamed_named_tuple_and_deletes_old_entries(installed):
    before = installed(name="Store")[2]
    value, hits, after = installed(name="Factors")
    assert (value, hits) == (3.0, 0)
    assert len(before) == len(after) == 1
    assert before != after


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(installed):
    installed()
    assert installed(inner="2.0")[:2] == (6.0, 0)


def test_a_kernel_is_compiled_anew_when_a_constant_of_another_file_has_changed(installed):
    installed()
    assert installed(factor="5.0")[:2] == (15.0, 0)


def test_entries_of_numbas_own_cache_are_deleted(installed, tmp_path):
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    version = f"py{sys.version_info[0]}{sys.version_info[1]}"
    (cache / f"scan.total-5.{version}.nbi").write_bytes(b"of a class that is gone")
    (cache / "scan.total-5.py27.nbi").write_bytes(b"of another Python")
    value, _, entries = installed()
    assert value == 3.0
    assert len(entries) == 2
    assert "scan.total-5.py27.nbi" in entries


OWN = """
    from recsys.kernels import kernel

    @kernel
    def twice(x: float):
        return 2.0 * x

    print(twice(2.0))
"""


TOGETHER = """
    import sys, time
    from pathlib import Path
    from recsys.kernels import kernel

    @kernel
    def twice(x: float):
        return 2.0 * x

    def save_late(*compiled):
        time.sleep(2.0)
        save(*compiled)

    save, twice._cache.save_overload = twice._cache.save_overload, save_late
    here = Path(__file__).parent
    (here / f"ready.{sys.argv[1]}").touch()
    while len(list(here.glob("ready.*"))) < 2:
        time.sleep(0.001)
    print(twice(2.0), sum(twice.stats.cache_hits.values()))
"""
HOLD = """
    import sys, time
    from pathlib import Path
    from recsys.kernel_lock import KernelLock

    KernelLock(Path(sys.argv[1])).acquire()
    print("held", flush=True)
    time.sleep(600)
"""


READ_ONLY = """
    import errno, os, sys

    def refuse(event, found):
        if event == "open" and str(found[0]).startswith(os.environ["RECSYS_CACHE"]) and found[2] & 3:
            raise OSError(errno.EROFS, "Read-only file system")

    sys.addaudithook(refuse)
    import own
"""


def _run(tmp_path: Path, cache: str, script: str = "own.py") -> subprocess.CompletedProcess[str]:
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))
    (tmp_path / "read_only.py").write_text(textwrap.dedent(READ_ONLY))
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    known |= {"PYTHONPATH": str(Path(__file__).parents[1]), "RECSYS_CACHE": cache}
    command = [sys.executable, str(tmp_path / script)]
    return subprocess.run(command, env=known, capture_output=True, text=True, check=True)


def test_compiled_kernels_go_where_they_are_told_to(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first, second = _run(tmp_path, str(cache)), _run(tmp_path, str(cache))
    assert first.stdout == second.stdout == "4.0\n"
    assert "compiling kernels" in first.stderr
    assert "compiling kernels" not in second.stderr
    assert list(cache.rglob("own.twice*.nbc"))
    for left in tmp_path.rglob("*.nb*"):
        left.unlink()
    assert _run(tmp_path, "off").stdout == "4.0\n"
    assert not list(tmp_path.rglob("*.nbc"))


def test_kernels_compiled_for_an_image_are_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    _run(tmp_path, str(cache))
    read = _run(tmp_path, str(cache), "read_only.py")
    assert (read.stdout, read.stderr) == ("4.0\n", "")
    for left in cache.rglob("*.nb*"):
        left.unlink()
    compiled = _run(tmp_path, str(cache), "read_only.py")
    assert compiled.stdout == "4.0\n"
    assert "kept nowhere" in compiled.stderr
    assert not list(cache.rglob("*.nb*"))


def test_a_kernel_without_a_place_for_its_cache_runs_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from recsys import kernels

    def nowhere(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(kernels, "_KernelCache", nowhere)
    monkeypatch.setattr(kernels, "_said", set())

    @kernels.kernel
    def twice(x: float):
        return 2.0 * x

    @kernels.kernel
    def thrice(x: float):
        return 3.0 * x

    assert (twice(2.0), thrice(2.0)) == (4.0, 6.0)
    assert capsys.readouterr().err.count("kept nowhere") == 1


def test_of_two_processes_that_need_a_kernel_at_once_one_compiles_it(tmp_path: Path) -> None:
    """The other waits for its entry. Seen to fail: both compiled it."""
    (tmp_path / "together.py").write_text(textwrap.dedent(TOGETHER))
    known = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "RECSYS_CACHE": str(tmp_path / "cache"),
    }
    known.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, str(tmp_path / "together.py")]
    both = [
        subprocess.Popen([*command, str(one)], env=known, stdout=subprocess.PIPE, text=True) for one in (1, 2)
    ]
    assert sorted(one.communicate()[0] for one in both) == ["4.0 0\n", "4.0 1\n"]
    assert not list(tmp_path.rglob("*.lock"))


def test_a_kernel_in_work_is_waited_for_until_its_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "kernel.lock"
    known = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(path)]
    with subprocess.Popen(command, env=known, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        lock = KernelLock(path)
        assert not lock.acquire(longest_wait=0.1)
        owner.kill()
        owner.wait()
        assert lock.acquire(longest_wait=60.0)
    lock.release()
    assert not path.exists()
