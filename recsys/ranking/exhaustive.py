"""Exhaustive search: the best candidates by any function of both probabilities, for orders without an index.

The index finds the best by a symmetric, rising combination of both directions. An order by one direction, or
by a function of the model's own, looks at every candidate instead; so many pairs at a time that memory stays
small.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.data.csr import SparseRows
from recsys.models.directed import Directed
from recsys.types import Float64Array, Int32Array

_PAIRS_AT_ONCE: Final = 1_000_000

Score = Callable[[Float64Array, Float64Array], Float64Array]
"""From P(viewer likes candidate) and P(candidate likes viewer), aligned, to what lists are ordered by."""


def best_pairs(
    directed: Directed,
    compiled: Compiled,
    viewers: npt.ArrayLike,
    *,
    k: int,
    score: Score,
    exclude: npt.NDArray[np.integer],
) -> tuple[Int32Array, Int32Array]:
    """Return viewers and candidates of the `k` best of each viewer, best first, aligned rows.

    viewers: rows, in the order of the lists. exclude: `(n_pairs, 2)` rows, viewer then candidate. Equal
    scores stand in the order of ids. Time grows with viewers times people.
    """
    rows = np.asarray(viewers, np.int32)
    excluded = SparseRows.of(exclude[:, 0], exclude[:, 1], len(directed))
    everybody = np.arange(len(directed), dtype=np.int32)
    found: list[tuple[Int32Array, Int32Array]] = [(np.empty(0, np.int32), np.empty(0, np.int32))]
    for some in np.array_split(rows, max(len(rows) * len(directed) // _PAIRS_AT_ONCE, 1)):
        allowed = compiled.may_show_block(some, everybody)
        at, candidate = (one.astype(np.int32) for one in np.nonzero(allowed))
        viewer = some[at]
        fresh = ~excluded.holds(viewer, candidate)
        at, viewer, candidate = at[fresh], viewer[fresh], candidate[fresh]
        value = score(directed.probabilities(viewer, candidate), directed.probabilities(candidate, viewer))
        order = np.lexsort((candidate, -value, at))
        start = np.searchsorted(at[order], at[order], side="left")
        kept = order[np.arange(len(order)) - start < k]
        found.append((viewer[kept], candidate[kept]))
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])
