"""Prices a backend can rank by: what one more like to a person takes from the likes already there."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.deploy import Ranked
from recsys.allocation.graph import CandidateGraph

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def crowding_prices(
    graph: CandidateGraph, ranked: Ranked, gain: Floats, exposure: Floats, dual: Doubles
) -> Floats:
    """Return the price of a like to each person, `(n_people,)` float32 of 0 or more, in matches.

    The gain of an edge is about `p (q - price)`: over the likes that now arrive at a person, the mean of
    what q loses because the inbox is crowded, and the dual of the budget on top. Nobody expected, no
    crowd: the price is 0.
    """
    edge = ranked.edge
    receiver = graph.candidate[edge]
    p, q = graph.p[edge].astype(np.float64), graph.q[edge].astype(np.float64)
    likes = p * exposure[edge]
    lost = np.where(p > 0.0, q - gain[edge] / np.maximum(p, 1e-12), 0.0)
    arriving = np.bincount(receiver, weights=likes, minlength=graph.n_people)
    total = np.bincount(receiver, weights=likes * lost, minlength=graph.n_people)
    mean = np.zeros(graph.n_people)
    np.divide(total, arriving, out=mean, where=arriving > 0.0)
    return (np.maximum(mean, 0.0) + dual).astype(np.float32)
