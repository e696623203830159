"""Kernels over ranges of people, side by side; the answer never depends on how many."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

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


_MOST_THREADS: Final = 8
_WORTH_IT: Final = 200_000
"""Entries below which starting threads costs more than it saves."""
_CUTS: Final = 4
"""Parts a thread, so that none waits long for the slowest."""


def n_threads() -> int:
    """Return how many threads to work with: the processors this process may use, at most eight."""
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        _MOST_THREADS,
    )


def in_threads(some: Callable[[int, int], None], indptr: npt.NDArray[np.int64]) -> None:
    """Call `some(first, last)` until all people are done, in parts of about equally many entries.

    indptr: `(n_people + 1,)`, person r has the entries `indptr[r]:indptr[r + 1]`. `some` must let go of
    the interpreter's lock and touch nothing but these people.
    """
    n_people, threads = len(indptr) - 1, n_threads()
    if threads == 1 or indptr[-1] < _WORTH_IT:
        some(0, n_people)
        return
    aims = np.linspace(0, int(indptr[-1]), threads * _CUTS + 1)
    ends = np.searchsorted(indptr, aims).clip(0, n_people)
    ends[0], ends[-1] = 0, n_people
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, ends[:-1].tolist(), ends[1:].tolist()))
