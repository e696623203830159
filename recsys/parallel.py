"""Threads over ranges of people; the result never depends on how many there are."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.errors import SettingsError, explained

Kernel = Callable[[int, int], object]
"""Works on the people `start` to `stop`, without the interpreter's lock, and touches nobody else."""

A = TypeVar("A")
B = TypeVar("B")

_MAX_THREADS: Final = 8
_MIN_ENTRIES: Final = 200_000
"""Entries below which starting threads costs more than it saves."""
_RANGES_A_THREAD: Final = 4
"""So that no thread waits long for the slowest."""


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def n_threads(n_entries: int = _MIN_ENTRIES) -> int:
    """Return how many threads to work with by default: one a processor up to eight; one for few entries."""
    return min(n_processors(), _MAX_THREADS) if n_entries >= _MIN_ENTRIES else 1


def in_ranges(kernel: Kernel, indptr: npt.NDArray[np.int64], workers: int | None = None) -> None:
    """Call `kernel(start, stop)` for ranges of people that hold about as many entries each.

    indptr:  `(n_people + 1,)`, person r has the entries `indptr[r]:indptr[r + 1]`.
    workers: threads; by default `n_threads()`, or one where there is little to do.

    A kernel writes only what belongs to the people of its range, and sums only within a person: so the
    same bytes come out whatever `workers` is.
    """
    if workers is None:
        workers = n_threads(int(indptr[-1]))
        n_ranges = workers * _RANGES_A_THREAD
    else:
        n_ranges = workers
    if workers < 1:
        raise SettingsError(explained("must be a whole number from 1", where="workers", got=workers))
    n_people = len(indptr) - 1
    if workers == 1 or n_people < workers:
        kernel(0, n_people)
        return
    cuts = np.searchsorted(indptr, np.linspace(0, int(indptr[-1]), n_ranges + 1)).clip(0, n_people)
    cuts[0], cuts[-1] = 0, n_people
    ranges = [(start, stop) for start, stop in pairwise(cuts.tolist()) if start < stop]
    map_in_threads(lambda part: kernel(*part), ranges, workers)


def map_in_threads(function: Callable[[A], B], items: Iterable[A], workers: int) -> list[B]:
    """Return `function` of every item, in order, from `workers` threads.

    >>> map_in_threads(abs, [-1, 2], 2)
    [1, 2]
    """
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def one_ahead(items: Iterable[A]) -> Iterator[A]:
    """Yield the items in order, each made by a thread while the one before it is used.

    >>> list(one_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    made, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, made, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, made, end)
            yield item  # type: ignore[misc]
