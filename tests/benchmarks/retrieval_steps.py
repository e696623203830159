"""Where a search spends its time: its steps timed from outside, and what the processor could do."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from recsys.retrieval import tile_search
from recsys.retrieval.score_bounds import ViewerFactors

STEPS = {
    "unmasked_by_summary": "tiles and columns left",
    "mask_tile": "masks",
    "mask_pairs": "sparse rules",
    "scan_tile": "products and noting",
    "rescore": "exact scores",
}


class Steps:
    """Seconds of processor time by step, and floating-point operations of the products."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.operations = 0

    def product_seconds(self) -> float:
        """Return the seconds of the steps that multiply."""
        return self.seconds["scan_tile"]

    def _count(self, n_pairs: int, viewers: ViewerFactors) -> None:
        self.operations += 2 * 2 * n_pairs * viewers.taste.shape[1]

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a clock around it."""

        def run(*args: Any) -> Any:
            start = time.thread_time()
            found = function(*args)
            self.seconds[step] += time.thread_time() - start
            if step == "scan_tile":
                self._count(int(args[3].sum()), args[1])
            return found

        return run


@contextmanager
def timed_steps() -> Iterator[Steps]:
    """Time every step of the searches made inside, in this thread."""
    steps = Steps()
    clocks = {name: steps.timed(name, getattr(tile_search, name)) for name in STEPS}
    with patch.multiple(tile_search, **clocks):
        yield steps


def sgemm_per_second(size: int = 768, repeats: int = 5) -> float:
    """Return the float32 operations a second of one large product, the best of a few, in one thread."""
    a, b = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    best = np.inf
    for _ in range(repeats):
        start = time.thread_time()
        a @ b
        best = min(best, time.thread_time() - start)
    return 2.0 * size**3 / best
