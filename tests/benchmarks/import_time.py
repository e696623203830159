"""How long the package and its command line take to start, each in fresh processes.

python -m tests.benchmarks.import_time --json OUT
"""

import argparse
import statistics
import subprocess
import sys
import time

from tests.benchmarks.command import Result, run

REPEATS = 15
STARTS = {
    "python alone": ["-c", "pass"],
    "import recsys": ["-c", "import recsys"],
    "recsys --help": ["-c", "from recsys.cli import app; app(['--help'], standalone_mode=False)"],
    "from recsys import recommend": ["-c", "from recsys import recommend"],
}


def seconds_to(arguments: list[str], repeats: int = REPEATS) -> list[float]:
    """Return the wall-clock seconds of each of `repeats` fresh processes, after one to warm up."""
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return taken[1:]


def measure(args: argparse.Namespace) -> Result:
    """Time every start."""
    rows = []
    for name, arguments in STARTS.items():
        taken = seconds_to(arguments)
        rows.append({"start": name, "median_s": statistics.median(taken), "least_s": min(taken)})
    median = {row["start"]: row["median_s"] for row in rows}
    return Result(rows, {"import_recsys_s": median["import recsys"] - median["python alone"]})


if __name__ == "__main__":
    sys.exit(run("import_time", measure, about="Time to start the package and its command line."))
