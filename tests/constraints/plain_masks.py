"""The oracle of the compiled form: pair by pair in numpy, straight from what each array means."""

from itertools import pairwise

import numpy as np

from recsys.constraints.compiled import Compiled


def plain_may_meet(compiled: Compiled, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Say for aligned rows whether the two may meet, `(n_pairs,)` bool."""
    i, j, c = np.asarray(i), np.asarray(j), compiled
    out = (i == j) | ~(c.listed[i] & c.listed[j])
    out |= ((c.traits[i] & c.refuses[j]) | (c.traits[j] & c.refuses[i])).any(axis=1)
    for first, last in pairwise(c.overlap_starts):
        out |= ~(c.overlaps[i, first:last] & c.overlaps[j, first:last]).any(axis=1)
    reach = c.cell_reach[c.cell[i], c.cell[j]]
    too_far = (reach & 0xFFFF) > np.minimum(c.max_km[i], c.max_km[j])
    out |= too_far & c.in_person[i] & c.in_person[j]
    out |= (reach >> 16) < np.maximum(c.min_km[i], c.min_km[j])
    out |= c.separated.holds(i, j)
    out |= c.own.share(i, c.own, j) | c.own.share(i, c.avoid, j) | c.own.share(j, c.avoid, i)
    return ~out


def plain_may_show(compiled: Compiled, viewer: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """Say for aligned rows whether the candidate may be shown to the viewer, `(n_pairs,)` bool."""
    i, j, c = np.asarray(viewer), np.asarray(candidate), compiled
    hidden = c.liked_only[j] & ~c.liked.holds(j, i)
    suggested = c.liked_only[i] & c.suggestible[i] & c.suggestible[j]
    return plain_may_meet(c, i, j) & (~hidden | suggested)
