"""Exact mutual top-k under constraints: for each person, the k best people they may be shown.

The idea in one page
--------------------
Every pair has two logits, `x = taste[i] @ appeal[j]` (i likes j) and `y = taste[j] @ appeal[i]`
(j likes i), plus one number for their two cells. The score combines both. All pairs of a large
community are too many to keep, and most may not meet anyway; so the masks make the work small
first, and what is left is done exactly::

      listed people in tile order (alike people lie together)            order.py
      |-- tile 0 --|-- tile 1 --|-- tile 2 --| ... |-- tile t --|

      for each tile of rows (one worker thread a tile):
        1  summary of the tile  x  summary of each tile    whole tiles fall away     mask.py
        2  summary of the tile  x  each person left        columns fall away         mask.py
        3  each row             x  each column left        the mask, row by row      mask.py
           separated, token groups, liked-only people      cleared from the mask     sparse.py
        4  the open pairs are multiplied, both directions in one loop, a block of columns at a time
           for all rows: in whole numbers of 16 bits, half the bytes         quantized.py, products.py

                     columns left
                 +--+-----------------+            x = my taste   @ their appeal'
            rows |  |  o   o o    o   |   at an o:
                 |  |o    o  o  o     |            y = my appeal  @ their taste'
                 +--+-----------------+
                 block

        5  where (x, y) could still reach the row's k-th best, the pair is noted; when there is no
           more room, what can no longer be among the k is cut                noting.py, cutting.py
        6  what is left of the row, hardly more than k pairs, is scored again in float64, summed in
           one stated order, and put in order           settling.py, exact_sum.py, exponential.py

(leanings.py says who is alike, packing.py makes the words few, layout.py holds all arrays in tile order,
tile_search.py walks through the steps, workers.py shares tiles out among threads or processes, chunks.py
keeps to a stated amount of memory. guest.py searches for somebody who is not laid out.)

Steps 1 to 3 are one kernel: a summary is written like a person who refuses only what every member
refuses and accepts what any member accepts, so a column that is shut to the summary is shut to
each member.

Why the answer is exact, and always the same
--------------------------------------------
Products of whole numbers are of rounded factors; they only decide which pairs are worth a second look,
and they do it with a margin that covers the worst rounding (derived in quantized.py; by how much a score
may then be wrong, in scores.py). What decides is the second look: one float64 sum in a fixed order for
each pair, then score from high to low, equal scores by row. So tiles, chunks and workers change how long
it takes and nothing else.

A list is as long as there are people to show: never padded, never somebody the mask shuts out.
"""

from recsys.retrieval.compilation import warm_up
from recsys.retrieval.external_query import ExternalList, ExternalQuery
from recsys.retrieval.results import MutualLists
from recsys.retrieval.top_k import Retriever, mutual_top_k

__all__ = [
    "ExternalList",
    "ExternalQuery",
    "MutualLists",
    "Retriever",
    "mutual_top_k",
    "warm_up",
]
