"""Compiling the kernels before they are needed."""

from time import perf_counter

import numpy as np

from recsys.constraints.compiled import Compiled
from recsys.data.ids import IdIndex
from recsys.models.directed import Directed
from recsys.retrieval.top_k import mutual_top_k


def warm_up() -> float:
    """Compile every kernel, or read it from the cache, and return how many seconds that took.

    Without it the first search compiles. Compiled kernels are kept on disk beside the source, or in
    the folder that the environment variable NUMBA_CACHE_DIR names, for the next process; each
    processor type and version of the source has its own.

    >>> warm_up() > 0
    True
    """
    start = perf_counter()
    ones, ids = np.ones((2, 1)), IdIndex(["a", "b"])
    mutual_top_k(Directed.of(ids, taste=ones, appeal=ones), _two_people(), k=1)
    return perf_counter() - start


def _two_people() -> Compiled:
    """Return masks under which two people may meet, with an entry of every kind."""
    n = 2
    nobody, zeros = np.zeros(n + 1, np.int64), np.zeros(n, np.int32)
    words, none = np.zeros((n, 1), np.uint64), np.zeros(0, np.int32)
    return Compiled(
        n_people=n,
        listed=np.ones(n, bool),
        traits=np.ones((n, 1), np.uint64),
        refuses=words,
        overlaps=words + np.uint64(1),
        overlap_starts=np.array([0, 1], np.int32),
        cell=zeros,
        cell_numbers=np.zeros(1, np.uint64),
        cell_reach=np.full((1, 1), 15, np.uint8),
        max_class=zeros.astype(np.uint8),
        min_class=zeros.astype(np.uint8),
        in_person=zeros.astype(bool),
        separated_indptr=nobody,
        separated_indices=none,
        own_indptr=nobody,
        own_indices=none,
        avoid_indptr=nobody,
        avoid_indices=none,
        liked_only=zeros.astype(bool),
        suggestible=zeros.astype(bool),
        liked_indptr=nobody,
        liked_indices=none,
    )
