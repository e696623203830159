"""Kernels over ranges of people, side by side; the answer never depends on how many."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recsys.errors import SettingsError, explained

Kernel = Callable[[int, int], object]


def in_ranges(kernel: Kernel, indptr: npt.NDArray[np.int64], workers: int) -> None:
    """Call `kernel(start, stop)` for ranges of people that hold about as many edges each.

    A kernel writes only what belongs to the people of its range, and sums only within a person: so the
    same bytes come out whatever `workers` is.
    """
    if workers < 1:
        raise SettingsError(explained("must be a whole number from 1", where="workers", got=workers))
    n_people = len(indptr) - 1
    if workers == 1 or n_people < workers:
        kernel(0, n_people)
        return
    cuts = np.searchsorted(indptr, np.linspace(0, indptr[-1], workers + 1))
    cuts[0], cuts[-1] = 0, n_people
    with ThreadPoolExecutor(workers) as pool:
        waiting = [
            pool.submit(kernel, start, stop) for start, stop in pairwise(cuts.tolist()) if start < stop
        ]
        for one in waiting:
            one.result()
