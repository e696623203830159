"""Exact mutual top-k under constraints: for each person, the k best people they may be shown.

The idea in one page
--------------------
Every pair has two logits, `x = taste[i] @ appeal[j]` (i likes j) and `y = taste[j] @ appeal[i]` (j likes i),
plus one number for their two cells. The score combines both. All pairs of a large community are too many to
keep, and most may not meet anyway; so the masks make the work small first, and what is left is done exactly::

      listed people in tile order (alike people lie together)                     tile_order.py, index.py
      |-- tile 0 --|-- tile 1 --|-- tile 2 --| ... |-- tile t --|

      for each tile of viewers (tile_search.py):
        1  summary of the tile  x  summary of each tile     whole tiles are masked      constraints/masks.py
        2  summary of the tile  x  each person left         columns are masked          constraints/masks.py
        3  each viewer          x  each column left         the mask, row by row        constraints/masks.py
           exclusions, token groups, liked-only people      cleared in it     constraints/sparse_masks.py
        4  scan: the unmasked pairs are multiplied, both directions in one loop, a block of columns at a
           time for all rows, in 16-bit integers, half the bytes   tile_search.py, quantization.py

                     columns left
                 +--+-----------------+            x = my taste   @ their appeal'
            rows |  |  o   o o    o   |   at an o:
                 |  |o    o  o  o     |            y = my appeal  @ their taste'
                 +--+-----------------+
                 block

        5  a pair that could still reach the row's k-th best joins its short list; when that is full, what
           can no longer be among the k is pruned          shortlist.py, score_bounds.py, threshold_pruning.py
        6  what is left, hardly more than k pairs, is rescored in float64, summed in one stated order, and
           sorted                                                   threshold_pruning.py, reproducible_math.py

A tile summary is written like a person who refuses only what every member refuses and accepts what any member
accepts, so a candidate masked for the tile summary is masked for every member of the tile. external_query.py
searches for somebody who is not in the index.

Why the answer is exact, and always the same
--------------------------------------------
Integer dot products are of rounded factors; they only decide which pairs are worth a second look, and they do
it with a margin that covers the worst rounding (derived in quantization.py; by how much a score may then be
wrong, in score_bounds.py). What decides is the rescoring: one float64 sum in a fixed order for each pair,
then score from high to low, equal scores by row. So tiles, blocks and workers change how long it takes and
nothing else.

A list is as long as there are people to show: never padded, never somebody the mask excludes.
"""

from recsys.retrieval.external_query import ExternalList, ExternalQuery
from recsys.retrieval.results import MutualLists
from recsys.retrieval.top_k import Retriever, mutual_top_k, warm_up

__all__ = [
    "ExternalList",
    "ExternalQuery",
    "MutualLists",
    "Retriever",
    "mutual_top_k",
    "warm_up",
]
