"""Measure kernels written in the compiler's language beside their plain-numba twins, over whole searches.

python -m tests.benchmarks.kernels [--people N] [--eligible SHARE] [--repetitions N]
"""

import argparse
import os
import statistics
import subprocess
import sys
from tempfile import TemporaryDirectory

import numpy as np

from tests.benchmarks.retrieval_cities import WISHES, cities

SWITCH = "RECSYS_KERNELS"
VARIANTS = ("llvm", "numba")


def search_seconds(n_people: int, eligible: float, k: int) -> float:
    """Return the processor seconds of one search of everybody, kernels compiled before."""
    from time import process_time

    from recsys.retrieval import Retriever

    directed, compiled = cities(n_people, np.random.default_rng(0), eligible)
    retriever = Retriever(directed, compiled)
    retriever.top_k(retriever._index.order[:10], k=k)
    start = process_time()
    retriever.top_k(k=k)
    return process_time() - start


def main(argv: list[str] | None = None) -> int:
    """Alternate the variants in processes of their own and print the median of each and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--eligible", type=float, default=0.009, choices=sorted(WISHES))
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--once", action="store_true", help="one search in this process, seconds printed")
    args = parser.parse_args(argv)
    if args.once:
        print(search_seconds(args.people, args.eligible, args.k))
        return 0
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    once = [sys.executable, "-m", "tests.benchmarks.kernels", "--once", "--people", str(args.people)]
    once += ["--eligible", str(args.eligible), "--k", str(args.k)]
    with TemporaryDirectory(prefix="kernels-") as folder:
        for _ in range(args.repetitions):
            for variant in VARIANTS:
                environment = os.environ | {SWITCH: variant, "NUMBA_CACHE_DIR": f"{folder}/{variant}"}
                done = subprocess.run(once, env=environment, capture_output=True, check=True)
                found[variant].append(float(done.stdout))
    for variant, seconds in found.items():
        print(f"{variant:6} {statistics.median(seconds):.2f} s  {[round(one, 2) for one in seconds]}")
    for v in VARIANTS[1:]:
        ratios = [plain / fast for fast, plain in zip(found["llvm"], found[v], strict=True)]
        print(f"{v} / llvm, median of {args.repetitions} pairs: {statistics.median(ratios):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
