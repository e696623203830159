"""Warming up leaves nothing to compile."""

import numpy as np

from recsys.constraints.bitmaps import mask_blocks
from recsys.constraints.masks import BLOCK, mask_columns, unmasked_columns
from recsys.constraints.sparse_masks import mask_pairs
from recsys.kernels import USE_LLVM
from recsys.retrieval import mutual_top_k, warm_up
from recsys.retrieval.threshold_pruning import rescore
from recsys.retrieval.tile_search import scan_tile
from tests.retrieval.worlds import compiled_world, directed_world

KERNELS = (unmasked_columns, mask_columns, mask_pairs, scan_tile, rescore)
KERNELS += (mask_blocks,) if USE_LLVM else ()


def test_a_search_after_warming_up_compiles_nothing() -> None:
    assert warm_up() > 0
    compiled = [len(kernel.signatures) for kernel in KERNELS]
    assert min(compiled) > 0
    rng = np.random.default_rng(0)
    for density in (0.0, 0.1):
        mutual_top_k(directed_world(rng, 60), compiled_world(rng, 60, density=density), k=3, tile=8)
    everybody = compiled_world(rng, 2 * BLOCK, density=0.0)
    mutual_top_k(directed_world(rng, 2 * BLOCK), everybody, k=3)
    assert [len(kernel.signatures) for kernel in KERNELS] == compiled
