"""Comparing ways to make lists on the same simulated truths, with common random numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from recsys.allocation.allocate import graph_from_lists
from recsys.allocation.config import MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.rounding import RankedEdges, listed_edges
from recsys.allocation.simulator import simulate
from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.examination import Decay
from recsys.errors import InputError, did_you_mean, explained
from recsys.kernels import kernel
from recsys.parallel import map_in_threads
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, ObjectArray

_MOST = 1.0 - 1e-6
_EDGES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class ListComparison:
    """One way to make lists: means over the truths drawn, and what it gains over the reference.

    reached: share of people with an edge who have at least one match. gain: matches over those of the
    reference, less 1, with its 95 % interval over truths.
    """

    name: str
    matches: float
    reached: float
    gini: float
    gain: float
    gain_lo: float
    gain_hi: float


def compare_lists(
    graph: CandidateGraph,
    lists: Mapping[str, RankedEdges],
    *,
    reference: str,
    rng: np.random.Generator,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    activity: MemberActivity | None = None,
    error: float = 0.0,
    draws: int = 10,
    rounds: int = 5,
    workers: int = 1,
    there: BoolArray | None = None,
) -> Sequence[ListComparison]:
    """Simulate `lists` by name on truths that lie around the chances of `graph`.

    there: `(n_people,)`, who takes part in the whole graph, where `graph` is what `listed_edges` left of it.
    error: the standard deviation of what the chances do not know of a pair, in logits; chances are
    taken as calibrated, so the mean of the truths is what they say. See `perturbed_graph`. workers: threads;
    they change the time alone.
    """
    if there is None:
        # What the chances do not know is drawn for each pair apart, so truths of these edges are distributed
        # as those of the whole graph.
        there = graph.takes_part
        graph, lists = listed_edges(graph, lists)
    found = np.empty((draws, len(lists), 3))

    def played(truth: CandidateGraph, seed: int, ranked: RankedEdges) -> tuple[float, float, float]:
        round_rng = np.random.default_rng(seed)
        outcome = simulate(
            truth, ranked, look=look, inbox=inbox, activity=activity, rng=round_rng, rounds=rounds
        )
        return outcome.matches, outcome.people_reached(there), outcome.exposure_gini(there)

    for draw in range(draws):
        truth = perturbed_graph(graph, error, rng)
        seed = int(rng.integers(0, 2**63))
        found[draw] = map_in_threads(partial(played, truth, seed), lists.values(), workers)
        del truth  # before the next is drawn
    beside = found[:, list(lists).index(reference)]
    return [_compared(name, found[:, at], beside) for at, name in enumerate(lists)]


def perturbed_graph(graph: CandidateGraph, error: float, rng: np.random.Generator) -> CandidateGraph:
    """Return chances with `error` logits of spread whose mean is the chance given, one for each direction.

    A logit x becomes `x sqrt(1 + pi error^2 / 8) + error z`: the mean of its logistic is again that of x,
    up to the probit approximation (D. MacKay, Neural Computation 4 (1992) 720-736).
    """
    if error == 0.0:
        return graph
    p = _perturbed(graph.p, error, rng)
    q = _perturbed(graph.q, error, rng)
    _share_probabilities(graph.inbox.edge, graph.inbox.reverse, p, q)
    return CandidateGraph(graph.indptr, graph.candidate, p, q)


def _perturbed(chance: Float32Array, error: float, rng: np.random.Generator) -> Float32Array:
    found = np.empty(len(chance), np.float32)
    for start in range(0, len(chance), _EDGES_AT_ONCE):
        part = slice(start, start + _EDGES_AT_ONCE)
        safe = np.clip(chance[part].astype(np.float64), 1.0 - _MOST, _MOST)
        wide = logit(safe) * np.sqrt(1.0 + np.pi * error**2 / 8.0)
        found[part] = expit(wide + error * rng.standard_normal(len(safe)))
    return found


@kernel
def _share_probabilities(edge: Int32Array, reverse: Int32Array, p: Float32Array, q: Float32Array):  # type: ignore[no-untyped-def]
    # What one thinks of the other is one number, whichever of the two looks.
    for t in range(len(edge)):
        if reverse[t] >= 0:
            q[edge[t]] = p[reverse[t]]


def _compared(name: str, values: Float64Array, reference: Float64Array) -> ListComparison:
    gain = values[:, 0] / np.maximum(reference[:, 0], 1e-12) - 1.0
    few = float(stdtrit(max(len(gain) - 1, 1), 0.975))  # of Student's t: truths are few
    spread = few * float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    mean = float(gain.mean())
    matches, reached, gini = (float(value) for value in values.mean(axis=0))
    return ListComparison(name, matches, reached, gini, mean, mean - spread, mean + spread)


@checked_arguments
def simulate_lists(
    pool: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    *,
    reference: str,
    rng: np.random.Generator,
    error: float = 0.0,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    draws: int = 10,
) -> pd.DataFrame:
    """Simulate looks, likes, inboxes and replies, and count the matches of each set of lists.

    pool:      what `recsys.recommend` returns, with the chances of every pair that is in a list.
    lists:     rows of the pool by name, each with its own rank.
    reference: the lists the others are compared with.
    error:     what the chances do not know of a pair, in logits (standard deviation).
    look, inbox: how examination falls with the place in a list and in an inbox: exponents of 1 / place.

    Returns one row a set of lists: name, matches, reached (share of people with a match), gini (of
    exposure), gain (of matches over the reference) with its 95 % interval. All share
    the random numbers. Raises InputError for an unknown reference or a pair that is not in the pool.

    >>> pool = pd.DataFrame({
    ...     "viewer_id": ["a", "a", "b", "b"], "candidate_id": ["x", "y", "x", "y"], "rank": [1, 2, 1, 2],
    ...     "p_like": [0.9, 0.8, 0.9, 0.8], "p_liked_back": [0.9, 0.9, 0.8, 0.8]})
    >>> first, shared = pool[pool["rank"] == 1], pool.iloc[[0, 3]].assign(rank=1)
    >>> found = simulate_lists(pool, {"first": first, "shared": shared}, reference="first",
    ...                     rng=np.random.default_rng(0), draws=40)
    >>> found["name"].tolist(), bool(found["matches"].iloc[1] > found["matches"].iloc[0])
    (['first', 'shared'], True)
    """
    if reference not in lists:
        raise InputError(explained("unknown lists", got=reference, remedy=did_you_mean(reference, lists)))
    graph, ids = graph_from_lists(pool)
    ranked = {name: _ranked(graph, ids, name, frame) for name, frame in lists.items()}
    found = compare_lists(
        graph, ranked, reference=reference, rng=rng, look=look, inbox=inbox, error=error, draws=draws
    )
    return pd.DataFrame([asdict(one) for one in found])


def _ranked(graph: CandidateGraph, ids: ObjectArray, name: str, lists: pd.DataFrame) -> RankedEdges:
    """Return the lists as edges of the graph."""
    row = pd.Index(ids)
    viewer, candidate = (
        row.get_indexer(pd.Index(lists[c])).astype(np.int64) for c in (C.VIEWER, C.CANDIDATE)
    )
    order = np.lexsort((lists[C.RANK].to_numpy(), viewer))
    viewer, candidate = viewer[order], candidate[order]
    edges = pd.Index(graph.viewer * graph.n_people + graph.candidate.astype(np.int64))
    edge = edges.get_indexer(pd.Index(viewer * graph.n_people + candidate))
    unknown = (edge < 0) | (viewer < 0) | (candidate < 0)
    if unknown.any():
        pair = lists.iloc[order[unknown.argmax()]][[C.VIEWER, C.CANDIDATE]].tolist()
        remedy = "compare lists made from this pool"
        raise InputError(explained("a pair is not in the pool", where=name, got=pair, remedy=remedy))
    ends = np.cumsum(np.bincount(viewer, minlength=graph.n_people))
    return RankedEdges(np.concatenate([[0], ends]).astype(np.int64), edge.astype(np.int32))
