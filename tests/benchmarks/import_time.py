"""How long the package and its command line take to start, each in fresh processes.

Processor seconds are of the process and of nothing else, so that a busy machine lengthens them little. A
first start compiles modules to bytecode, as an installation does, also where the environment forbids that.

python -m tests.benchmarks.import_time --json OUT
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

from tests.benchmarks.command import Result, run

REPEATS = 7
STARTS = {
    "python alone": ["-c", "pass"],
    "import recsys": ["-c", "import recsys"],
    "from recsys import Ranker": ["-c", "from recsys import Ranker"],
    "recsys --help": ["-c", "from recsys.cli import app; app(['--help'], standalone_mode=False)"],
    "from recsys import recommend": ["-c", "from recsys import recommend"],
}


def seconds_to(
    arguments: list[str], bytecode: str, repeats: int = REPEATS
) -> tuple[list[float], list[float]]:
    """Return wall-clock and processor seconds of each of `repeats` fresh processes, after one to warm up.

    bytecode: the folder where modules are kept compiled.
    """
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    taken, worked = [], []
    for _ in range(repeats + 1):
        start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
        after = getrusage(RUSAGE_CHILDREN)
        taken.append(time.perf_counter() - start)
        worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return taken[1:], worked[1:]


def measure(args: argparse.Namespace) -> Result:
    """Time every start."""
    rows = []
    with TemporaryDirectory() as bytecode:
        for name, arguments in STARTS.items():
            taken, worked = seconds_to(arguments, bytecode)
            times = {"median_s": statistics.median(taken), "least_s": min(taken)}
            rows.append(
                {"start": name, **times, "cpu_s": statistics.median(worked), "least_cpu_s": min(worked)}
            )
    median = {row["start"]: row["median_s"] for row in rows}
    cpu = {row["start"]: row["cpu_s"] for row in rows}
    figures = {
        "import_recsys_s": median["import recsys"] - median["python alone"],
        "import_ranker_cpu_s": cpu["from recsys import Ranker"] - cpu["python alone"],
    }
    return Result(rows, figures)


if __name__ == "__main__":
    sys.exit(run("import_time", measure, about="Time to start the package and its command line."))
