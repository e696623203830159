"""Warming up leaves nothing to compile."""

import numpy as np

from recsys.retrieval import mutual_top_k, warm_up
from recsys.retrieval.masks import columns_left, mask_of
from recsys.retrieval.prune import settle
from recsys.retrieval.scan import keep_best
from recsys.retrieval.sparse_masks import close_pairs
from tests.retrieval.worlds import compiled_world, directed_world

KERNELS = (columns_left, mask_of, close_pairs, keep_best, settle)


def test_a_search_after_warming_up_compiles_nothing() -> None:
    assert warm_up() > 0
    compiled = [len(kernel.signatures) for kernel in KERNELS]
    assert min(compiled) > 0
    rng = np.random.default_rng(0)
    for density in (0.0, 0.1):
        mutual_top_k(directed_world(rng, 60), compiled_world(rng, 60, density=density), k=3, tile=8)
    assert [len(kernel.signatures) for kernel in KERNELS] == compiled
