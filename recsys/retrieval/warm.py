"""Compiling the kernels before they are needed."""

from time import perf_counter

import numpy as np

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed
from recsys.retrieval.top_k import mutual_top_k
from recsys.schema.ids import IdIndex


def warm_up() -> float:
    """Compile every kernel, or read it from the cache, and return how many seconds that took.

    Without it the first search compiles. Compiled kernels are kept on disk beside the source, or in
    the folder that the environment variable NUMBA_CACHE_DIR names, for the next process; each
    processor type and version of the source has its own.

    >>> warm_up() > 0
    True
    """
    start = perf_counter()
    ids = IdIndex(["a", "b"])
    mutual_top_k(Directed.of(ids, taste=[[1.0], [1.0]], appeal=[[1.0], [1.0]]), _two_people(), k=1)
    return perf_counter() - start


def _two_people() -> Compiled:
    """Return masks under which two people may meet, with one entry of every kind."""
    nobody, both = np.zeros(3, np.int64), np.zeros(2, np.int32)
    word, no_group = np.zeros((2, 1), np.uint64), np.zeros(1, np.int64)
    none = np.zeros(0, np.int32)
    return Compiled(
        n_people=2,
        listed=np.ones(2, bool),
        traits=word,
        refuses=word,
        overlaps=word + np.uint64(1),
        overlap_starts=np.array([0, 1], np.int32),
        cell=both,
        cell_numbers=np.zeros(1, np.uint64),
        cell_reach=np.full((1, 1), 15, np.uint8),
        max_class=both.astype(np.uint8),
        min_class=both.astype(np.uint8),
        in_person=both.astype(bool),
        separated_indptr=nobody,
        separated_indices=none,
        own_indptr=nobody,
        own_indices=none,
        avoid_indptr=nobody,
        avoid_indices=none,
        owners_indptr=no_group,
        owners_indices=none,
        avoiders_indptr=no_group,
        avoiders_indices=none,
        liked_only=both.astype(bool),
        suggestible=both.astype(bool),
        liked_indptr=nobody,
        liked_indices=none,
    )
